"""The counting of cells: one pass over Arrow batches, every column by day, slice and request bucket.

Per batch the rows are grouped once (see `recsysops.profiles.tally`); then each column is turned into cell numbers and
tallied, columns side by side in threads, while the next batch is already being read. A count array grows only by the
(day, slice value) pairs that really occur.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsysops.errors import SchemaError
from recsysops.profiles.bin_table import N_SPECIALS, BinTable, Codes
from recsysops.profiles.categories import as_labels, pair_labels
from recsysops.profiles.cell_counts import CellCounts, ColumnCounts
from recsysops.profiles.coded_rows import CodedRows
from recsysops.profiles.column_codes import CategoryCoder, histogram_codes, numbers_of, plain
from recsysops.profiles.edges import EdgeSet
from recsysops.profiles.group_codes import DAY_US, HOUR_US, Grouper, Grouping, SliceCoder, day_of, microseconds
from recsysops.profiles.measures import N_BUCKETS
from recsysops.profiles.request_buckets import buckets_of, request_hashes
from recsysops.profiles.scan_plan import ColumnPlan, ScanPlan
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.profiles.tally import tally, tally_moments

MAX_BATCH_ROWS = 1 << 18


class _ColumnCounter:
    """One measure: its coder and its counts. Used by one thread at a time."""

    def __init__(self, plan: ColumnPlan) -> None:
        self.plan = plan
        self.block = self._empty(0)
        self.hour_block = self._empty(0) if plan.measure.by_hour else None
        self._table = BinTable(plan.edges or EdgeSet(()))
        self._coder = CategoryCoder(plan.categories, plan.default_label) if plan.categories is not None else None

    def _empty(self, n_rows: int) -> npt.NDArray[Any]:
        if self.plan.measure.form == "moments":
            return np.tile(np.array([0.0, 0.0, 0.0, np.inf, -np.inf]), (n_rows, 1))
        return np.zeros((n_rows, self.plan.n_cells), np.int32)

    def _grown(self, block: npt.NDArray[Any], n_rows: int, is_large: bool) -> npt.NDArray[Any]:
        if is_large and block.dtype == np.int32:  # beyond 2**31 rows a cell may overflow
            block = block.astype(np.int64)
        if n_rows <= len(block):
            return block
        more = self._empty(max(n_rows, len(block) * 5 // 4) - len(block))
        return np.concatenate([block, more.astype(block.dtype, copy=False)])

    def add(
        self, batch: pa.RecordBatch, day: Grouping, hour: Grouping | None, room: tuple[int, int], is_large: bool
    ) -> None:
        """Count a batch; ``room`` is how many count rows there are by day and by hour."""
        codes, values = self._codes(batch)
        self.block = self._grown(self.block, room[0], is_large)
        self._tally(codes, values, day, self.block)
        if self.hour_block is not None and hour is not None:
            self.hour_block = self._grown(self.hour_block, room[1], is_large)
            self._tally(codes, values, hour, self.hour_block)

    def _tally(self, codes: Codes, values: npt.NDArray[Any] | None, rows: Grouping, block: npt.NDArray[Any]) -> None:
        if values is not None:
            tally_moments(values, codes, N_SPECIALS, self.plan.shift, rows.order, rows.starts, rows.homes, block)
        else:
            tally(codes, rows.order, rows.starts, rows.targets, block)

    def _codes(self, batch: pa.RecordBatch) -> tuple[Codes, npt.NDArray[Any] | None]:
        """The cell of every row, and for moments the numbers."""
        measure, mask = self.plan.measure, self.plan.mask
        masked = batch.column(mask) if mask else None
        if measure.form == "rows":
            return np.zeros(batch.num_rows, np.uint16), None
        column = batch.column(measure.column)
        if self._coder is not None and measure.form == "frequencies":
            labels = as_labels(column, measure.column)
            if measure.pair:
                labels = pair_labels(labels, as_labels(batch.column(measure.pair), measure.pair))
            return self._coder.codes(labels, masked, measure.column), None
        codes = histogram_codes(column, self._table, self.plan.default_number, masked, measure.column)
        return codes, numbers_of(plain(column), measure.column) if measure.form == "moments" else None


class CellCounter:
    """Counts one partition, batch by batch.

    Example:
        >>> from datetime import date
        >>> from recsysops.profiles.measures import Cells
        >>> plan = ScanPlan((ColumnPlan(Cells("items", "market")),), slices=("market",), day=date(2026, 1, 1))
        >>> counter = CellCounter(plan)
        >>> counter.add(pa.record_batch({"market": ["NO", "NO", "SE"]}))
        >>> counted = counter.result()
        >>> [str(slice_) for slice_ in counted.slices], counted.columns[0].counts().tolist()
        (['all rows', 'market=NO', 'market=SE'], [[[3], [2], [1]]])
    """

    def __init__(
        self,
        plan: ScanPlan,
        pool: ThreadPoolExecutor | None = None,
        watchers: Sequence[Callable[[CodedRows], None]] = (),
    ) -> None:
        self._plan = plan
        self._watchers = watchers
        self._pool = pool
        self._columns = tuple(_ColumnCounter(column) for column in plan.columns)
        self._slices = tuple(SliceCoder(name, plan.slice_values.get(name)) for name in plan.slices)
        clusters = dict.fromkeys(["", *(column.cluster for column in plan.columns)])
        self._by_cluster = {name: Grouper(len(plan.slices), DAY_US, N_BUCKETS, plan.bucket_days) for name in clusters}
        self._days = self._by_cluster[""]  # all of them see the same rows and give the same places
        by_hour = any(column.measure.by_hour for column in plan.columns)
        self._hours = Grouper(len(plan.slices), HOUR_US, 1, None) if by_hour else None
        self._n_rows = 0
        self._n_unplaced = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Count the rows of a batch that has at least the plan's columns.

        Raises:
            SchemaError: if a column is missing or has a type that cannot be counted so.
        """
        for start in range(0, batch.num_rows, MAX_BATCH_ROWS):
            self._add(batch.slice(start, MAX_BATCH_ROWS))

    def _add(self, batch: pa.RecordBatch) -> None:
        plan, n = self._plan, batch.num_rows
        self._refuse_missing(batch)
        times, placeable = self._times(batch)
        ids = batch.column(plan.request_id) if plan.request_id is not None else None
        hashes = request_hashes(ids, n, self._n_rows)
        buckets = buckets_of(hashes)
        values = np.empty((len(self._slices), n), np.uint8)
        for d, coder in enumerate(self._slices):
            values[d] = coder.codes(batch.column(coder.dimension))
        days = {
            name: grouper.group(
                times,
                placeable,
                buckets_of(request_hashes(batch.column(name), n, self._n_rows)) if name else buckets,
                values,
            )
            for name, grouper in self._by_cluster.items()
        }
        hour = self._hours.group(times, placeable, buckets, values) if self._hours is not None else None
        room = (self._days.n_rows, self._hours.n_rows if self._hours is not None else 0)
        self._n_rows += n
        self._n_unplaced += n - int(placeable.sum())
        is_large = self._n_rows >= 1 << 31

        rows = CodedRows(batch, times // DAY_US, placeable, ids, hashes, values) if self._watchers else None

        def work(one: _ColumnCounter | Callable[[CodedRows], None]) -> None:
            if isinstance(one, _ColumnCounter):
                one.add(batch, days[one.plan.cluster], hour, room, is_large)
            elif rows is not None:
                one(rows)

        everything: list[_ColumnCounter | Callable[[CodedRows], None]] = [*self._watchers, *self._columns]
        for _ in self._pool.map(work, everything) if self._pool is not None else map(work, everything):
            pass

    def _refuse_missing(self, batch: pa.RecordBatch) -> None:
        for name in self._plan.reads:
            n_found = len(batch.schema.get_all_field_indices(name))
            if n_found != 1:
                found = f"{n_found} columns of that name" if n_found else "no such column"
                raise SchemaError(name, found=found, expected="one in every file", next_step="fix the export")

    def _times(self, batch: pa.RecordBatch) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        plan = self._plan
        if plan.clock is not None:
            return microseconds(batch.column(plan.clock), plan.clock)
        midnight = (plan.day.toordinal() - day_of(0).toordinal()) * DAY_US if plan.day is not None else 0
        return np.full(batch.num_rows, midnight, np.int64), np.ones(batch.num_rows, np.bool_)

    def result(self) -> CellCounts:
        """What has been counted so far. The counts share memory with the counter: call it once, at the end."""
        numbers = self._days.periods
        by_date = sorted(range(len(numbers)), key=numbers.__getitem__)
        places = self._days.places[by_date]
        occurred = [(0, 0), *(place for place in self._slice_places() if (places[:, place[0], place[1]] >= 0).any())]
        axes = tuple(np.array(axis) for axis in zip(*occurred, strict=True))
        hour_homes = self._hour_homes([numbers[index] for index in by_date], axes)
        n_buckets = np.array([self._days.n_buckets_of(numbers[index]) for index in by_date], np.int64)
        homes = places[:, axes[0], axes[1]]
        return CellCounts(
            tuple(day_of(numbers[index]) for index in by_date),
            tuple(self._slice_of(*place) for place in occurred),
            tuple(
                ColumnCounts(
                    c.plan, c.block, homes, n_buckets, c.hour_block, hour_homes if c.plan.measure.by_hour else None
                )
                for c in self._columns
            ),
            self._n_rows,
            self._n_unplaced,
            tuple(tuple(coder.names) for coder in self._slices),
        )

    def _slice_places(self) -> Iterator[tuple[int, int]]:
        """(axis 1, axis 2) of the groupers' places: dimensions in the plan's order, their values sorted."""
        for d, coder in enumerate(self._slices):
            yield from ((d + 1, code) for code in sorted(range(len(coder.names)), key=coder.names.__getitem__))

    def _slice_of(self, dimension: int, code: int) -> Slice:
        if not dimension:
            return EVERYTHING
        coder = self._slices[dimension - 1]
        return Slice(coder.dimension, coder.names[code])

    def _hour_homes(self, days: list[int], axes: tuple[Any, ...]) -> npt.NDArray[np.int64] | None:
        """(n_days, 24, n_slices)."""
        if self._hours is None:
            return None
        homes = np.full((len(days), 24, len(axes[0])), -1, np.int64)
        for index, hour in enumerate(self._hours.periods):
            homes[days.index(hour // 24), hour % 24] = self._hours.places[index, axes[0], axes[1]]
        return homes


def scan_cells(
    batches: Iterable[pa.RecordBatch],
    plan: ScanPlan,
    n_threads: int | None = None,
    watchers: Sequence[Callable[[CodedRows], None]] = (),
) -> CellCounts:
    """Count a whole partition; the next batch is read while the last one is counted.

    Args:
        batches: rows of the partition, with at least ``plan.reads``; best as `parquet_batches` gives them.
        n_threads: how many columns are counted at a time; all cores by default.
        watchers: called with every batch, one batch after the other, in any thread.

    Raises:
        SchemaError: if a column is missing or has a type that cannot be counted so.
        SourceError: from the batches.
    """
    with ThreadPoolExecutor(n_threads or os.cpu_count() or 1) as pool, ThreadPoolExecutor(1) as reader:
        counter = CellCounter(plan, pool, watchers)
        iterator = iter(batches)
        upcoming = reader.submit(next, iterator, None)
        while (batch := upcoming.result()) is not None:
            upcoming = reader.submit(next, iterator, None)
            counter.add(batch)
        return counter.result()
