"""What a diagnostic step says: signs, each of one thing, and the figures that show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from recsysops.statistics.proportions import wilson_interval

Outcome = Literal["abnormal", "normal", "unknown"]


@dataclass(frozen=True)
class Proof:
    """A number that a verdict rests on, with its interval."""

    kind: str
    """``repair``, ``divergence``, ``lost``: what was measured."""
    value: float
    low: float | None
    high: float | None
    words: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, with the keys of the command line's contract."""
        return {"kind": self.kind, "value": self.value, "low": self.low, "high": self.high, "words": self.words}


def share_proof(kind: str, n: int, of: int, words: str) -> Proof:
    """A share as a proof, with Wilson's interval (95 %).

    Example:
        >>> share_proof("lost", 0, 100, "in none of 100 requests").high < 0.04
        True
    """
    interval = wilson_interval(n, of)
    return Proof(kind, n / of, float(interval.low), float(interval.high), words)


@dataclass(frozen=True)
class Sign:
    """Something seen that speaks for a cause: its name stands in the verdict table of the subject's kind."""

    name: str
    entity: str
    """The table, column, item, model, source or rule concerned: ``items.original_language``."""
    words: str
    strength: float = 1.0
    """In [0, 1]: how much of the table's weight it has."""
    proof: Proof | None = None


@dataclass(frozen=True)
class Evidence:
    """What one step found.

    ``figures`` are single numbers or words, ``rows`` a table to look through; both are JSON-ready. ``unknown`` says in
    ``headline`` why the step could not look.
    """

    step: str
    outcome: Outcome
    headline: str
    signs: tuple[Sign, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    rows: tuple[Mapping[str, Any], ...] = ()
    query: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "step": self.step,
            "outcome": self.outcome,
            "headline": self.headline,
            "signs": [
                {
                    "name": sign.name,
                    "entity": sign.entity,
                    "words": sign.words,
                    "strength": sign.strength,
                    "proof": None if sign.proof is None else sign.proof.to_dict(),
                }
                for sign in self.signs
            ],
            "figures": dict(self.figures),
            "rows": [dict(row) for row in self.rows],
            "query": self.query or None,
        }


def unknown(step: str, reason: str) -> Evidence:
    """A step that could not look, and why."""
    return Evidence(step, "unknown", reason)
