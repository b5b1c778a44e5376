"""A detection curve as coordinates: severity on a log axis against the share found, with its band, marks and baselines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from recsysops.drills.scorecard.results import FaultCurve
from recsysops.drills.views import words
from recsysops.drills.views.tally import points_of
from recsysops.reporting.plain import literal

WIDTH, HEIGHT = 340, 194
LEFT, RIGHT, TOP, BOTTOM = 40, 332, 28, 158
LABEL_GAP = 40
"""Labels of the axis closer than this many pixels are left out."""


@dataclass(frozen=True)
class Mark:
    """A vertical line, a dot or a label of the plot."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Trace:
    """A baseline: its name and its line."""

    name: str
    line: str


@dataclass(frozen=True)
class Plot:
    """What a template needs to draw a curve; lines and bands are lists of ``x,y`` as SVG reads them."""

    line: str
    band: str
    dots: tuple[Mark, ...]
    whiskers: tuple[tuple[float, float, float], ...]
    """x, top and bottom of each interval."""
    ticks: tuple[Mark, ...]
    levels: tuple[Mark, ...]
    marks: tuple[Mark, ...]
    """Where the target is, and what theory can see."""
    traces: tuple[Trace, ...]
    axis: str
    """What severity counts."""
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = RIGHT
    top: int = TOP
    bottom: int = BOTTOM


def plot_of(curve: FaultCurve) -> Plot:
    """The plot of a fault; its points must be at least one.

    Points of the same severity (those beyond the most that makes sense) lie on one another.
    """
    points = points_of(curve)
    severities = [point.severity for point in points]
    marked = _marked(curve)
    x_of = _Axis.over([*severities, *(value for value, _ in marked)])
    xs = [x_of(severity) for severity in severities]
    places = list(zip(xs, points, strict=True))
    upper = [(x, _y(point.detected.high)) for x, point in places]
    lower = [(x, _y(point.detected.low)) for x, point in places]
    return Plot(
        line=_path([(x, _y(point.detected.value)) for x, point in places]),
        band=_path([*upper, *reversed(lower)]),
        dots=tuple(
            Mark(
                x,
                _y(point.detected.value),
                f"{words.severity(curve.meta, point.severity)}: {words.share(point.detected)}",
            )
            for x, point in places
        ),
        whiskers=tuple((x, high, low) for (x, high), (_, low) in zip(upper, lower, strict=True)),
        ticks=_ticks(curve, xs),
        levels=tuple(Mark(LEFT, _y(level), f"{100 * level:.0f} %") for level in (0.0, 0.5, 1.0)),
        marks=tuple(Mark(x_of(value), TOP - 7 - 10 * row, text) for row, (value, text) in enumerate(marked)),
        traces=tuple(
            Trace(name, _path([(x, _y(point.baselines.get(name, 0.0))) for x, point in places]))
            for name in points[0].baselines
        ),
        axis=literal(curve.meta.knob, 48),
    )


@dataclass(frozen=True)
class _Axis:
    """A log axis from LEFT to RIGHT with a little air at both ends; one value alone stands in the middle."""

    low: float
    high: float

    @classmethod
    def over(cls, values: Sequence[float]) -> _Axis:
        positive = [value for value in values if value > 0 and math.isfinite(value)] or [1.0]
        return cls(math.log(min(positive)), math.log(max(positive)))

    def __call__(self, value: float) -> float:
        left, right = LEFT + 12, RIGHT - 12
        if self.high - self.low < 1e-9:
            return (left + right) / 2
        place = (math.log(value) - self.low) / (self.high - self.low) if value > 0 else 0.0
        return round(left + (right - left) * min(max(place, 0.0), 1.0), 1)


def _y(share: float) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * min(max(share, 0.0), 1.0), 1)


def _path(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in places)


def _marked(curve: FaultCurve) -> list[tuple[float, str]]:
    """Target and theory, where showing them does not squeeze the curve into a corner; the text below says them anyway."""
    severities = [point.severity for point in points_of(curve) if curve.meta.is_graded]
    both = [(curve.meta.target, "target"), (curve.visible, "theory")]
    return [(value, text) for value, text in both if severities and min(severities) / 8 <= value <= 8 * max(severities)]


def _ticks(curve: FaultCurve, xs: Sequence[float]) -> tuple[Mark, ...]:
    """The severities that were planted, as far as there is room; none where there are no degrees."""
    kept: list[Mark] = []
    for x, point in zip(xs, points_of(curve), strict=True):
        if not kept or x - kept[-1].x >= LABEL_GAP:
            kept.append(Mark(x, BOTTOM, words.amount(curve.meta, point.severity)))
    return tuple(kept) if curve.meta.is_graded else ()
