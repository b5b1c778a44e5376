"""The history a detector judges, folded on demand from stored profiles of the two windows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cached_property, lru_cache

import numpy as np

from recsysops.engines.age_folds import ages_of, fold_ages, fold_unmatched
from recsysops.engines.clusters import fold_clusters
from recsysops.engines.day_series import cells_of, fold_series
from recsysops.engines.key_folds import KeyFold, bottom_k, distinct_by_day
from recsysops.engines.window_profiles import WindowProfiles
from recsysops.profiles.fold import BucketFold, fold_cells, fold_hours, fold_moments, slice_axis
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
        self._key_fold = _key_folds(self._windows)

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
        keys, folded = self._key_fold(measure).of(slice_)
        distinct = {name: self._distinct(name, measure, slice_) for name in self._windows}
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
        numbers = {name: side.numbers(measure.table) for name, side in self._windows.items()}
        ages = ages_of(rows.values())
        slices = tuple(sorted({EVERYTHING, *(one for table in rows.values() for one in slice_axis(table)[0])}))
        folded = {name: fold_ages(table, numbers[name], slices, ages) for name, table in rows.items()}
        unmatched = {name: fold_unmatched(table, numbers[name]) for name, table in rows.items()}
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
        reference = bottom_k(self._windows["reference"].rows(measure), measure)
        current = bottom_k(self._windows["current"].rows(measure), measure)
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

    def _distinct(self, window: Window, measure: Keyed, slice_: Slice) -> Floats:
        side = self._windows[window]
        numbers = side.numbers(measure.table)
        return distinct_by_day(side.rows(measure), numbers) if slice_ == EVERYTHING else np.full(len(numbers), np.nan)


def _key_folds(windows: Mapping[Window, WindowProfiles]) -> Callable[[Keyed], KeyFold]:
    """A measure's slices are asked for in turn, by several detectors, so the last few are kept."""

    @lru_cache(maxsize=2)
    def key_fold(measure: Keyed) -> KeyFold:
        rows = {name: side.rows(measure) for name, side in windows.items()}
        numbers = {name: side.numbers(measure.table) for name, side in windows.items()}
        return KeyFold(rows, numbers, len(measure.totals))

    return key_fold


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
