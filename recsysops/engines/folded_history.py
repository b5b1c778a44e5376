"""The history a detector judges, folded on demand from stored profiles of the two windows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsysops.engines.clusters import fold_clusters
from recsysops.engines.cohort import UNMATCHED
from recsysops.engines.counted import Counted
from recsysops.engines.day_series import cells_of, fold_series
from recsysops.engines.keyed import DISTINCT, TAIL
from recsysops.profiles.fold import BucketFold, day_axis, fold_cells, fold_hours, fold_moments, matrix, slice_axis
from recsysops.profiles.history import (
    CellContrast,
    ClusterContrast,
    CohortContrast,
    Context,
    Counts,
    DaySeries,
    Floats,
    KeyedContrast,
    MomentContrast,
    PartitionFacts,
    SampleContrast,
    Window,
)
from recsysops.profiles.measures import (
    Cells,
    Clusters,
    Cohort,
    Expression,
    Facts,
    Keyed,
    KeyedSample,
    Measure,
    PerRequest,
)
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.profiles.store import StoredProfile
from recsysops.profiles.stored_rows import buckets_of, rows_of
from recsysops.statistics.hyperloglog import estimate_distinct, merge_registers

EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class WindowProfiles:
    """One window: its days, by table (a snapshot table has only the days it was taken), and the profiles to fold."""

    days: Mapping[str, tuple[date, ...]]
    profiles: Mapping[str, tuple[StoredProfile, ...]]
    counted: Mapping[Measure, Counted]
    facts: Mapping[str, tuple[PartitionFacts, ...]]

    def numbers(self, table: str) -> list[int]:
        """The window's days as days since the epoch."""
        return [(day - EPOCH).days for day in self.days.get(table, ())]

    def rows(self, measure: Measure) -> pa.Table:
        """Collapsed rows of one measure over the window."""
        paths = [one.path for one in self.profiles.get(measure.table, ())]
        return rows_of(paths, self.counted[measure].id, self.numbers(measure.table))

    def buckets(self, measure: Measure) -> pa.Table:
        """Bucketed rows of one measure over the profiles that still have them."""
        return buckets_of(self._with_buckets.get(measure.table, ()), self.counted[measure].id)

    @cached_property
    def _with_buckets(self) -> dict[str, list[Path]]:
        return {
            table: [one.buckets_path for one in profiles if one.buckets_path.exists()]
            for table, profiles in self.profiles.items()
        }


