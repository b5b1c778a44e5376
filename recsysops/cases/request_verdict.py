"""The verdict table for requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from recsysops.cases.evidence import Evidence, Sign
from recsysops.cases.request_case import RequestCase
from recsysops.cases.verdict import Hypothesis, Verdict, Weight, weigh

REQUEST_TABLE: Mapping[str, Weight] = {
    "of another key": Weight("input", "feature", 4.5, "proves"),
    "differs from its source": Weight("input", "feature", 4.0, "proves"),
    "feature missing": Weight("input", "feature", 2.5, "wrong"),
    "repair changes the slate": Weight("input", "feature", 2.0, "repairs"),
    "nothing known": Weight("input", "feature", 0.8),
    "raw score diverges": Weight("model", "artifact", 4.0, "proves"),
    "calibration diverges": Weight("model", "artifact", 4.0, "proves"),
    "rank diverges": Weight("serving", "ranking", 4.0, "proves"),
    "fallback answered": Weight("serving", "ranking", 4.0, "proves"),
    "old overrides": Weight("serving", "policy", 4.0, "proves"),
    "gap in positions": Weight("serving", "client", 3.0, "proves"),
    "repeats an item": Weight("policy", "policy", 3.5, "proves"),
    "shows filtered": Weight("policy", "policy", 4.0, "proves"),
    "not available": Weight("policy", "policy", 4.0, "proves"),
    "before launch": Weight("policy", "launch", 4.0, "proves"),
    "unknown item": Weight("input", "upstream", 2.5, "proves"),
    "leaps over scores": Weight("policy", "policy", 1.5),
    "planned": Weight("legitimate", "policy", 2.0),
    "few candidates": Weight("retrieval", "retrieval", 2.0),
    "silent source": Weight("retrieval", "retrieval", 2.0),
    "logged twice": Weight("input", "logging", 3.0, "proves"),
    "outcome without impression": Weight("input", "logging", 1.5),
}
"""Log odds by sign, set by judgement. What only differs from other requests is a hint; what breaks a rule, disagrees with its source or does
not replay is proof by itself."""
NEEDED = ("request.replay", "request.inputs", "request.slate")
"""Steps that have to find everything normal before a verdict may be that nothing is wrong."""


def request_verdict(case: RequestCase, evidence: Sequence[Evidence]) -> Verdict:
    """Weigh what the steps found; LEGITIMATE only where replay, inputs and slate could be looked at and are as they should be."""
    outcomes = {one.step: one.outcome for one in evidence}
    normal = None
    if all(outcomes.get(step) == "normal" for step in NEEDED):
        words = "features equal their sources, scores and ranks reproduce, nothing is missing that others have, no rule is broken"
        entity = f"request {', '.join(case.requests[:3])}"
        normal = Hypothesis("legitimate", "world", entity, 0.8, (Sign("as it should be", entity, words),))
    return weigh(evidence, REQUEST_TABLE, normal=normal)
