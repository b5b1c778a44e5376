"""A card in a few counts: how many faults are found at which size, which are missed, and since which size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from recsysops.drills.scorecard.results import Card, CurvePoint, FaultCurve

FOUND_SHARE = 0.8
"""A fault counts as found when this share of its trials is: the bar of methods for a minimal detectable severity."""
STATED = 1.0
LARGE = 4.0


@dataclass(frozen=True)
class Tally:
    """All faults at one multiple of their unit size."""

    multiple: float
    n: int
    """Faults that were planted at this size."""
    n_found: int
    n_named: int
    """Those whose stage and entity the first incident named."""
    n_by_baseline: dict[str, int]


def planted(card: Card) -> tuple[FaultCurve, ...]:
    """Faults with at least one trial; true changes of the world are not among them."""
    return tuple(curve for curve in card.faults if curve.meta.is_fault and curve.points)


def benign(card: Card) -> tuple[FaultCurve, ...]:
    """True changes of the world that were planted like faults: nobody should be woken for them."""
    return tuple(curve for curve in card.faults if not curve.meta.is_fault and curve.points)


def not_planted(card: Card) -> tuple[FaultCurve, ...]:
    """Those that could not be planted anywhere."""
    return tuple(curve for curve in card.faults if not curve.points)


def multiples(card: Card) -> tuple[float, ...]:
    """Every multiple at which a graded fault was planted, in order; those of the others when none is graded."""
    graded = [curve for curve in card.faults if curve.meta.is_graded]
    found = {point.multiple for curve in graded for point in curve.points}
    return tuple(sorted(found or {point.multiple for curve in card.faults for point in curve.points}))


def headline_multiples(card: Card) -> tuple[float, ...]:
    """The stated size and four times it, as far as they were tried; else the smallest that was."""
    tried = multiples(card)
    return tuple(one for one in (STATED, LARGE) if one in tried) or tried[:1]


def point_at(curve: FaultCurve, multiple: float) -> CurvePoint | None:
    """The curve at a multiple; a fault without degrees is the same at each."""
    if not curve.meta.is_graded:
        return curve.points[0] if curve.points else None
    return next((point for point in curve.points if point.multiple == multiple), None)


def points_of(curve: FaultCurve) -> tuple[CurvePoint, ...]:
    """The points that differ: one alone where there are no degrees."""
    return curve.points if curve.meta.is_graded else curve.points[:1]


def is_found(point: CurvePoint) -> bool:
    """Whether the trials of this size count as found."""
    return point.detected.value >= FOUND_SHARE


def tally(card: Card, multiple: float) -> Tally:
    """How many faults are found at this multiple, and by which baselines."""
    points = [point for curve in planted(card) if (point := point_at(curve, multiple)) is not None]
    return Tally(
        multiple,
        n=len(points),
        n_found=sum(map(is_found, points)),
        n_named=sum(point.top1_rate >= FOUND_SHARE for point in points),
        n_by_baseline={
            name: sum(point.baselines.get(name, 0.0) >= FOUND_SHARE for point in points) for name in card.baselines
        },
    )


def missed(card: Card, multiple: float) -> tuple[FaultCurve, ...]:
    """Faults not found at this multiple, in the order of the card."""
    return tuple(
        curve for curve in planted(card) if (point := point_at(curve, multiple)) is not None and not is_found(point)
    )


def smallest_found(curve: FaultCurve) -> CurvePoint | None:
    """The least size from which on every larger one that was tried is found."""
    least = None
    for point in sorted(points_of(curve), key=lambda point: point.multiple, reverse=True):
        if not is_found(point):
            break
        least = point
    return least


def by_stage(curves: Iterable[FaultCurve]) -> dict[str, Sequence[FaultCurve]]:
    """Curves under their stage; stages in the order of the card."""
    stages: dict[str, list[FaultCurve]] = {}
    for curve in curves:
        stages.setdefault(curve.meta.stage, []).append(curve)
    return dict(stages)
