"""A screen as plain lines; colour is added on the way out and only repeats what the words say."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from recsysops.reporting.plain import cells, cut

NARROW = "\u00a0"
"""Between a number and its unit: such a pair is never wrapped apart; printed as an ordinary space."""
_BEFORE_UNIT = re.compile(r"(?<=\d) (?=%)")
Style = Literal["", "bold", "dim", "red", "yellow", "green", "cyan"]


@dataclass(frozen=True)
class Line:
    """One line of a screen. ``style`` applies to the first ``styled`` characters, or to all when that is 0."""

    text: str
    style: Style = ""
    styled: int = 0


def wrapped(text: str, width: int, *, indent: int = 0, style: Style = "") -> Iterator[Line]:
    """Prose on lines of at most ``width`` cells; continuation lines are indented by two more."""
    room = max(width - indent - 2, 20)
    text = _BEFORE_UNIT.sub(NARROW, text)
    if cells(text) <= width - indent:
        yield Line(" " * indent + text, style)
        return
    for number, line in enumerate(textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)):
        yield Line(" " * (indent + 2 * bool(number)) + line, style)


def next_lines(commands: Iterable[str]) -> Iterator[Line]:
    """The last lines of a screen: commands that can be pasted, never wrapped."""
    for number, command in enumerate(commands):
        yield Line(("       " if number else "next   ") + command, "dim" if number else "")


@dataclass(frozen=True)
class Column:
    """A column of a table. Those with the highest ``drop`` leave first when the screen is narrow; 0 never leaves."""

    title: str
    values: tuple[str, ...]
    drop: int = 0
    is_number: bool = False
    is_last: bool = False
    """Takes what room is left, and is cut at its end rather than dropped."""


def table(columns: Iterable[Column], width: int, *, indent: int = 2) -> Iterator[Line]:
    """Rows under a heading, in at most ``width`` cells; numbers are never wrapped nor cut."""
    kept = _fitting(list(columns), width - indent)
    n_rows = max((len(column.values) for column in kept), default=0)
    yield Line(_row([column.title for column in kept], kept, width, indent), "dim")
    for row in range(n_rows):
        yield Line(_row([column.values[row] for column in kept], kept, width, indent))


def _row(words: list[str], columns: list[Column], width: int, indent: int) -> str:
    parts = [
        word if column.is_last else _padded(word, _width(column), is_right=column.is_number)
        for word, column in zip(words, columns, strict=True)
    ]
    return cut((" " * indent + "  ".join(parts)).rstrip(), width)


def _padded(word: str, width: int, *, is_right: bool) -> str:
    gap = " " * max(width - cells(word), 0)
    return gap + word if is_right else word + gap


def _width(column: Column) -> int:
    return max(map(cells, (column.title, *column.values)))


def _fitting(columns: list[Column], width: int) -> list[Column]:
    while len(columns) > 1 and _total(columns) > width and any(column.drop for column in columns):
        columns.remove(max(columns, key=lambda column: column.drop))
    return columns


def _total(columns: list[Column]) -> int:
    least = sum(min(_width(column), 16) if column.is_last else _width(column) for column in columns)
    return least + 2 * (len(columns) - 1)
