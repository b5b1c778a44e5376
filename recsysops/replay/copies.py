"""Which logged features are plain copies of their source, found from what they did and not from what the lineage says.

A lineage names where a feature comes from; it does not say whether the value is taken as it is (``item_features.price``) or
made into something else (a price gap, days since launch). Only copies can be compared value by value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.replay.values import NUMBERS, Floats, Tolerance, is_same

LEAST_MATCH = 0.99
LEAST_ROWS = 30


@dataclass(frozen=True)
class CopyRate:
    """How often a logged feature was what its source had."""

    column: str
    source: str
    n_rows: int
    """Rows in which log or source had a value."""
    match_rate: float
    """Typical over the groups (days), in [0, 1]; NaN where nothing could be compared."""

    @property
    def is_copy(self) -> bool:
        """Whether it is taken as it is: in typical days, nearly every row, on at least 30 rows."""
        return self.n_rows >= LEAST_ROWS and self.match_rate >= LEAST_MATCH


def copy_rate(
    column: str,
    source_name: str,
    logged: Floats,
    source: Floats,
    group: npt.NDArray[np.int64] | None = None,
    tolerance: Tolerance = NUMBERS,
) -> CopyRate:
    """Measure one feature.

    Args:
        logged, source: (n_rows,) comparable numbers, NaN where missing.
        group: (n_rows,) number of each row's day: the median over days is judged, so a fault of some days does not turn a
            copy into something else. One group when None.
    """
    is_there = ~(np.isnan(logged) & np.isnan(source))
    if not is_there.any():
        return CopyRate(column, source_name, 0, float("nan"))
    groups = np.zeros(len(logged), np.int64) if group is None else group
    matches, which = is_same(logged, source, tolerance)[is_there], groups[is_there]
    n = np.bincount(which)
    rates = np.bincount(which, matches)[n > 0] / n[n > 0]
    return CopyRate(column, source_name, int(is_there.sum()), float(np.median(rates)))
