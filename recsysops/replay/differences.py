"""What kind of difference there is between a logged feature and its as-of source.

Some kinds can be told from one row: the log has no value, or one where the source has none, or the declared default. The
others explain many rows at once, and several may fit the same row by chance (a small count equals last week's soon). So the
explanation that covers most of what is left is taken first, then the next, until nothing covers a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from recsysops.replay.explanations import (
    Explanation,
    Mismatch,
    filled,
    of_another_key,
    offset,
    older,
    ratio,
    rounded,
    swapped,
)
from recsysops.replay.values import Flags, Floats, Tolerance, is_same

CLASSES = (
    "same",
    "missing",
    "unexpected_value",
    "defaulted",
    "stale",
    "scaled",
    "swapped",
    "wrong_key",
    "precision",
    "unexplained",
)
"""``missing``: the source has a value, the log none. ``unexpected_value``: the reverse."""
SAME, MISSING, UNEXPECTED, DEFAULTED = range(4)
_CODE = {name: code for code, name in enumerate(CLASSES)}
_EXPLAINED: tuple[Callable[[Mismatch, Flags], Explanation | None], ...] = (
    filled,
    ratio,
    offset,
    swapped,
    older,
    of_another_key,
    rounded,
)
"""In the order of preference where two cover as many rows."""


@dataclass(frozen=True)
class ColumnDifferences:
    """A logged column beside its source."""

    column: str
    source: str
    classes: np.ndarray[tuple[int], np.dtype[np.int8]]
    """(n_rows,): places in ``CLASSES``."""
    details: Mapping[str, float | str] = field(default_factory=dict)
    """``ratio``, ``offset``, ``default``, ``swapped_with``, ``lag_seconds``, ``lag_versions``, where they were found."""

    @property
    def counts(self) -> dict[str, int]:
        """Rows by class, those that occur."""
        found = np.bincount(self.classes, minlength=len(CLASSES))
        return {name: int(n) for name, n in zip(CLASSES, found, strict=True) if n}

    @property
    def mismatch_rate(self) -> float:
        """Share of rows that are not the same, in [0, 1]; NaN without rows."""
        return float(np.mean(self.classes != SAME)) if len(self.classes) else float("nan")

    @property
    def main_class(self) -> str:
        """The most frequent class of difference, ``same`` when there is none."""
        counts = {name: n for name, n in self.counts.items() if name != "same"}
        return max(counts, key=lambda name: counts[name]) if counts else "same"


def differences(pairs: Sequence[Mismatch]) -> tuple[ColumnDifferences, ...]:
    """Tell the differences of every column, (n_rows,) each."""
    return tuple(_of_column(pair) for pair in pairs)


def _of_column(pair: Mismatch) -> ColumnDifferences:
    classes, left = _of_single_rows(pair)
    details: dict[str, float | str] = {}
    while left.any():
        found = [one for explain in _EXPLAINED if (one := explain(pair, left)) is not None and one.covers.any()]
        if not found:
            break
        best = max(found, key=lambda one: int(one.covers.sum()))  # of equals the first, which is the one preferred
        classes[best.covers] = _CODE[best.kind]
        details |= {name: value for name, value in best.details.items() if name not in details}
        left = left & ~best.covers
    classes[left] = _CODE["unexplained"]
    return ColumnDifferences(pair.column, pair.source_name, classes, details)


def _of_single_rows(pair: Mismatch) -> tuple[np.ndarray[tuple[int], np.dtype[np.int8]], Flags]:
    """Classes that a row shows by itself, and the rows that are left to explain."""
    logged, source = pair.logged, pair.source
    classes = np.zeros(len(logged), np.int8)
    differs = ~is_same(logged, source, pair.tolerance)
    has_none, had_none = np.isnan(logged), np.isnan(source)
    is_default = _equals(logged, pair.default, pair.tolerance) if pair.is_defaulted is None else pair.is_defaulted
    another = np.zeros(len(logged), bool) if pair.is_of_another is None else pair.is_of_another
    classes[differs & has_none] = MISSING
    classes[differs & had_none] = UNEXPECTED
    classes[differs & had_none & is_default] = SAME  # nothing there, and filled in as declared
    classes[differs & ~had_none & is_default] = DEFAULTED
    # a row that is another's as a whole may well have a value where its own has none
    return classes, differs & ~is_default & (another | ~(has_none | had_none))


def _equals(values: Floats, one: float | None, tolerance: Tolerance) -> Flags:
    return np.zeros(len(values), bool) if one is None else is_same(values, np.full(len(values), one), tolerance)
