"""A daily series with its band as coordinates: days from left to right, values on a linear axis."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from recsysops.looking.show import Point

WIDTH, HEIGHT = 460, 200
LEFT, RIGHT, TOP, BOTTOM = 62, 448, 12, 168
N_TICKS = 6


@dataclass(frozen=True)
class Mark:
    """A dot, a tick or a level."""

    x: float
    y: float
    text: str
    is_outside: bool = False


@dataclass(frozen=True)
class SeriesPlot:
    """What a template needs; lines and bands are lists of ``x,y``, one for each unbroken run of days."""

    name: str
    alt: str
    is_outside: bool
    lines: tuple[str, ...]
    middles: tuple[str, ...]
    bands: tuple[str, ...]
    dots: tuple[Mark, ...]
    ticks: tuple[Mark, ...]
    levels: tuple[Mark, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = RIGHT
    bottom: int = BOTTOM


def series_plot(name: str, points: Sequence[Point], words: Callable[[float], str]) -> SeriesPlot:
    """The plot of one slice.

    Args:
        name: of the slice.
        points: at least one.
        words: a value in its unit, for the axis and for those who hear the page.
    """
    low, high = _limits([limit for one in points for limit in (one.value, one.low, one.high)])

    def y_of(value: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * (value - low) / (high - low), 1)

    step = (RIGHT - LEFT - 16) / max(1, len(points) - 1)
    xs = [round(LEFT + 8 + step * number, 1) for number in range(len(points))]
    placed = list(zip(xs, points, strict=True))
    banded = _runs([(x, one) for x, one in placed], lambda one: one.low == one.low)
    last = points[-1]
    return SeriesPlot(
        name=name,
        alt=_alt(name, points, words),
        is_outside=last.is_outside,
        lines=_lines(placed, lambda one: one.value, y_of),
        middles=_lines(placed, lambda one: one.expected, y_of),
        bands=tuple(
            _path([(x, y_of(one.high)) for x, one in run] + [(x, y_of(one.low)) for x, one in reversed(run)])
            for run in banded
        ),
        dots=tuple(
            Mark(x, y_of(one.value), f"{one.day}: {words(one.value)}", one.is_outside)
            for x, one in placed
            if math.isfinite(one.value)
        ),
        ticks=tuple(Mark(x, BOTTOM, f"{one.day:%m-%d}") for x, one in _thinned(placed)),
        levels=tuple(Mark(LEFT, y_of(value), words(value)) for value in (low, (low + high) / 2, high)),
    )


def _limits(values: Sequence[float]) -> tuple[float, float]:
    """Least and greatest with a little air; 0 stays the floor of what is never negative."""
    finite = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(finite), max(finite)
    air = 0.06 * (high - low) or 0.5 * abs(high) or 1.0
    return (0.0 if 0 <= low <= 0.5 * high or low == high == 0 else low - air), high + air


_Placed = tuple[float, Point]


def _runs(placed: Sequence[_Placed], is_there: Callable[[Point], bool]) -> list[list[_Placed]]:
    runs: list[list[_Placed]] = [[]]
    for x, one in placed:
        if is_there(one):
            runs[-1].append((x, one))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _lines(
    placed: Sequence[_Placed], value: Callable[[Point], float], y_of: Callable[[float], float]
) -> tuple[str, ...]:
    runs = _runs(placed, lambda one: math.isfinite(value(one)))
    return tuple(_path([(x, y_of(value(one))) for x, one in run]) for run in runs)


def _path(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in places)


def _thinned(placed: Sequence[_Placed]) -> Sequence[_Placed]:
    step = max(1, math.ceil(len(placed) / N_TICKS))
    return placed[::-step][::-1]


def _alt(name: str, points: Sequence[Point], words: Callable[[float], str]) -> str:
    known = [one for one in points if math.isfinite(one.value)]
    if not known:
        return f"{name}: no values"
    n_outside = sum(one.is_outside for one in known)
    return (
        f"{name}: {words(known[0].value)} on {known[0].day}, {words(known[-1].value)} on {known[-1].day}; "
        f"{n_outside} of {len(known)} days outside the band"
    )
