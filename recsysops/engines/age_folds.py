"""Outcomes by request day and age, from the rows of a window's profiles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsysops.engines.cohort import UNMATCHED
from recsysops.profiles.fold import day_axis, fold_cells, matrix, slice_axis
from recsysops.profiles.history import Counts
from recsysops.profiles.slices import Slice


def ages_of(tables: Iterable[pa.Table]) -> tuple[int, ...]:
    """Every age that is counted in any of the tables, ascending."""
    found = {key for table in tables for key in pc.unique(table["key"]).to_pylist()}
    return tuple(sorted(int(key) for key in found if key != UNMATCHED))


def fold_ages(rows: pa.Table, numbers: Sequence[int], slices: Sequence[Slice], ages: Sequence[int]) -> Counts:
    """Outcomes that found their request, (n_days, n_slices, n_ages)."""
    rows = rows.filter(pc.not_equal(rows["key"], UNMATCHED))
    names, slice_index = slice_axis(rows)
    place = np.array([slices.index(name) for name in names], np.int64)
    age_index = np.searchsorted(np.asarray(ages, np.int64), rows["key"].cast(pa.int64()).to_numpy())
    day_index = day_axis(rows, numbers)
    folded = np.zeros((len(numbers), len(slices), len(ages)), np.int64)
    if rows.num_rows:
        kept = day_index >= 0
        np.add.at(
            folded, (day_index[kept], place[slice_index][kept], age_index[kept]), matrix(rows, "counts", 1)[kept, 0]
        )
    return folded


def fold_unmatched(rows: pa.Table, numbers: Sequence[int]) -> Counts:
    """Outcomes that did not find it, (n_days,)."""
    rows = rows.filter(pc.equal(rows["key"], UNMATCHED))
    return fold_cells(rows, numbers, 1).counts[:, 0, 0] if rows.num_rows else np.zeros(len(numbers), np.int64)
