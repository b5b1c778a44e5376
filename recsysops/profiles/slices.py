"""A slice: all rows, or the rows in which one dimension has one value."""

from __future__ import annotations

from typing import NamedTuple


class Slice(NamedTuple):
    """``Slice("market", "NO")``; both parts empty means every row.

    Example:
        >>> str(Slice("market", "NO")), str(EVERYTHING)
        ('market=NO', 'all rows')
    """

    dimension: str
    value: str

    def __str__(self) -> str:
        return f"{self.dimension}={self.value}" if self.dimension else "all rows"

    def to_dict(self) -> dict[str, str]:
        """``{dimension: value}``, empty for every row."""
        return {self.dimension: self.value} if self.dimension else {}


EVERYTHING = Slice("", "")
