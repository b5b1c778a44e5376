"""A drawing of a page: shapes with coordinates, painted in their order; a template writes them as SVG and escapes their words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

WIDTH = 860
"""Of every drawing of a page, so that they stand under one another."""


@dataclass(frozen=True)
class Shape:
    """An element of SVG. ``words`` are what a text says; of any other shape they are the hint under the pointer."""

    tag: Literal["rect", "line", "polyline", "circle", "text"]
    at: dict[str, float | str]
    look: str = ""
    """Its class in the style sheet."""
    words: str = ""


@dataclass(frozen=True)
class Drawing:
    """Shapes under a caption, what they show for those who hear the page, and how to read them."""

    caption: str
    alt: str
    height: float
    shapes: tuple[Shape, ...]
    note: str = ""
    width: int = field(default=WIDTH, kw_only=True)


def bar(start: float, end: float, y: float, height: float, look: str, words: str = "") -> Shape:
    """A bar from left to right between two places, whichever comes first; never too thin to be seen."""
    width = max(abs(end - start), 1.0)
    place = {"x": _at(min(start, end)), "y": _at(y), "width": _at(width), "height": _at(height)}
    return Shape("rect", {**place}, look, words)


def line(x1: float, y1: float, x2: float, y2: float, look: str, words: str = "") -> Shape:
    """A straight line."""
    return Shape("line", {"x1": _at(x1), "y1": _at(y1), "x2": _at(x2), "y2": _at(y2)}, look, words)


def dot(x: float, y: float, radius: float, look: str, words: str = "") -> Shape:
    """A filled circle."""
    return Shape("circle", {"cx": _at(x), "cy": _at(y), "r": radius}, look, words)


def text(x: float, y: float, words: str, anchor: Literal["start", "middle", "end"] = "start", look: str = "") -> Shape:
    """Words on one line; ``anchor`` is the part of them that stands at ``x``."""
    return Shape("text", {"x": _at(x), "y": _at(y), "text-anchor": anchor}, look, words)


def lines(places: Sequence[tuple[float, float | None]], look: str) -> Iterator[Shape]:
    """A polyline for each unbroken run of places that have a height."""
    run: list[str] = []
    for x, y in (*places, (0.0, None)):
        if y is not None:
            run.append(f"{_at(x):g},{_at(y):g}")
        elif run:
            yield Shape("polyline", {"points": " ".join(run)}, look)
            run = []


def known(value: Any) -> float | None:
    """A finite number, or None: what is not there is not drawn."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None


def all_known(values: Iterable[Any]) -> list[float]:
    """The finite numbers among the values."""
    return [number for value in values if (number := known(value)) is not None]


def _at(place: float) -> float:
    return round(place, 1)
