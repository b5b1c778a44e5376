"""Counters per key, distinct counts and samples of a window, from the rows of its profiles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsysops.engines.keyed import DISTINCT, TAIL
from recsysops.profiles.fold import day_axis, matrix
from recsysops.profiles.history import Floats
from recsysops.profiles.measures import KeyedSample
from recsysops.profiles.slices import Slice
from recsysops.statistics.hyperloglog import estimate_distinct, merge_registers


def rows_of_slice(rows: pa.Table, slice_: Slice) -> pa.Table:
    """The rows of one slice."""
    return rows.filter(pc.and_(pc.equal(rows["dimension"], slice_.dimension), pc.equal(rows["value"], slice_.value)))


def keys_of(tables: Iterable[pa.Table]) -> tuple[str, ...]:
    """Every key that is counted by itself in any of the tables, sorted."""
    found = {key for table in tables for key in pc.unique(table["key"]).to_pylist()}
    return tuple(sorted(key[1:] for key in found if key.startswith("=")))


def fold_keys(rows: pa.Table, numbers: Sequence[int], keys: Sequence[str], n_counters: int) -> Floats:
    """(n_days, n_keys + 1, n_counters); a key outside a day's top is part of that day's tail."""
    rows = rows.filter(pc.not_equal(rows["key"], DISTINCT))
    folded = np.zeros((len(numbers), len(keys) + 1, n_counters))
    if not rows.num_rows:
        return folded
    place = {TAIL: len(keys), **{"=" + key: index for index, key in enumerate(keys)}}
    key_index = np.array([place[key] for key in rows["key"].to_pylist()], np.int64)
    day_index = day_axis(rows, numbers)
    kept = day_index >= 0
    np.add.at(folded, (day_index[kept], key_index[kept]), matrix(rows, "sums", n_counters)[kept])
    return folded


def distinct_by_day(rows: pa.Table, numbers: Sequence[int]) -> Floats:
    """How many different keys each day had, (n_days,); 0 on days without rows."""
    rows = rows.filter(pc.equal(rows["key"], DISTINCT))
    merged: dict[int, npt.NDArray[np.uint8]] = {}
    for day, registers in zip(rows["day"].to_pylist(), rows["registers"].to_pylist(), strict=True):
        found = np.frombuffer(registers, np.uint8)
        merged[day] = merge_registers(merged[day], found) if day in merged else found
    return np.array([float(estimate_distinct(merged[day])) if day in merged else 0.0 for day in numbers])


def bottom_k(rows: pa.Table, measure: KeyedSample) -> tuple[tuple[str, ...], Floats]:
    """The sampled keys, each day those of its ``k`` smallest hashes, and their values (n_keys, n_columns)."""
    if not rows.num_rows:
        return (), np.zeros((0, len(measure.columns)))
    digest = matrix(rows, "counts", 1)[:, 0].view(np.uint64)
    day = rows["day"].to_numpy()
    order = np.lexsort((digest, day))
    rank = np.arange(len(order)) - np.searchsorted(day[order], day[order])
    kept = order[rank < measure.k]
    keys = tuple(rows["key"].combine_chunks().take(pa.array(kept)).to_pylist())
    return keys, matrix(rows, "sums", len(measure.columns))[kept].astype(np.float64)
