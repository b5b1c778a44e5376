"""Where plugins are found: built-ins as lazy strings, outsiders by entry point, both by the same path.

Listing imports no plugin: names and codes stand here or in the entry point, and the line for the operator is read from
the docstring in the plugin's source without running it.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from recsysops.errors import PluginError

Shelf = Literal["detectors", "predictors", "diagnosis", "hotfixes", "sources", "faults"]

BUILT_INS: dict[Shelf, tuple[tuple[str, str], ...]] = {
    "detectors": (
        ("input.row_volume", "recsysops.detectors.row_volume:RowVolume"),
        ("input.freshness", "recsysops.detectors.freshness:Freshness"),
        ("input.missing_rate", "recsysops.detectors.missing_rate:MissingRate"),
        ("input.default_fill", "recsysops.detectors.default_fill:DefaultFill"),
        ("input.distribution_shift", "recsysops.detectors.distribution_shift:DistributionShift"),
        ("input.category_change", "recsysops.detectors.category_change:CategoryChange"),
        ("input.duplicate_keys", "recsysops.detectors.duplicate_keys:DuplicateKeys"),
        ("input.slice_fraction", "recsysops.detectors.slice_fraction:SliceFraction"),
        ("input.schema_change", "recsysops.detectors.schema_change:SchemaChange"),
        ("input.unit_change", "recsysops.detectors.unit_change:UnitChange"),
        ("input.stuck_feature", "recsysops.detectors.stuck_feature:StuckFeature"),
        ("input.value_loss", "recsysops.detectors.value_loss:ValueLoss"),
        ("input.wrong_entity", "recsysops.detectors.wrong_entity:WrongEntity"),
        ("input.upstream_disagreement", "recsysops.detectors.upstream_disagreement:UpstreamDisagreement"),
        ("input.late_events", "recsysops.detectors.late_events:LateEvents"),
        ("input.member_domination", "recsysops.detectors.member_domination:MemberDomination"),
        ("input.join_coverage", "recsysops.detectors.join_coverage:JoinCoverage"),
        ("input.training_serving_skew", "recsysops.detectors.training_serving_skew:TrainingServingSkew"),
        ("input.label_value", "recsysops.detectors.label_value:LabelValue"),
        ("input.label_delay", "recsysops.detectors.label_delay:LabelDelay"),
        ("output.invalid_scores", "recsysops.detectors.invalid_scores:InvalidScores"),
        ("item.cold_start_health", "recsysops.detectors.cold_start_health:ColdStartHealth"),
        ("member.segment_experience", "recsysops.detectors.segment_experience:SegmentExperience"),
        ("item.production_bias", "recsysops.detectors.production_bias:ProductionBias"),
        ("item.exposure_loss", "recsysops.detectors.exposure_loss:ExposureLoss"),
        ("output.replay_mismatch", "recsysops.detectors.replay_mismatch:ReplayMismatch"),
        ("output.score_shift", "recsysops.detectors.score_shift:ScoreShift"),
        ("output.item_domination", "recsysops.detectors.item_domination:ItemDomination"),
        ("output.calibration", "recsysops.detectors.calibration:Calibration"),
        ("output.rank_quality", "recsysops.detectors.rank_quality:RankQuality"),
        ("output.tie_rate", "recsysops.detectors.tie_rate:TieRate"),
        ("output.candidate_set", "recsysops.detectors.candidate_set:CandidateSet"),
        ("output.lost_items", "recsysops.detectors.lost_items:LostItems"),
        ("output.slate_invariants", "recsysops.detectors.slate_invariants:SlateInvariants"),
        ("output.model_mix", "recsysops.detectors.model_mix:ModelMix"),
        ("output.price_exposure", "recsysops.detectors.price_exposure:PriceExposure"),
        ("output.position_curve", "recsysops.detectors.position_curve:PositionCurve"),
        ("output.concentration", "recsysops.detectors.concentration:Concentration"),
        ("output.personalisation_collapse", "recsysops.detectors.personalisation_collapse:PersonalisationCollapse"),
        ("output.policy_effect", "recsysops.detectors.policy_effect:PolicyEffect"),
        ("member.low_ranked_play", "recsysops.detectors.low_ranked_play:LowRankedPlay"),
        ("model.artifact_change", "recsysops.detectors.artifact_change:ArtifactChange"),
        ("system.metric_forecast", "recsysops.detectors.metric_forecast:MetricForecast"),
        ("system.sample_health", "recsysops.detectors.sample_health:SampleHealth"),
        ("system.experiment_balance", "recsysops.detectors.experiment_balance:ExperimentBalance"),
    ),
    "predictors": (),
    "diagnosis": (
        ("item.path", "recsysops.diagnosis.item_path:ItemPath"),
        ("item.facts", "recsysops.diagnosis.item_facts:ItemFacts"),
        ("item.gap", "recsysops.diagnosis.item_gap:ItemGap"),
        ("item.replay", "recsysops.diagnosis.item_replay:ItemReplay"),
        ("item.changes", "recsysops.diagnosis.item_changes:ItemChanges"),
        ("incident.findings", "recsysops.diagnosis.incident_findings:IncidentFindings"),
        ("incident.items", "recsysops.diagnosis.incident_items:IncidentItems"),
        ("incident.replay", "recsysops.diagnosis.incident_replay:IncidentReplay"),
        ("incident.changes", "recsysops.diagnosis.incident_changes:IncidentChanges"),
    ),
    "hotfixes": (),
    "sources": (
        ("parquet", "recsysops.tables.parquet_source:ParquetSource"),
        ("csv", "recsysops.tables.csv_source:CsvSource"),
        ("jsonl", "recsysops.tables.jsonl_source:JsonLinesSource"),
        ("arrow", "recsysops.tables.arrow_source:ArrowSource"),
        ("duckdb", "recsysops.tables.duckdb_source:DuckDbSource"),
        ("sqlite", "recsysops.tables.sqlite_source:SqliteSource"),
        ("object_store", "recsysops.tables.object_store_source:ObjectStoreSource"),
        ("delta", "recsysops.tables.delta_source:DeltaSource"),
        ("iceberg", "recsysops.tables.iceberg_source:IcebergSource"),
        ("database", "recsysops.tables.database_source:DatabaseSource"),
    ),
    "faults": (  # in the order of the catalogue
        ("null_spike", "recsysops.drills.faults.null_spike:NullSpike"),
        ("market_nulls", "recsysops.drills.faults.market_nulls:MarketNulls"),
        ("silent_default", "recsysops.drills.faults.silent_default:SilentDefault"),
        ("unit_change", "recsysops.drills.faults.unit_change:UnitChange"),
        ("category_recoding", "recsysops.drills.faults.category_recoding:CategoryRecoding"),
        ("blank_language", "recsysops.drills.faults.blank_language:BlankLanguage"),
        ("stale_snapshot", "recsysops.drills.faults.stale_snapshot:StaleSnapshot"),
        ("wrong_entity_key", "recsysops.drills.faults.wrong_entity_key:WrongEntityKey"),
        ("late_events_cut", "recsysops.drills.faults.late_events_cut:LateEventsCut"),
        (
            "training_serving_difference",
            "recsysops.drills.faults.training_serving_difference:TrainingServingDifference",
        ),
        ("future_leakage", "recsysops.drills.faults.future_leakage:FutureLeakage"),
        ("float32_time", "recsysops.drills.faults.float32_time:Float32Time"),
        ("embedding_version", "recsysops.drills.faults.embedding_version:EmbeddingVersion"),
        ("zero_vectors", "recsysops.drills.faults.zero_vectors:ZeroVectors"),
        ("dropped_feature", "recsysops.drills.faults.dropped_feature:DroppedFeature"),
        ("client_stops_logging", "recsysops.drills.faults.client_stops_logging:ClientStopsLogging"),
        ("duplicate_events", "recsysops.drills.faults.duplicate_events:DuplicateEvents"),
        ("lost_impressions", "recsysops.drills.faults.lost_impressions:LostImpressions"),
        ("bot_burst", "recsysops.drills.faults.bot_burst:BotBurst"),
        ("late_host_clock", "recsysops.drills.faults.late_host_clock:LateHostClock"),
        ("label_delay", "recsysops.drills.faults.label_delay:LabelDelay"),
        ("label_definition", "recsysops.drills.faults.label_definition:LabelDefinition"),
        ("label_join_broken", "recsysops.drills.faults.label_join_broken:LabelJoinBroken"),
        ("flipped_labels", "recsysops.drills.faults.flipped_labels:FlippedLabels"),
        ("stale_training_day", "recsysops.drills.faults.stale_training_day:StaleTrainingDay"),
        ("underfit", "recsysops.drills.faults.underfit:Underfit"),
        ("popularity_runaway", "recsysops.drills.faults.popularity_runaway:PopularityRunaway"),
        ("feature_order", "recsysops.drills.faults.feature_order:FeatureOrder"),
        ("calibration_missing", "recsysops.drills.faults.calibration_missing:CalibrationMissing"),
        ("source_empty", "recsysops.drills.faults.source_empty:SourceEmpty"),
        ("index_without_new", "recsysops.drills.faults.index_without_new:IndexWithoutNew"),
        ("recall_decay", "recsysops.drills.faults.recall_decay:RecallDecay"),
        ("constant_scores", "recsysops.drills.faults.constant_scores:ConstantScores"),
        ("timeouts", "recsysops.drills.faults.timeouts:Timeouts"),
        ("item_boosted", "recsysops.drills.faults.item_boosted:ItemBoosted"),
        ("expensive_item", "recsysops.drills.faults.expensive_item:ExpensiveItem"),
        ("expired_pin", "recsysops.drills.faults.expired_pin:ExpiredPin"),
        ("suppress_scope", "recsysops.drills.faults.suppress_scope:SuppressScope"),
        ("diversity_cap", "recsysops.drills.faults.diversity_cap:DiversityCap"),
        ("sample_ratio", "recsysops.drills.faults.sample_ratio:SampleRatio"),
        ("layout_shift", "recsysops.drills.faults.layout_shift:LayoutShift"),
        ("empty_launch_metadata", "recsysops.drills.faults.empty_launch_metadata:EmptyLaunchMetadata"),
        ("wrong_tag", "recsysops.drills.faults.wrong_tag:WrongTag"),
        ("taste_shift", "recsysops.drills.faults.taste_shift:TasteShift"),
    ),
}


@dataclass(frozen=True)
class Plugin:
    """A plugin that can be loaded. ``target`` is ``module:Name``; ``origin`` names the distribution it came with."""

    shelf: Shelf
    name: str
    target: str
    origin: str = "recsysops"

    def load(self) -> Any:
        """Import the plugin's class.

        Raises:
            PluginError: if the module or the class cannot be imported.
        """
        module, _, attribute = self.target.partition(":")
        try:
            return getattr(import_module(module), attribute)
        except Exception as error:  # a plugin may fail in any way; the run goes on without it
            raise PluginError(
                f"plugin {self.name} of {self.origin}",
                found=f"{type(error).__name__}: {error}",
                expected=f"{self.target} to import",
                next_step=f"repair or uninstall {self.origin}",
            ) from error

    def summary(self) -> str:
        """The first line of the class's docstring, read without importing the plugin ("" if it has none)."""
        node = self._class()
        return (ast.get_docstring(node) or "").partition("\n")[0] if node else ""

    def declared(self, order: Sequence[str] = ()) -> dict[str, Any]:
        """The literal arguments of the class's ``meta = …(…)``, read without importing the plugin.

        Args:
            order: names of the positional arguments.
        """
        node = self._class()
        for statement in node.body if node else ():
            call = getattr(statement, "value", None)
            if isinstance(call, ast.Call) and ast.unparse(statement).startswith("meta"):
                words = [(word.arg, word.value) for word in call.keywords if word.arg]
                given = [*zip(order, call.args, strict=False), *words]
                return {name: ast.literal_eval(value) for name, value in given if _is_literal(value)}
        return {}

    def members(self) -> frozenset[str]:
        """Names of the methods and attributes that the class itself defines, read without importing the plugin."""
        node = self._class()
        names: set[str] = set()
        for statement in node.body if node else ():
            if isinstance(statement, ast.FunctionDef):
                names.add(statement.name)
            elif isinstance(statement, ast.Assign):
                names.update(target.id for target in statement.targets if isinstance(target, ast.Name))
        return frozenset(names)

    def _class(self) -> ast.ClassDef | None:
        module, _, attribute = self.target.partition(":")
        source = _source_of(module)
        body = ast.parse(source).body if source is not None else []
        return next((node for node in body if isinstance(node, ast.ClassDef) and node.name == attribute), None)