class FoldedHistory:
    """`History` over two windows; both must have been counted with the same edge sets.

    ``past`` gives the consecutive days up to the judged one that series are made of; cohorts have none.
    """

    def __init__(
        self,
        context: Context,
        reference: WindowProfiles,
        current: WindowProfiles,
        past: Callable[[], WindowProfiles] | None = None,
    ) -> None:
        self._context = context
        self._load_past = past
        self._windows: Mapping[Window, WindowProfiles] = {"reference": reference, "current": current}
        self._contrasts: dict[Cells | PerRequest, CellContrast | None] = {}
        self._bucket_fold = _bucket_folds(self._windows)

    @property
    def context(self) -> Context:
        """The frozen facts around the counts."""
        return self._context

    def cells(self, measure: Cells | PerRequest) -> CellContrast | None:
        """Counts by slice and cell, or None when nothing was counted for this measure. Folded once for all who ask."""
        if measure not in self._contrasts:
            self._contrasts[measure] = self._cells(measure) if self._is_counted(measure) else None
        return self._contrasts[measure]

    def _cells(self, measure: Cells | PerRequest) -> CellContrast:
        """What is loaded later must not refer to this history, which keeps the contrast: it is large and dies at once."""
        windows, bucket_fold = self._windows, self._bucket_fold
        counted = windows["current"].counted[measure]
        n_cells = len(counted.cells)
        folded = {
            name: fold_cells(side.rows(measure), side.numbers(measure.table), n_cells) for name, side in windows.items()
        }
        slices = tuple(sorted({*folded["reference"].slices, *folded["current"].slices}))
        hourly = None
        if isinstance(measure, Cells) and measure.by_hour:
            hourly = lambda window: _hours(windows[window], measure, slices, n_cells)  # noqa: E731
        return CellContrast(
            slices=slices,
            cells=counted.cells,
            reference_days=self._days("reference", measure.table),
            current_days=self._days("current", measure.table),
            reference=_on_slices(folded["reference"].counts, folded["reference"].slices, slices),
            current=_on_slices(folded["current"].counts, folded["current"].slices, slices),
            load_buckets=lambda window, index: bucket_fold(measure, window).of(slices[index]),
            edges=counted.edge_array,
            hourly=hourly,
        )

    def moments(self, measure: Cells) -> MomentContrast | None:
        """Moments by slice, or None when nothing was counted for this measure.

        Raises:
            ValueError: if the measure is not of moments.
        """
        if measure.form != "moments":
            raise ValueError(f"moments: found a measure of {measure.form}, expected moments")
        if not self._is_counted(measure):
            return None
        rows = {name: side.rows(measure) for name, side in self._windows.items()}
        slices = tuple(sorted({EVERYTHING, *(one for table in rows.values() for one in slice_axis(table)[0])}))
        shift = self._windows["current"].counted[measure].shift
        folded = {
            name: fold_moments(rows[name], side.numbers(measure.table), slices, shift)
            for name, side in self._windows.items()
        }
        days = (self._days("reference", measure.table), self._days("current", measure.table))
        return MomentContrast(slices, *days, folded["reference"], folded["current"])

    def series(self, measure: Cells | PerRequest | Expression) -> DaySeries | None:
        """The measure on every day of the past and the judged one; None without a past (cohorts) or counts."""
        if self._past is None or not self._is_counted(measure) or measure not in self._past.counted:
            return None
        counted = self._past.counted[measure]
        paths = [one.path for one in self._past.profiles.get(measure.table, ()) if counted.id in one.measure_ids]
        days = self._past.days.get(measure.table, ())
        slices, values = fold_series(paths, counted, self._past.numbers(measure.table))
        return DaySeries(slices, cells_of(counted), days, values)

    @cached_property
    def _past(self) -> WindowProfiles | None:
        return self._load_past() if self._load_past is not None else None

    def clusters(self, measure: Clusters) -> ClusterContrast | None:
        """Clusters by category and bucket."""
        if not self._is_counted(measure):
            return None
        return fold_clusters(
            {name: side.rows(measure) for name, side in self._windows.items()},
            {name: side.numbers(measure.table) for name, side in self._windows.items()},
            {name: self._days(name, measure.table) for name in self._windows},
        )

    def keyed(self, measure: Keyed, slice_: Slice = EVERYTHING) -> KeyedContrast | None:
        """Counters per key within one slice."""
        if not self._is_counted(measure):
            return None
        rows = {name: _of_slice(side.rows(measure), slice_) for name, side in self._windows.items()}
        keys = tuple(
            sorted(
                {
                    key[1:]
                    for table in rows.values()
                    for key in pc.unique(table["key"]).to_pylist()
                    if key.startswith("=")
                }
            )
        )
        n_counters = len(measure.totals)
        folded = {
            name: _fold_keys(rows[name], self._windows[name].numbers(measure.table), keys, n_counters) for name in rows
        }
        distinct = {name: self._distinct(rows[name], name, measure, slice_) for name in rows}
        return KeyedContrast(
            keys=keys,
            counters=measure.totals,
            reference_days=self._days("reference", measure.table),
            current_days=self._days("current", measure.table),
            reference=folded["reference"],
            current=folded["current"],
            distinct_reference=distinct["reference"],
            distinct_current=distinct["current"],
        )

    def cohort(self, measure: Cohort) -> CohortContrast | None:
        """Outcomes by request day and age."""
        if not self._is_counted(measure):
            return None
        rows = {name: side.rows(measure) for name, side in self._windows.items()}
        ages = tuple(
            sorted(
                {int(key) for table in rows.values() for key in pc.unique(table["key"]).to_pylist() if key != UNMATCHED}
            )
        )
        slices = tuple(sorted({EVERYTHING, *(one for table in rows.values() for one in slice_axis(table)[0])}))
        folded = {name: self._fold_ages(rows[name], name, measure.table, slices, ages) for name in rows}
        unmatched = {name: self._fold_unmatched(rows[name], name, measure.table) for name in rows}
        return CohortContrast(
            slices=slices,
            ages=ages,
            reference_days=self._days("reference", measure.table),
            current_days=self._days("current", measure.table),
            reference=folded["reference"],
            current=folded["current"],
            unmatched_reference=unmatched["reference"],
            unmatched_current=unmatched["current"],
        )

    def sample(self, measure: KeyedSample) -> SampleContrast | None:
        """Values of the sampled requests; each day keeps its ``k`` smallest hashes over all partitions."""
        if not self._is_counted(measure):
            return None
        reference = _bottom_k(self._windows["reference"].rows(measure), measure)
        current = _bottom_k(self._windows["current"].rows(measure), measure)
        return SampleContrast(measure.columns, reference[0], current[0], reference[1], current[1])

    def facts(self, measure: Facts) -> tuple[PartitionFacts, ...] | None:
        """Every live partition of the table, both windows and before."""
        return self._windows["current"].facts.get(measure.table)

    def _is_counted(self, measure: Measure) -> bool:
        """Whether there is something to judge: a snapshot table that was not taken today has nothing new to say."""
        counted = all(measure in side.counted for side in self._windows.values())
        return counted and bool(self._days("current", measure.table))

    def _days(self, window: Window, table: str) -> tuple[date, ...]:
        return self._windows[window].days.get(table, ())

    def _distinct(self, rows: pa.Table, window: Window, measure: Keyed, slice_: Slice) -> Floats:
        numbers = self._windows[window].numbers(measure.table)
        return _distinct(rows, numbers) if slice_ == EVERYTHING else np.full(len(numbers), np.nan)

    def _fold_ages(
        self, rows: pa.Table, window: Window, table: str, slices: Sequence[Slice], ages: Sequence[int]
    ) -> Counts:
        numbers = self._windows[window].numbers(table)
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

    def _fold_unmatched(self, rows: pa.Table, window: Window, table: str) -> Counts:
        numbers = self._windows[window].numbers(table)
        rows = rows.filter(pc.equal(rows["key"], UNMATCHED))
        return fold_cells(rows, numbers, 1).counts[:, 0, 0] if rows.num_rows else np.zeros(len(numbers), np.int64)


