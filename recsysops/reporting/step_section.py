"""What a page shows of a step: what it says, its signs, its drawings and tables."""

from __future__ import annotations

from dataclasses import dataclass

from recsysops.cases.evidence import Evidence, Outcome, Proof, Sign
from recsysops.reporting.drawing import Drawing
from recsysops.reporting.numbers import interval, number, percent
from recsysops.reporting.page_table import PageTable, field_text, plain_table

OUTCOMES: dict[Outcome, str] = {"abnormal": "abnormal", "normal": "normal", "unknown": "could not look"}
SHARES = frozenset({"repair", "divergence", "lost"})
"""Kinds of proof whose value is a share."""


@dataclass(frozen=True)
class Part:
    """A table, and the drawing of the same numbers above it."""

    table: PageTable
    drawing: Drawing | None = None


@dataclass(frozen=True)
class Section:
    """A step on the page."""

    title: str
    evidence: Evidence
    parts: tuple[Part, ...]

    @property
    def outcome(self) -> str:
        """In words."""
        return OUTCOMES[self.evidence.outcome]

    @property
    def signs(self) -> list[tuple[Sign, str]]:
        """With what proves each, as far as its words do not say it."""
        return [(sign, _beyond_words(sign)) for sign in self.evidence.signs]


def plain_section(evidence: Evidence) -> Section:
    """A step that the page knows nothing of: its single figures and its rows as they are."""
    figures = {key: value for key, value in evidence.figures.items() if isinstance(value, str | int | float)}
    parts = []
    if figures:
        rows = [{"figure": key.replace("_", " "), "value": field_text(value)} for key, value in figures.items()]
        parts.append(Part(plain_table("Figures", rows)))
    if evidence.rows:
        parts.append(Part(plain_table("Rows", evidence.rows)))
    return Section(evidence.step, evidence, tuple(parts))


def proof_text(proof: Proof) -> str:
    """The words of a proof, with its interval where they lack it."""
    return ": ".join(filter(None, [proof.words, _figures(proof)]))


def _beyond_words(sign: Sign) -> str:
    if sign.proof is None:
        return ""
    return _figures(sign.proof) if sign.proof.words == sign.words else proof_text(sign.proof)


def _figures(proof: Proof) -> str:
    """``42.8 % [38.2, 47.6 %]``; nothing where the words have them."""
    if proof.low is None or proof.high is None or "[" in proof.words:
        return ""
    if proof.kind in SHARES:
        return f"{percent(proof.value)} {interval(proof.low, proof.high, '_share')}"
    return f"{number(proof.value)} {interval(proof.low, proof.high)}"
