"""Every curve of a card as lines: one table per stage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from recsysops.drills.scorecard.results import Card, CurvePoint, FaultCurve
from recsysops.drills.views import words
from recsysops.drills.views.tally import by_stage, points_of
from recsysops.reporting.lines import Column, Line, table
from recsysops.reporting.numbers import number, percent
from recsysops.reporting.plain import literal


def curve_lines(card: Card, width: int) -> Iterator[Line]:
    """Fault, size, found with interval, delay, causes named; narrow screens lose the least needed first."""
    for stage, curves in by_stage(curve for curve in card.faults if curve.points).items():
        yield Line("")
        yield Line(f"Stage {literal(stage)}")
        yield from table(_columns([(curve, point) for curve in curves for point in points_of(curve)]), width)


def _columns(rows: Sequence[tuple[FaultCurve, CurvePoint]]) -> tuple[Column, ...]:
    points = [point for _, point in rows]
    return (
        Column("fault", tuple(literal(curve.meta.name, 28) for curve, _ in rows)),
        Column("size", tuple(words.size_of(*row) for row in rows), is_number=True),
        Column("found", tuple(words.share(point.detected) for point in points), is_number=True),
        Column("runs", tuple(number(point.delay_runs) for point in points), drop=3, is_number=True),
        Column("first", tuple(percent(point.top1_rate) for point in points), drop=1, is_number=True),
        Column("in three", tuple(percent(point.top3_rate) for point in points), drop=2, is_number=True),
        Column("overlap", tuple(percent(point.scope_overlap) for point in points), drop=4, is_number=True),
        Column("planted", tuple(words.severity(curve.meta, point.severity) for curve, point in rows), is_last=True),
    )
