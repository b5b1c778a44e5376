"""Counters per key, distinct counts and samples of a window, from the rows of its profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsysops.engines.keyed import DISTINCT, TAIL
from recsysops.profiles.fold import day_axis, matrix, slice_axis
from recsysops.profiles.history import Floats, Window
from recsysops.profiles.measures import KeyedSample
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.statistics.hyperloglog import estimate_distinct, merge_registers


class KeyFold:
    """Counters of one measure in both windows, ready to be folded slice by slice.

    Args:
        rows: by window, its profile rows (schema ROWS), any days.
        days: by window, days since the epoch, in the order wanted.
        n_counters: counters of every key.
    """

    def __init__(self, rows: Mapping[Window, pa.Table], days: Mapping[Window, Sequence[int]], n_counters: int) -> None:
        rows = {name: table.filter(pc.not_equal(table["key"], DISTINCT)) for name, table in rows.items()}
        together = pa.concat_tables(rows.values())
        slices, slice_index = slice_axis(together)
        order = np.argsort(slice_index, kind="stable")
        self._ends = dict(
            zip(slices, np.searchsorted(slice_index[order], np.arange(len(slices)), "right"), strict=True)
        )
        self._starts = dict(zip(slices, np.searchsorted(slice_index[order], np.arange(len(slices))), strict=True))
        key = together["key"].combine_chunks().dictionary_encode()
        codes = key.dictionary.to_pylist()
        sorted_codes = sorted(codes, key=lambda code: (code == TAIL, code))
        names = [code[1:] for code in sorted_codes if code != TAIL]  # the tail's place is behind them
        self._names = np.array(names, np.object_)
        place = {code: index for index, code in enumerate(sorted_codes)}
        rank = np.array([place[code] for code in codes], np.int64)
        self._key = rank[key.indices.to_numpy()[order]]
        self._sums = matrix(together, "sums", n_counters)[order]
        axes = {name: day_axis(table, days[name]) for name, table in rows.items()}
        self._day = {
            name: np.concatenate([axis if of == name else np.full(len(axis), -1) for of, axis in axes.items()])[order]
            for name in axes
        }
        self._n_days = {name: len(days[name]) for name in axes}

    def of(self, slice_: Slice) -> tuple[tuple[str, ...], dict[Window, Floats]]:
        """The keys counted by themselves in either window, sorted, and by window (n_days, n_keys + 1, n_counters).

        The last of the keys' axis is the tail: a key outside a day's top is part of it.
        """
        chosen = slice(self._starts.get(slice_, 0), self._ends.get(slice_, 0))
        present, at = np.unique(self._key[chosen], return_inverse=True)
        keys = tuple(self._names[present[present < len(self._names)]].tolist())
        folded = {}
        for name, day in self._day.items():
            kept = day[chosen] >= 0
            folded[name] = np.zeros((self._n_days[name], len(keys) + 1, self._sums.shape[1]))
            np.add.at(folded[name], (day[chosen][kept], at[kept]), self._sums[chosen][kept])
        return keys, folded


def distinct_by_day(rows: pa.Table, numbers: Sequence[int]) -> Floats:
    """How many different keys each day had over all rows, (n_days,); 0 on days without rows."""
    rows = rows.filter(pc.and_(pc.equal(rows["key"], DISTINCT), pc.equal(rows["dimension"], EVERYTHING.dimension)))
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
