"""The verdict table for items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from recsysops.cases.evidence import Evidence, Sign
from recsysops.cases.item_case import ItemCase
from recsysops.cases.verdict import Hypothesis, Verdict, Weight, weigh

ITEM_TABLE: Mapping[str, Weight] = {
    "source gone": Weight("retrieval", "retrieval", 4.0, "proves"),
    "never retrieved": Weight("retrieval", "retrieval", 4.0, "proves"),
    "not retrieved": Weight("retrieval", "retrieval", 2.0),
    "filtered": Weight("policy", "policy", 4.0, "proves"),
    "moved by policy": Weight("policy", "policy", 3.0, "proves"),
    "replay diverges": Weight("model", "artifact", 4.0, "proves"),
    "differs from its source": Weight("input", "feature", 3.0, "wrong"),
    "repairing the feature closes the gap": Weight("input", "feature", 3.0, "repairs"),
    "value missing": Weight("input", "upstream", 2.0, "wrong"),
    "value changed": Weight("input", "upstream", 1.5, "wrong"),
    "values disagree": Weight("input", "upstream", 2.0, "wrong"),
    "repair closes the gap": Weight("input", "upstream", 3.0, "repairs"),
    "planned": Weight("legitimate", "world", 1.5),
    "recorded change": Weight("policy", "policy", 1.0),
}
"""Log odds by sign, set by judgement and checked by drills. A value that is odd among peers is no sign: a rightly tagged rare title is odd, too."""
NEEDED = ("item.path", "item.facts", "item.replay")
"""Steps that have to find everything normal before a verdict may be that nothing is wrong."""


def item_verdict(case: ItemCase, evidence: Sequence[Evidence]) -> Verdict:
    """Weigh what the steps found; LEGITIMATE only where path, facts and replay could be looked at and are as they should be."""
    outcomes = {one.step: one.outcome for one in evidence}
    normal = None
    if all(outcomes.get(step) == "normal" for step in NEEDED):
        words = "the model is given what the sources say, its scores reproduce, no rule or policy holds the item back"
        sign = Sign("as it should be", f"item {case.item}", words)
        normal = Hypothesis("legitimate", "world", f"item {case.item}", 0.6, (sign,))
    return weigh(evidence, ITEM_TABLE, normal=normal)