def _is_literal(value: ast.expr) -> bool:
    try:
        ast.literal_eval(value)
    except ValueError:
        return False
    return True


def plugins(shelf: Shelf) -> tuple[Plugin, ...]:
    """Every plugin of a shelf: built-ins first, in their order, then outsiders by name.

    Raises:
        PluginError: if two plugins claim the same name.
    """
    found = [Plugin(shelf, name, target) for name, target in BUILT_INS[shelf]]
    outsiders = entry_points(group=f"recsysops.{shelf}")
    for point in sorted(outsiders, key=lambda point: point.name):
        origin = f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown distribution"
        found.append(Plugin(shelf, point.name, point.value, origin))
    _refuse_doubles(found)
    return tuple(found)


def plugin(shelf: Shelf, name: str, others: Sequence[str] = ()) -> Plugin:
    """The plugin of that name.

    Args:
        shelf: where it stands.
        name: of the plugin.
        others: names that are no plugins but may have been meant.

    Raises:
        PluginError: if there is none; the message names the nearest.
    """
    from difflib import get_close_matches

    known = plugins(shelf)
    for candidate in known:
        if candidate.name == name:
            return candidate
    nearest = get_close_matches(name, [*(candidate.name for candidate in known), *others], n=1)
    listing = "drill list" if shelf == "faults" else f"{shelf} list"
    hint = f"did you mean {nearest[0]}?" if nearest else f"`recsysops {listing}` shows them"
    raise PluginError(shelf, found=repr(name), expected="the name of an installed plugin", next_step=hint)


def _refuse_doubles(found: Sequence[Plugin]) -> None:
    seen: dict[str, Plugin] = {}
    for candidate in found:
        other = seen.setdefault(candidate.name, candidate)
        if other is not candidate:
            raise PluginError(
                f"{candidate.shelf} {candidate.name}",
                found=f"the name twice, in {other.origin} ({other.target}) and {candidate.origin} ({candidate.target})",
                expected="one plugin of that name",
                next_step="rename or uninstall one of them",
            )


@cache
def _source_of(module: str) -> str | None:
    """Source text of a module, found without importing its last part."""
    parent, _, _ = module.rpartition(".")
    try:
        path = getattr(import_module(parent), "__path__", None) if parent else None
        spec = PathFinder.find_spec(module, path) if path else find_spec(module)
    except ImportError:
        return None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return Path(spec.origin).read_text(encoding="utf-8")
