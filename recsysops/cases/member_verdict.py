"""The verdict table for members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from recsysops.cases.evidence import Evidence, Sign
from recsysops.cases.member_case import MemberCase
from recsysops.cases.verdict import Hypothesis, Verdict, Weight, weigh

MEMBER_TABLE: Mapping[str, Weight] = {
    "of another key": Weight("input", "feature", 4.5, "proves"),
    "facts changed together": Weight("input", "upstream", 4.0, "proves"),
    "fact changed": Weight("input", "upstream", 1.0, "wrong"),
    "differs from its source": Weight("input", "feature", 4.0, "proves"),
    "feature missing": Weight("input", "feature", 2.5, "wrong"),
    "repair changes the slate": Weight("input", "feature", 2.0, "repairs"),
    "nothing known": Weight("input", "feature", 0.8),
    "source stopped": Weight("input", "upstream", 2.0, "wrong"),
    "wanted but misjudged": Weight("input", "feature", 1.0),
    "raw score diverges": Weight("model", "artifact", 4.0, "proves"),
    "calibration diverges": Weight("model", "artifact", 4.0, "proves"),
    "rank diverges": Weight("serving", "ranking", 4.0, "proves"),
    "fallback answered": Weight("serving", "ranking", 3.0, "proves"),
    "never retrieved": Weight("retrieval", "retrieval", 3.5, "proves"),
    "not retrieved": Weight("retrieval", "retrieval", 1.5),
    "filtered": Weight("policy", "policy", 1.5),
}
"""Log odds by sign, set by judgement. What is only more frequent than with members alike is a hint: tastes differ."""
NEEDED = ("member.inputs", "member.replay", "member.plays")
"""Steps that have to find everything normal before a verdict may be that nothing is wrong."""


def member_verdict(case: MemberCase, evidence: Sequence[Evidence]) -> Verdict:
    """Weigh what the steps found; LEGITIMATE only where inputs, replay and plays could be looked at and are as they should be."""
    outcomes = {one.step: one.outcome for one in evidence}
    normal = None
    if all(outcomes.get(step) == "normal" for step in NEEDED):
        words = "features equal their sources, scores and ranks reproduce, and what the member looks for elsewhere is as with others"
        entity = f"member {case.member}"
        normal = Hypothesis("legitimate", "world", entity, 0.8, (Sign("as it should be", entity, words),))
    return weigh(evidence, MEMBER_TABLE, normal=normal)
