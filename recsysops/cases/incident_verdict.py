"""The verdict table for incidents: which finding speaks for which cause.

A rule names a detector, by glob, and may name a statistic and a table. The first rule that fits a finding gives its sign; the
sign's row says the cause, the stage and the weight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import inf

from recsysops.cases.evidence import Evidence, Sign
from recsysops.cases.incident_case import IncidentCase
from recsysops.cases.verdict import Hypothesis, Verdict, Weight, weigh
from recsysops.triage.findings import Finding

OWN = ""
"""The entity is the finding's own table and column, or the item, model or member it is about."""


@dataclass(frozen=True)
class Rule:
    """What a finding is a sign of."""

    detector: str
    sign: str
    entity: str = OWN
    statistic: str = "*"
    table: str = "*"
    column: str = "*"
    least: float = -inf
    """Least value of the statistic."""

    def fits(self, finding: Finding) -> bool:
        """Whether the rule speaks of the finding."""
        given = (
            (finding.detector, self.detector),
            (finding.statistic, self.statistic),
            (finding.table, self.table),
            (finding.column, self.column),
        )
        return finding.value >= self.least and all(fnmatchcase(value, pattern) for value, pattern in given)


RULES: tuple[Rule, ...] = (
    Rule("model.artifact_change", "artifact unlike before", "models"),
    Rule("output.replay_mismatch", "another model answers", "models", statistic="raw_score_*", least=0.95),
    Rule("output.replay_mismatch", "calibration diverges", "models.calibration", statistic="score_*", least=0.95),
    Rule("output.replay_mismatch", "replay diverges", "candidates.score"),
    Rule("input.training_serving_skew", "differs from its source"),
    Rule("input.upstream_disagreement", "facts disagree", table="items"),
    Rule("input.upstream_disagreement", "features disagree"),
    Rule("input.schema_change", "schema changed"),
    Rule("input.label_delay", "labels are late", "outcomes.ingested_at"),
    Rule("input.label_value", "labels moved", "outcomes.value"),
    Rule("input.*", "labels moved", "outcomes.value", table="outcomes", statistic="*psi*"),
    Rule("input.row_volume", "outcomes are missing", "outcomes", table="outcomes"),
    Rule("input.join_coverage", "labels do not join", table="outcomes"),
    Rule("input.join_coverage", "log does not join"),
    Rule("input.duplicate_keys", "rows are repeated"),
    Rule("input.member_domination", "members send too much", "candidates.member_id"),
    Rule("input.late_events", "features are late", table="*_features"),
    Rule("input.late_events", "log is late"),
    Rule("input.freshness", "log is late"),
    Rule("input.row_volume", "feature table has other rows", table="*_features"),
    Rule("input.row_volume", "log is short"),
    Rule("input.slice_fraction", "log is short"),
    Rule("input.*", "fact is wrong", table="items"),
    Rule("input.*", "answers are slow", table="candidates", column="*latency*"),
    Rule("input.*", "feature is wrong"),
    Rule("output.candidate_set", "source is absent", statistic="source_absence_rate"),
    Rule("output.candidate_set", "fallback answers", "candidates.fallback", statistic="fallback_rate"),
    Rule("output.candidate_set", "items are not retrieved"),
    Rule("output.lost_items", "items are not retrieved"),
    Rule("item.cold_start_health", "launches are not retrieved", "index"),
    Rule("output.slate_invariants", "rule is broken"),
    Rule("output.policy_effect", "policy moved", "candidates.final_rank"),
    Rule("output.model_mix", "other models answer"),
    Rule("system.experiment_balance", "arms are uneven", "candidates.experiment_arm"),
    Rule("output.position_curve", "places moved", "candidates.position"),
    Rule("output.price_exposure", "prices moved", "candidates.price"),
    Rule("output.*", "output moved"),
    Rule("item.*", "item moved"),
    Rule("*", "metric moved"),
)
INCIDENT_TABLE: Mapping[str, Weight] = {
    "artifact unlike before": Weight("training", "training", 3.0, "wrong"),
    "another model answers": Weight("model", "artifact", 4.5, "proves"),
    "calibration diverges": Weight("model", "artifact", 4.0, "proves"),
    "one item diverges": Weight("serving", "ranking", 4.5, "proves"),
    "replay diverges": Weight("serving", "ranking", 3.5, "proves"),
    "differs from its source": Weight("input", "feature", 3.5, "proves"),
    "facts disagree": Weight("input", "upstream", 3.5, "wrong"),
    "features disagree": Weight("input", "feature", 3.0, "wrong"),
    "schema changed": Weight("input", "schema", 4.0, "proves"),
    "labels are late": Weight("input", "label", 3.5, "wrong"),
    "labels moved": Weight("input", "label", 3.0, "wrong"),
    "outcomes are missing": Weight("input", "label", 1.5),
    "labels do not join": Weight("input", "label", 3.5, "wrong"),
    "feature table has other rows": Weight("input", "feature", 1.0),
    "answers are slow": Weight("serving", "ranking", 1.5),
    "log does not join": Weight("input", "logging", 3.0, "wrong"),
    "rows are repeated": Weight("input", "logging", 3.5, "proves"),
    "members send too much": Weight("input", "logging", 3.0, "wrong"),
    "clock is off": Weight("serving", "logging", 4.5, "wrong"),
    "features are late": Weight("input", "feature", 3.0, "wrong"),
    "log is late": Weight("input", "logging", 2.5, "wrong"),
    "log is short": Weight("input", "logging", 2.0),
    "fact is wrong": Weight("input", "upstream", 3.0, "wrong"),
    "feature is wrong": Weight("input", "feature", 2.5, "wrong"),
    "source is absent": Weight("retrieval", "retrieval", 3.5, "proves"),
    "fallback answers": Weight("serving", "ranking", 3.0, "proves"),
    "items are not retrieved": Weight("retrieval", "retrieval", 2.5),
    "launches are not retrieved": Weight("retrieval", "retrieval", 2.5),
    "rule is broken": Weight("policy", "policy", 2.5, "proves"),
    "policy moved": Weight("policy", "policy", 2.5),
    "other models answer": Weight("model", "artifact", 2.0),
    "arms are uneven": Weight("serving", "experiment", 3.0, "wrong"),
    "places moved": Weight("serving", "client", 1.5),
    "prices moved": Weight("serving", "ranking", 2.0),
    "output moved": Weight("serving", "ranking", 1.0),
    "item moved": Weight("serving", "ranking", 0.8),
    "metric moved": Weight("legitimate", "world", 0.3),
    "planned": Weight("legitimate", "world", 2.5),
    "item confirms input, upstream": Weight("input", "upstream", 3.0, "proves"),
    "item confirms input, feature": Weight("input", "feature", 3.0, "proves"),
    "item confirms retrieval, retrieval": Weight("retrieval", "retrieval", 3.0, "proves"),
    "item confirms policy, policy": Weight("policy", "policy", 3.0, "proves"),
    "item confirms model, artifact": Weight("model", "artifact", 3.0, "proves"),
    "recorded change": Weight("serving", "policy", 0.5),
}
"""Log odds, set by judgement. What an output does alone says little of where it began; what is upstream says more."""


def rule_of(finding: Finding) -> Rule:
    """The first rule that fits; the last one fits everything."""
    return next(rule for rule in RULES if rule.fits(finding))


def incident_verdict(case: IncidentCase, evidence: Sequence[Evidence]) -> Verdict:
    """Weigh what the steps found; an incident of which every finding follows a recorded plan is legitimate."""
    normal = None
    if case.findings and all(finding.follows for finding in case.findings):
        plans = "; ".join(dict.fromkeys(finding.follows for finding in case.findings))
        entity = f"incident {case.number}"
        normal = Hypothesis("legitimate", "world", entity, 0.9, (Sign("planned", entity, f"recorded plan: {plans}"),))
    return weigh(evidence, INCIDENT_TABLE, normal=normal)
