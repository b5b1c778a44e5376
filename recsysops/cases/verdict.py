"""Weighing evidence: an explicit table per kind of subject turns signs into ranked hypotheses and a verdict."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from recsysops.cases.evidence import Evidence, Proof, Sign

Cause = Literal["input", "training", "model", "retrieval", "policy", "serving", "legitimate", "abstain"]
Status = Literal["confirmed", "suspected"]
Role = Literal["wrong", "repairs", "proves", "hints"]
"""``wrong``: shows that something is not as it should be. ``repairs``: shows that it matters. ``proves``: both at once.
``hints``: neither alone. A verdict is confirmed by ``proves``, or by ``wrong`` and ``repairs`` about one entity."""
MOST_LOG_ODDS = 4.6
"""No table of ours knows more than 99 %."""
ABSTAIN_BELOW = 0.5
"""Least share of the weight that the first hypothesis needs."""


@dataclass(frozen=True)
class Weight:
    """A row of a verdict table: what a sign speaks for, and how much (log odds)."""

    cause: Cause
    stage: str
    weight: float
    role: Role = "hints"


@dataclass(frozen=True)
class Hypothesis:
    """A possible cause with its share of the belief."""

    cause: Cause
    stage: str
    entity: str
    weight: float
    """In [0, 1]; all hypotheses and the one that none of them is true sum to 1."""
    signs: tuple[Sign, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What the evidence says. ``proof`` is what it rests on, None where it is only suspected."""

    cause: Cause
    stage: str
    entity: str
    status: Status
    confidence: float
    proof: Proof | None
    words: str
    hypotheses: tuple[Hypothesis, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, with the keys of the command line's contract."""
        nothing = {"kind": None, "value": None, "low": None, "high": None}
        return {
            "cause": self.cause,
            "stage": self.stage,
            "entity": self.entity,
            "status": self.status,
            "confidence": self.confidence,
            "proof": nothing if self.proof is None else self.proof.to_dict(),
        }


def weigh(evidence: Sequence[Evidence], table: Mapping[str, Weight], *, normal: Hypothesis | None = None) -> Verdict:
    """Rank what the signs speak for, and judge.

    The weights of a hypothesis' signs add up as log odds against "none of these" (weight 0). A sign that the table does
    not know is an error of the step.

    Args:
        evidence: of all steps.
        table: by the name of the sign.
        normal: what holds if no sign speaks for anything; abstain when None.

    Raises:
        KeyError: if a sign is not in the table.
    """
    found: dict[tuple[Cause, str, str], list[Sign]] = {}
    for sign in (sign for one in evidence for sign in one.signs):
        row = table[sign.name]
        found.setdefault((row.cause, row.stage, sign.entity), []).append(sign)
    odds = {key: math.exp(min(MOST_LOG_ODDS, _log_odds(signs, table))) for key, signs in found.items()}
    total = 1.0 + sum(odds.values())
    ranked = tuple(
        Hypothesis(*key, odds[key] / total, tuple(found[key]))
        for key in sorted(odds, key=lambda key: (-odds[key], key))
    )
    if not ranked:
        return _without_signs(normal)
    first = ranked[0]
    are_hints = all(table[sign.name].role == "hints" for sign in first.signs) and first.cause != "legitimate"
    if normal is not None and (are_hints or first.weight < ABSTAIN_BELOW):
        return _without_signs(normal)
    if first.weight < ABSTAIN_BELOW:
        words = "no cause stands out: " + "; ".join(dict.fromkeys(sign.words for sign in first.signs))
        return Verdict("abstain", first.stage, first.entity, "suspected", first.weight, None, words, ranked)
    proof, is_confirmed = _proved(first.signs, table)
    words = "; ".join(dict.fromkeys(sign.words for sign in first.signs))
    status: Status = "confirmed" if is_confirmed else "suspected"
    return Verdict(first.cause, first.stage, first.entity, status, first.weight, proof, words, ranked)


def _log_odds(signs: Iterable[Sign], table: Mapping[str, Weight]) -> float:
    """Several signs of one name count once, as the strongest of them."""
    strongest: dict[str, float] = {}
    for sign in signs:
        strongest[sign.name] = max(strongest.get(sign.name, 0.0), table[sign.name].weight * sign.strength)
    return sum(strongest.values())


def _proved(signs: Sequence[Sign], table: Mapping[str, Weight]) -> tuple[Proof | None, bool]:
    by_role: dict[str, list[Sign]] = {}
    for sign in signs:
        by_role.setdefault(table[sign.name].role, []).append(sign)
    proofs = [sign.proof for role in ("proves", "repairs") for sign in by_role.get(role, ()) if sign.proof is not None]
    is_confirmed = "proves" in by_role or ("wrong" in by_role and "repairs" in by_role)
    return (proofs[0] if is_confirmed and proofs else None), is_confirmed and bool(proofs)


def _without_signs(normal: Hypothesis | None) -> Verdict:
    if normal is None:
        return Verdict("abstain", "", "", "suspected", 0.0, None, "nothing was found that speaks for a cause", ())
    words = "; ".join(sign.words for sign in normal.signs)
    return Verdict(normal.cause, normal.stage, normal.entity, "suspected", normal.weight, None, words, (normal,))
