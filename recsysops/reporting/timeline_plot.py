"""An item's days: a strip for each stage, over one time axis with what changed marked on it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from recsysops.reporting.drawing import Drawing, Shape, all_known, bar, dot, known, line, lines, text
from recsysops.reporting.item_stages import Stage, stage_of
from recsysops.reporting.plain import literal

LEFT, RIGHT = 62, 846
TOP, TITLE, STRIP, GAP = 40, 20, 54, 12
N_TICKS = 8
NEAR = 18
"""Marks closer than this many pixels share a label."""
NOTE = "In every strip higher is better for the item. Shaded: the days diagnosed."
OF_CHANGES = " Dashed: recorded changes, by their number in the table of that step."
OF_ONSET = " Solid: when the suspect fact changed."


@dataclass(frozen=True)
class Moment:
    """Something that happened: when, and in words."""

    at: datetime
    words: str


@dataclass(frozen=True)
class _Axis:
    first: datetime
    last: datetime

    def __call__(self, at: datetime) -> float:
        return LEFT + (RIGHT - LEFT) * ((at - self.first) / (self.last - self.first))

    def holds(self, at: datetime) -> bool:
        return self.first <= at <= self.last


def timeline_plot(
    days: Sequence[date],
    rows: Sequence[Mapping[str, Any]],
    start: datetime,
    changes: Mapping[int, Moment],
    onset: Moment | None,
) -> Drawing:
    """Strips of the stages.

    Args:
        days: at least one.
        rows: of the step ``item.path``; ``series`` has a value for each day.
        start: of what is diagnosed.
        changes: by the number that the table gives them.
        onset: of the suspect fact.
    """
    axis = _Axis(_noon(days[0]) - timedelta(hours=12), _noon(days[-1]) + timedelta(hours=12))
    bottom = TOP + len(rows) * (TITLE + STRIP + GAP) - GAP
    shapes = [bar(axis(max(start, axis.first)), RIGHT, TOP, bottom - TOP, "diagnosed")] if axis.holds(start) else []
    marked = {number: one for number, one in changes.items() if axis.holds(one.at)}
    shapes += _marks(marked, axis, bottom)
    note = NOTE + OF_CHANGES * bool(marked)
    if onset is not None and axis.holds(onset.at):
        shapes += _onset(onset, axis(onset.at), bottom)
        note += OF_ONSET
    for number, row in enumerate(rows):
        shapes += _strip(row, days, axis, TOP + number * (TITLE + STRIP + GAP))
    shapes += _ticks(days, axis, bottom)
    return Drawing("Day by day", _alt(days, rows, onset), bottom + 26, tuple(shapes), note)


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def _strip(row: Mapping[str, Any], days: Sequence[date], axis: _Axis, top: float) -> Iterator[Shape]:
    stage, values = stage_of(row["stage"]), [known(value) for value in row["series"]]
    low, high = min([0.0, *all_known(values)]), max([0.0, *all_known(values)])
    high = high if high > low else low + 1.0

    def y_of(value: float) -> float:
        place = (value - low) / (high - low)
        return top + TITLE + STRIP * (place if stage.less_is_better else 1 - place)

    yield text(LEFT, top + 13, literal(row["stage"], 40), look="name")
    yield text(LEFT + 70, top + 13, stage.words)
    for level in (low, high):
        yield line(LEFT, y_of(level), RIGHT, y_of(level), "axis")
        yield text(LEFT - 6, y_of(level) + 4, stage.value(level), "end")
    if low < 0 < high:
        yield line(LEFT, y_of(0), RIGHT, y_of(0), "axis")
    placed = [(axis(_noon(day)), value) for day, value in zip(days, values, strict=False)]
    yield from lines([(x, None if value is None else y_of(value)) for x, value in placed], "main")
    for (x, value), day in zip(placed, days, strict=False):
        if value is not None:
            yield dot(x, y_of(value), 2.5, "dot", f"{day}: {stage.value(value)}")


def _marks(changes: Mapping[int, Moment], axis: _Axis, bottom: float) -> Iterator[Shape]:
    """A line for each change; those too close for labels of their own share one."""
    groups: list[list[int]] = []
    for number in sorted(changes, key=lambda one: changes[one].at):
        x = axis(changes[number].at)
        yield line(x, TOP - 6, x, bottom, "mark", f"{number}: {changes[number].words}")
        if groups and x - axis(changes[groups[-1][0]].at) < NEAR:
            groups[-1].append(number)
        else:
            groups.append([number])
    for group in groups:
        middle = (axis(changes[group[0]].at) + axis(changes[group[-1]].at)) / 2
        yield text(middle, TOP - 10, _numbers(group), "middle", "marked")


def _numbers(group: Sequence[int]) -> str:
    is_run = len(group) > 2 and group[-1] - group[0] == len(group) - 1
    return f"{group[0]}–{group[-1]}" if is_run else ",".join(map(str, group))


def _onset(onset: Moment, x: float, bottom: float) -> Iterator[Shape]:
    is_late = x > (LEFT + RIGHT) / 2
    yield line(x, 4, x, bottom, "onset", onset.words)
    yield text(x + (-6 if is_late else 6), 13, literal(onset.words, 66), "end" if is_late else "start", "out")


def _ticks(days: Sequence[date], axis: _Axis, bottom: float) -> Iterator[Shape]:
    step = math.ceil(len(days) / N_TICKS)
    for day in days[::-step]:
        yield text(axis(_noon(day)), bottom + 18, f"{day:%m-%d}", "middle")


def _alt(days: Sequence[date], rows: Sequence[Mapping[str, Any]], onset: Moment | None) -> str:
    told = [_told(str(row["stage"]), stage_of(row["stage"]), row["series"]) for row in rows]
    since = [literal(onset.words)] if onset is not None else []
    return "; ".join([f"From {days[0]} to {days[-1]}", *told, *since])


def _told(name: str, stage: Stage, series: Sequence[Any]) -> str:
    values = all_known(series)
    if not values:
        return f"{literal(name, 40)}: no values"
    return f"{literal(name, 40)} {stage.value(values[0])} at first, {stage.value(values[-1])} at last"
