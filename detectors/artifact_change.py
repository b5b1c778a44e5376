"""A new model artifact, looked into before it takes traffic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise

import numpy as np

from recsysops.models.model_facts import ModelFacts
from recsysops.models.structure_change import StructureChange, structure_change
from recsysops.profiles.history import Context, History
from recsysops.profiles.measures import Facts, Measure
from recsysops.profiles.slices import EVERYTHING
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Rate, Verdict
from recsysops.triage.evidence import Stated, finding_of, literal, not_between_cohorts, percent
from recsysops.triage.findings import Finding, Looked, Severity, Skipped, Stage, Subject
from recsysops.triage.level_gate import LevelLimits, level_gate

_BEFORE = 3
"""Earlier models from which on it is known what is usual."""
_MAX_P = 1e-2
_PLANNED_WITHIN = timedelta(days=8)
"""A change of the training configuration shows in the next model; most train weekly."""
_LEVELS: tuple[tuple[str, float, float], ...] = (("n_trees", 1.5, 0.05), ("training_rows", 1.15, 0.05))
"""Numbers of a model: name, least ratio, standard deviation of ln(number) between healthy models that is assumed."""
_ALIKE = timedelta(hours=1)
"""Training windows and their distance from training move by less than this when nothing has changed."""


class ArtifactChange:
    """A newly trained model differs from its predecessors in more than what it has learnt.

    Signals:
        ``disagreement``: registry, schema file and model file name other features, or another order; ``digest``: the file is
        not the one registered; ``features``: features that came, went or changed places; ``flipped``: important features
        whose missing values go the other way; ``importance_moved``: share of the gain that changed hands, in [0, 1];
        ``n_trees``, ``training_rows``; ``training_days``, ``training_lag_days``: length of the training window, and from its
        end to the training; numbers that the registry has in further columns (offline metrics).
    Parameters:
        min_importance: share of the gain from which on a feature is important, default 0.05; min_moved: least share of the
        gain that changes hands, default 0.3; metric_ratio: least change of an offline metric, default 1.1.
    Needs:
        ``models`` with ``trained_at``; ``path`` for what is inside (LightGBM text). Three earlier models to know what is
        usual; disagreement and digest need none. A change of kind ``config`` whose scope names the training makes the
        finding information.
    Blind spots:
        A model that is bad with the same trees, rows and features (see ``output.calibration``, ``output.rank_quality``).
    Example:
        >>> ArtifactChange.meta.name
        'model.artifact_change'

    Source:
        Smyth (2004) for the moderated variance between models; everything else is a comparison.
    """

    meta = DetectorMeta("MOD301", "model.artifact_change", ("models",), "warning", "training")

    class Params(Parameters):
        """Floors of ``model.artifact_change``."""

        min_importance: Rate = 0.05
        min_moved: Rate = 0.3
        metric_ratio: Positive = 1.1

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        if schema.table("models") is not None:
            yield Facts("models")

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        skipped = not_between_cohorts(self.meta, context)
        if skipped is not None:
            yield skipped
            return
        dated = [one for one in context.models if one.trained_at is not None]
        new = [one for one in dated if one.trained_at and one.trained_at.date() in context.current_days]
        n_series = 0
        for model in new:
            earlier = [
                one for one in dated if one.trained_at and model.trained_at and one.trained_at < model.trained_at
            ]
            yield from self._of_file(context, model)
            if model.structure is None and not _is_altered(model):
                yield Skipped(self.meta.name, "not_applicable", model.problem, "models")
            yield from self._of_structure(context, model, earlier)
            yield from self._of_levels(context, model, earlier)
            n_series += len(_LEVELS) + 2 + len(model.registration.metrics)
        yield Looked(self.meta.name, n_series, f"{len(new)} new of {len(context.models)} models", n_series)

    def _of_file(self, context: Context, model: ModelFacts) -> Iterator[Finding]:
        name = model.registration.model_id
        if _is_altered(model):
            yield self._finding(
                context, model, "digest", f"the file of model {name} is not the one registered: {model.problem}",
                column=_column(context, "sha256"), severity="critical", stage="artifact",
            )  # fmt: skip
        for problem in model.disagreements:
            yield self._finding(
                context, model, "disagreement", f"model {name} and its records disagree: {problem}",
                column=_column(context, "features"), stage="artifact",
            )  # fmt: skip

    def _of_structure(self, context: Context, model: ModelFacts, earlier: Sequence[ModelFacts]) -> Iterator[Finding]:
        known = [one.structure for one in earlier if one.structure is not None]
        if model.structure is None or not known:
            return
        name, change = model.registration.model_id, structure_change(known[-1], model.structure)
        if change.added or change.removed or change.is_reordered:
            yield self._finding(
                context, model, "features", f"model {name} {_features_said(change)}",
                column=_column(context, "features"), stage="artifact",
            )  # fmt: skip
        flipped = [one for one in change.flipped if known[-1].importance.get(one, 0.0) >= self.params.min_importance]
        if flipped:
            said = f"model {name} sends missing values of {', '.join(flipped[:3])} the other way"
            yield self._finding(context, model, "flipped", said, float(len(flipped)), severity="info")
        usual = [structure_change(*pair).importance_moved for pair in pairwise(known)]
        most = max([self.params.min_moved, *(2 * one for one in usual)])
        if len(usual) >= _BEFORE and change.importance_moved > most:
            said = f"{percent(change.importance_moved)} of the gain of model {name} is with other features than before"
            yield self._finding(context, model, "importance_moved", said, change.importance_moved)

    def _of_levels(self, context: Context, model: ModelFacts, earlier: Sequence[ModelFacts]) -> Iterator[Finding]:
        for statistic, ratio, sd in _LEVELS:
            yield from self._of_level(context, model, earlier, statistic, LevelLimits(ratio, sd))
        for metric in sorted(model.registration.metrics):
            yield from self._of_level(context, model, earlier, metric, LevelLimits(self.params.metric_ratio, 0.03))
        for statistic in ("training_days", "training_lag_days"):
            values = [value for one in (*earlier[-8:], model) if (value := _number(one, statistic)) is not None]
            usual = values[:-1]
            slack = _ALIKE.total_seconds() / 86_400
            if len(usual) >= _BEFORE and min(abs(values[-1] - one) for one in usual) > slack:
                change = (values[-1], float(np.median(usual)))
                said = f"{_WORDS[statistic]} of model {model.registration.model_id} is {change[0]:.1f} days, usually {change[1]:.1f}"
                yield self._finding(context, model, statistic, said, change[0], change[1])

    def _of_level(
        self, context: Context, model: ModelFacts, earlier: Sequence[ModelFacts], statistic: str, limits: LevelLimits
    ) -> Iterator[Finding]:
        before = [value for one in earlier if (value := _number(one, statistic)) is not None and value > 0][-8:]
        now = _number(model, statistic)
        if len(before) < _BEFORE or now is None or now <= 0:
            return
        levels = level_gate(np.array(before), np.array(now), limits)
        p_value, effect = float(levels.p_value), float(levels.effect)
        if effect >= 1 and p_value <= _MAX_P:
            expected = float(levels.expected)
            said = f"{_WORDS.get(statistic, statistic)} of model {model.registration.model_id} is {now:,.4g}, usually {expected:,.4g}"
            yield self._finding(context, model, statistic, said, now, expected, p_value=p_value, effect=effect)

    def _finding(
        self, context: Context, model: ModelFacts, statistic: str, headline: str, value: float = 1.0,
        reference: float = 0.0, *, column: str = "", severity: Severity | None = None, stage: Stage | None = None,
        p_value: float | None = None, effect: float = 2.0,
    ) -> Finding:  # fmt: skip
        plan = _planned(context, model) if severity is None and stage is None else ""
        stated = Stated(EVERYTHING, value, effect, n_current=1, reference=reference, p_value=p_value)
        return finding_of(
            self.meta, context, stated,
            table="models", subject=Subject("model", model.registration.model_id), column=column, statistic=statistic,
            threshold=0.0, severity="info" if plan else severity, stage=stage,
            headline=f"{headline}{f' (planned: {plan})' if plan else ''}", query=_query(context, model),
        )  # fmt: skip


_WORDS = {
    "n_trees": "the number of trees",
    "training_rows": "the number of training rows",
    "training_days": "the training window",
    "training_lag_days": "the age of the newest training data",
}


def _number(model: ModelFacts, statistic: str) -> float | None:
    registration = model.registration
    if statistic == "n_trees":
        return None if model.structure is None else float(model.structure.n_trees)
    if statistic == "training_rows":
        return None if registration.training_rows is None else float(registration.training_rows)
    if statistic == "training_days":
        return registration.training_days
    if statistic == "training_lag_days":
        if registration.trained_at is None or registration.training_end is None:
            return None
        return (registration.trained_at - registration.training_end).total_seconds() / 86_400
    return registration.metrics.get(statistic)


def _is_altered(model: ModelFacts) -> bool:
    return model.structure is None and "sha256" in model.problem


def _features_said(change: StructureChange) -> str:
    parts = []
    if change.added:
        parts.append(f"has {len(change.added)} new features ({', '.join(change.added[:3])})")
    if change.removed:
        parts.append(f"lacks {len(change.removed)} features of its predecessor ({', '.join(change.removed[:3])})")
    return " and ".join(parts) or "reads its features in another order than its predecessor"


def _planned(context: Context, model: ModelFacts) -> str:
    """The configuration change of the training that this model is the first to show."""
    trained = model.trained_at
    for change in reversed(context.changes):
        is_near = trained is not None and trained - _PLANNED_WITHIN <= change.ts <= trained
        if is_near and change.kind == "config" and "train" in change.scope:
            return f"{change.kind} {change.scope} of {change.ts.date()}"
    return ""


def _column(context: Context, role: str) -> str:
    table = context.schema.table("models")
    column = table.role(role) if table is not None else None
    return column.name if column is not None else ""


def _query(context: Context, model: ModelFacts) -> str:
    name = _column(context, "model_id")
    return f'SELECT * FROM "models" WHERE CAST({quote_identifier(name)} AS VARCHAR) = {literal(model.registration.model_id)}'
