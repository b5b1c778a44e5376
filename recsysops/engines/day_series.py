"""Series over many days: what each profile adds to a day, kept once read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from recsysops.engines.counted import Counted
from recsysops.profiles.fold import day_axis, matrix, slice_axis
from recsysops.profiles.history import Floats
from recsysops.profiles.measures import Cells, Expression
from recsysops.profiles.slices import Slice
from recsysops.profiles.stored_rows import every_row_of
from recsysops.profiles.stored_series import SERIES, series_rows

MAX_DAYS = 126
"""Eighteen weeks: eight to learn what is expected of a weekday, ten to see how far healthy days are from it."""
MOMENTS = ("count", "sum")
EXPRESSION = ("numerator", "denominator", "rows")


def cells_of(counted: Counted) -> tuple[str, ...]:
    """What the last axis of the series means."""
    if isinstance(counted.measure, Expression):
        return EXPRESSION
    is_moments = isinstance(counted.measure, Cells) and counted.measure.form == "moments"
    return MOMENTS if is_moments else counted.cells


def fold_series(paths: Sequence[Path], counted: Counted, days: Sequence[int]) -> tuple[tuple[Slice, ...], Floats]:
    """Add up profiles in the order given: slices, and values (n_days, n_slices, n_cells) on the days asked for."""
    rows = series_rows(paths, counted.id, lambda path: _of_file(path, counted))
    slices, slice_index = slice_axis(rows)
    day_index = day_axis(rows, days)
    kept = day_index >= 0
    values = np.zeros((len(days), len(slices), len(cells_of(counted))))
    np.add.at(values, (day_index[kept], slice_index[kept]), matrix(rows, "counts", values.shape[2])[kept])
    return slices, values


def _of_file(path: Path, counted: Counted) -> pa.Table:
    """The profile's own daily counts of one measure (schema SERIES), its hours added up."""
    rows = every_row_of(path, counted.id)
    numbers = tuple(sorted(set(rows["day"].to_pylist())))
    slices, slice_index = slice_axis(rows)
    added = _added(rows, counted)
    values = np.zeros((len(numbers), len(slices), added.shape[1]))
    present = np.zeros(values.shape[:2], bool)
    if rows.num_rows:
        at = (day_axis(rows, numbers), slice_index)
        np.add.at(values, at, added)
        present[at] = True
    found = [(int(day), slices[index]) for day, index in np.argwhere(present)]
    return pa.table(
        {
            "profile": [path.stem] * len(found),
            "day": [numbers[day] for day, _ in found],
            "dimension": [one.dimension for _, one in found],
            "value": [one.value for _, one in found],
            "counts": list(values[present]),
        },
        SERIES,
    )


def _added(rows: pa.Table, counted: Counted) -> Floats:
    """What each row adds, (n_rows, n_cells)."""
    if isinstance(counted.measure, Expression):
        return np.concatenate([matrix(rows, "sums", 2).astype(np.float64), matrix(rows, "counts", 1)], axis=1)
    if cells_of(counted) != MOMENTS:
        return matrix(rows, "counts", len(counted.cells)).astype(np.float64)
    count = matrix(rows, "counts", 1)[:, 0].astype(np.float64)
    return np.stack([count, matrix(rows, "sums", 2)[:, 0] + counted.shift * count], axis=1)
