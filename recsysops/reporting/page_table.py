"""Tables of a page: columns under a caption, and any rows of a step as plain ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recsysops.reporting.lines import Column
from recsysops.reporting.numbers import NOTHING, number
from recsysops.reporting.plain import literal

N_ROWS = 300
WIDEST = 160
"""Cells of text in one field of a plain table."""


@dataclass(frozen=True)
class PageTable:
    """Columns of equal length, the first of them names the rows. ``is_folded``: opened by whoever wants to see it."""

    caption: str
    columns: tuple[Column, ...]
    is_folded: bool = False

    @property
    def rows(self) -> Iterator[tuple[str, ...]]:
        """One text for each column."""
        return zip(*(column.values for column in self.columns), strict=True)


def plain_table(caption: str, rows: Sequence[Mapping[str, Any]], *, is_folded: bool = False) -> PageTable:
    """Rows as they are: a column for each key, in the order in which the keys come."""
    shown = rows[:N_ROWS]
    if len(rows) > N_ROWS:
        caption += f" (the first {N_ROWS:,} of {len(rows):,} rows)"
    names = dict.fromkeys(name for row in shown for name in row)
    return PageTable(caption, tuple(_column(name, [row.get(name) for row in shown]) for name in names), is_folded)


def _column(name: str, values: Sequence[Any]) -> Column:
    is_number = all(map(_is_number, (value for value in values if value is not None)))
    return Column(literal(str(name).replace("_", " "), 40), tuple(map(field_text, values)), is_number=is_number)


def field_text(value: Any) -> str:
    """A value of any kind in a field."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if _is_number(value):
        return number(value)
    if isinstance(value, Mapping):
        return literal(", ".join(f"{key} {field_text(one)}" for key, one in value.items()), WIDEST) or NOTHING
    if isinstance(value, Sequence) and not isinstance(value, str):
        return literal(", ".join(map(field_text, value)), WIDEST) or NOTHING
    return literal(value, WIDEST)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
