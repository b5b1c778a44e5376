"""Series over many days, folded file by file: a profile's daily counts are small, so they are kept once read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from recsysops.engines.counted import Counted
from recsysops.profiles.fold import day_axis, matrix, slice_axis
from recsysops.profiles.history import Floats
from recsysops.profiles.measures import Cells, Expression
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.profiles.stored_rows import every_row_of

MAX_DAYS = 126
"""Eighteen weeks: eight to learn what is expected of a weekday, ten to see how far healthy days are from it."""
MOMENTS = ("count", "sum")
EXPRESSION = ("numerator", "denominator", "rows")


@dataclass(frozen=True)
class _FileCounts:
    """Shapes: ``days`` (n_days,), ``values`` (n_days, n_slices, n_cells)."""

    days: tuple[int, ...]
    slices: tuple[Slice, ...]
    values: Floats


def cells_of(counted: Counted) -> tuple[str, ...]:
    """What the last axis of the series means."""
    if isinstance(counted.measure, Expression):
        return EXPRESSION
    is_moments = isinstance(counted.measure, Cells) and counted.measure.form == "moments"
    return MOMENTS if is_moments else counted.cells


def fold_series(paths: Sequence[Path], counted: Counted, days: Sequence[int]) -> tuple[tuple[Slice, ...], Floats]:
    """Add up files in the order given: slices, and values (n_days, n_slices, n_cells) on the days asked for."""
    files = [_of_file(path, counted) for path in paths]
    slices = tuple(sorted({EVERYTHING, *(one for file in files for one in file.slices)}))
    place = {one: index for index, one in enumerate(slices)}
    row = {day: index for index, day in enumerate(days)}
    values = np.zeros((len(days), len(slices), len(cells_of(counted))))
    for file in files:
        columns = [place[one] for one in file.slices]
        for index, day in enumerate(file.days):
            if day in row:
                values[row[day], columns] += file.values[index]
    return slices, values


@lru_cache(maxsize=8192)
def _of_file(path: Path, counted: Counted) -> _FileCounts:
    """The file's own daily counts of one measure; a file's name says what it holds, so this stays true."""
    rows = every_row_of(path, counted.id)
    numbers = tuple(sorted(set(rows["day"].to_pylist())))
    slices, slice_index = slice_axis(rows)
    added = _added(rows, counted)
    values = np.zeros((len(numbers), len(slices), added.shape[1]))
    if rows.num_rows:
        np.add.at(values, (day_axis(rows, numbers), slice_index), added)
    return _FileCounts(numbers, slices, values)


def _added(rows: pa.Table, counted: Counted) -> Floats:
    """What each row adds, (n_rows, n_cells)."""
    if isinstance(counted.measure, Expression):
        return np.concatenate([matrix(rows, "sums", 2).astype(np.float64), matrix(rows, "counts", 1)], axis=1)
    if cells_of(counted) != MOMENTS:
        return matrix(rows, "counts", len(counted.cells)).astype(np.float64)
    count = matrix(rows, "counts", 1)[:, 0].astype(np.float64)
    return np.stack([count, matrix(rows, "sums", 2)[:, 0] + counted.shift * count], axis=1)