def _bucket_folds(
    windows: Mapping[Window, WindowProfiles],
) -> Callable[[Cells | PerRequest, Window], BucketFold]:
    """Reads buckets when asked for; a measure's slices are asked for in turn, so the last few are kept."""

    @lru_cache(maxsize=4)
    def bucket_fold(measure: Cells | PerRequest, window: Window) -> BucketFold:
        side = windows[window]
        return BucketFold(side.buckets(measure), side.numbers(measure.table), len(side.counted[measure].cells))

    return bucket_fold


def _hours(side: WindowProfiles, measure: Measure, slices: Sequence[Slice], n_cells: int) -> Counts:
    return fold_hours(side.rows(measure), side.numbers(measure.table), slices, n_cells)


def _on_slices(counts: Counts, present: Sequence[Slice], wanted: Sequence[Slice]) -> Counts:
    spread = np.zeros((counts.shape[0], len(wanted), counts.shape[2]), np.int64)
    spread[:, [wanted.index(one) for one in present], :] = counts
    spread.flags.writeable = False  # every detector that asks is given the same counts
    return spread


def _of_slice(rows: pa.Table, slice_: Slice) -> pa.Table:
    return rows.filter(pc.and_(pc.equal(rows["dimension"], slice_.dimension), pc.equal(rows["value"], slice_.value)))


def _fold_keys(rows: pa.Table, numbers: Sequence[int], keys: Sequence[str], n_counters: int) -> Floats:
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


def _distinct(rows: pa.Table, numbers: Sequence[int]) -> Floats:
    rows = rows.filter(pc.equal(rows["key"], DISTINCT))
    merged: dict[int, npt.NDArray[np.uint8]] = {}
    for day, registers in zip(rows["day"].to_pylist(), rows["registers"].to_pylist(), strict=True):
        found = np.frombuffer(registers, np.uint8)
        merged[day] = merge_registers(merged[day], found) if day in merged else found
    return np.array([float(estimate_distinct(merged[day])) if day in merged else 0.0 for day in numbers])


def _bottom_k(rows: pa.Table, measure: KeyedSample) -> tuple[tuple[str, ...], Floats]:
    if not rows.num_rows:
        return (), np.zeros((0, len(measure.columns)))
    digest = matrix(rows, "counts", 1)[:, 0].view(np.uint64)
    day = rows["day"].to_numpy()
    order = np.lexsort((digest, day))
    rank = np.arange(len(order)) - np.searchsorted(day[order], day[order])
    kept = order[rank < measure.k]
    keys = tuple(rows["key"].combine_chunks().take(pa.array(kept)).to_pylist())
    return keys, matrix(rows, "sums", len(measure.columns))[kept].astype(np.float64)


def day_range(first: date, last: date) -> tuple[date, ...]:
    """Every day from ``first`` to ``last``, both included."""
    return tuple(first + timedelta(days=offset) for offset in range((last - first).days + 1))
