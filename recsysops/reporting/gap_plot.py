"""The score gap as a waterfall: from what an item is compared with to the item, a step for each feature."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recsysops.reporting.drawing import Drawing, Shape, bar, known, line, text
from recsysops.reporting.numbers import interval, number
from recsysops.reporting.plain import cut, literal

LEFT, RIGHT, VALUE, END, ROW = 230, 646, 712, 850, 22
N_SHOWN = 12
NOTE = (
    "Each bar begins where the one above it ends; thin lines and brackets are 95 % intervals. A Shapley value says what the model "
    "made of a feature, not that the feature is the cause; features that go together share the credit."
)


@dataclass(frozen=True)
class _Step:
    """From ``start`` to ``end``; ``low`` and ``high`` are where the end may lie, None where that is not known."""

    words: str
    start: float
    end: float
    low: float | None
    high: float | None
    look: str

    @property
    def places(self) -> list[float]:
        """All that has to be seen of it."""
        return [place for place in (self.start, self.end, self.low, self.high) if place is not None]

    @property
    def value(self) -> str:
        """How far it goes."""
        return signed(self.end - self.start)

    @property
    def bounds(self) -> str:
        """The interval of that."""
        if self.low is None or self.high is None:
            return ""
        return interval(self.low - self.start, self.high - self.start)


def signed(value: float) -> str:
    """A change with its sign: ``+0.06``, ``−0.41``."""
    return ("+" if value > 0 else "") + number(value)


def gap_plot(rows: Sequence[Mapping[str, Any]], figures: Mapping[str, Any]) -> Drawing:
    """The waterfall.

    Args:
        rows: of the step ``item.gap``: features with ``phi``, the greatest first.
        figures: of that step: to what they sum, and what the item is compared with.
    """
    reference, steps = literal(figures["reference"]), _steps(rows, figures)
    places = [0.0, *(place for one in steps for place in one.places)]
    low, high = min(places), max(places)
    span = (high - low) or 1.0

    def x_of(value: float) -> float:
        return LEFT + (RIGHT - LEFT) * (value - low) / span

    shapes = [line(x_of(0), ROW - 4, x_of(0), ROW * (len(steps) + 1), "axis")]
    shapes += [text(LEFT - 10, 14, cut(reference, 34), "end", "name"), text(VALUE, 14, "0", "end")]
    for place, one in enumerate(steps, 1):
        shapes += _drawn(one, [x_of(value) for value in one.places], ROW * place, is_last=place == len(steps))
    total, told = steps[-1], ", ".join(f"{one.words} {one.value}" for one in steps[:-1])
    sums = f"The parts sum to {signed(sum(row['phi'] for row in rows))}, the whole is {total.value} {total.bounds}"
    return Drawing(
        "What the model makes of each feature (SHAP, raw score)",
        f"Margin {total.value} {total.bounds} against {reference}: {told}",
        ROW * (len(steps) + 1) + 4,
        tuple(shapes),
        f"{sums} against {reference}. {NOTE}",
    )


def _steps(rows: Sequence[Mapping[str, Any]], figures: Mapping[str, Any]) -> list[_Step]:
    """The greatest features one by one, the others as one, then the whole."""
    n = N_SHOWN if len(rows) > N_SHOWN + 1 else len(rows)
    found, level = [], 0.0
    for row in rows[:n]:
        found.append(_step(literal(row["feature"], 34), level, row["phi"], row, "fell" if row["phi"] < 0 else "rose"))
        level = found[-1].end
    if rest := rows[n:]:
        phi = sum(row["phi"] for row in rest)
        found.append(_step(f"{len(rest)} other features", level, phi, {}, "fell" if phi < 0 else "rose"))
    return [*found, _step("the item", 0.0, figures["total"], figures, "whole")]


def _step(words: str, start: float, phi: float, of: Mapping[str, Any], look: str) -> _Step:
    low, high = known(of.get("low")), known(of.get("high"))
    return _Step(
        words,
        start,
        start + phi,
        None if low is None else start + low,
        None if high is None else start + high,
        look,
    )


def _drawn(one: _Step, xs: Sequence[float], y: float, *, is_last: bool) -> Iterator[Shape]:
    start, end = xs[:2]
    yield text(LEFT - 10, y + 14, one.words, "end", "name" if is_last else "")
    yield bar(start, end, y + 3, ROW - 7, one.look, f"{one.words}: {one.value} {one.bounds}".rstrip())
    if len(xs) == 4:
        yield line(xs[2], y + 10.5, xs[3], y + 10.5, "whisker")
    yield text(VALUE, y + 14, one.value, "end", "value")
    yield text(END, y + 14, one.bounds, "end")
    if not is_last:
        yield line(end, y + ROW - 4, end, y + ROW + 3, "joint")
