"""One hour of a day against the same hour of other days: the same counts that days are judged by, cut down to the hour.

Units stay days, so that detectors judge an hour as they judge a day. Hours carry no request buckets: how much rows depend
on each other is taken from the days' own. Only cells of logs of events have hours; all else answers None, as if it had
not been counted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsysops.engines.window_profiles import EPOCH, WindowProfiles
from recsysops.profiles.fold import BucketFold, fold_hours, fold_moments, slice_axis
from recsysops.profiles.history import (
    CellContrast,
    ClusterContrast,
    CohortContrast,
    Context,
    Counts,
    DaySeries,
    History,
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

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EVENT_TABLES = ("candidates", "outcomes")
TABLES_WITH_HOURS = (*EVENT_TABLES, "requests")
"""Logs of events, and the view of requests. A snapshot is taken once a day; its hour says nothing."""


class CountsDays(Protocol):
    """What is needed of an engine that has counted ``hourly(measures)``."""

    def event_days(self, table: str) -> Mapping[date, int]: ...
    def window(self, days: Sequence[date]) -> WindowProfiles: ...
    @property
    def history(self) -> Callable[..., History]: ...


def hourly(measures: Iterable[Measure]) -> Iterator[Cells]:
    """What can be counted by hour of these measures, and the rows of each log of events."""
    yield from (_by_hour(table) for table in EVENT_TABLES)
    for measure in measures:
        if isinstance(measure, Cells) and measure.table in TABLES_WITH_HOURS:
            yield replace(measure, by_hour=True)


def _by_hour(table: str) -> Cells:
    return Cells(table, by_hour=True)


@dataclass(frozen=True)
class HourEngine:
    """An engine whose histories are of the hour that ends at ``now``."""

    engine: CountsDays

    def event_days(self, table: str) -> Mapping[date, int]:
        """Rows by event day."""
        return self.engine.event_days(table)

    def rows(self, table: str, days: Sequence[date]) -> Mapping[datetime, int]:
        """Rows by hour (its first moment, UTC) on these days, without the hours that have none."""
        side = self.engine.window(days)
        measure = _by_hour(table)
        if measure not in side.counted:
            return {}
        counts = fold_hours(side.rows(measure), _numbers(days), (EVERYTHING,), 1)[:, :, 0, 0]
        found = np.argwhere(counts > 0).tolist()
        return {_moment(days[index], hour): int(counts[index, hour]) for index, hour in found}

    def history(
        self, reference_days: Sequence[date], current_days: Sequence[date], *, now: datetime, **facts: Any
    ) -> History:
        """The hour of the current day that ends at ``now``, and the same one of the reference days."""
        start = now - HOUR
        context = self.engine.history(reference_days, current_days, now=now, **facts).context
        days: dict[Window, tuple[date, ...]] = {"reference": tuple(reference_days), "current": tuple(current_days)}
        with_days_before = {name: sorted({*some, *(day - DAY for day in some)}) for name, some in days.items()}
        sides = {name: self.engine.window(some) for name, some in with_days_before.items()}
        return HourHistory(replace(context, hour=start.hour), days, sides)


class HourHistory:
    """`History` of one hour.

    Args:
        context: facts, with the hour.
        days: of both windows.
        sides: the profiles of those days and of the day before each.
    """

    def __init__(
        self, context: Context, days: Mapping[Window, tuple[date, ...]], sides: Mapping[Window, WindowProfiles]
    ) -> None:
        assert context.hour is not None
        self._context, self._hour = context, context.hour
        self._days, self._sides = days, sides

    @property
    def context(self) -> Context:
        """The frozen facts around the counts."""
        return self._context

    def cells(self, measure: Cells | PerRequest) -> CellContrast | None:
        """Counts of the hour by slice and cell. ``hourly`` gives the 24 hours that end with it."""
        counted = self._counted(measure)
        if counted is None:
            return None
        known, hour = self._sides["current"].counted[counted], self._hour
        cells = len(known.cells)
        rows = {name: side.rows(counted) for name, side in self._sides.items()}
        own = {name: self._of_hour(rows[name], name) for name in rows}
        slices = _slices(own.values())
        folded = {name: fold_hours(own[name], _numbers(self._days[name]), slices, cells)[:, hour] for name in own}
        return CellContrast(
            slices=slices,
            cells=known.cells,
            reference_days=self._days["reference"],
            current_days=self._days["current"],
            reference=folded["reference"],
            current=folded["current"],
            load_buckets=lambda window, index: self._buckets(counted, window, slices[index], cells),
            edges=known.edge_array,
            hourly=lambda window: _hours_up_to(rows[window], self._days[window], hour, slices, cells),
        )

    def moments(self, measure: Cells) -> MomentContrast | None:
        """Moments of the hour by slice.

        Raises:
            ValueError: if the measure is not of moments.
        """
        if measure.form != "moments":
            raise ValueError(f"moments: found a measure of {measure.form}, expected moments")
        counted = self._counted(measure)
        if counted is None:
            return None
        rows = {name: self._of_hour(side.rows(counted), name) for name, side in self._sides.items()}
        slices, shift = _slices(rows.values()), self._sides["current"].counted[counted].shift
        folded = {name: fold_moments(rows[name], _numbers(self._days[name]), slices, shift) for name in rows}
        days = (self._days["reference"], self._days["current"])
        return MomentContrast(slices, *days, folded["reference"], folded["current"])

    def series(self, measure: Cells | PerRequest | Expression) -> DaySeries | None:
        """Nothing: series are of days."""
        return None

    def clusters(self, measure: Clusters) -> ClusterContrast | None:
        """Nothing: not counted by hour."""
        return None

    def keyed(self, measure: Keyed, slice_: Slice = EVERYTHING) -> KeyedContrast | None:
        """Nothing: not counted by hour."""
        return None

    def cohort(self, measure: Cohort) -> CohortContrast | None:
        """Nothing: ages are whole days."""
        return None

    def sample(self, measure: KeyedSample) -> SampleContrast | None:
        """Nothing: a sample is of a day."""
        return None

    def facts(self, measure: Facts) -> tuple[PartitionFacts, ...] | None:
        """Nothing: snapshots are a matter of days."""
        return None

    def _counted(self, measure: Measure) -> Cells | None:
        """The measure by hour, if it was counted so."""
        if not isinstance(measure, Cells) or measure.table not in TABLES_WITH_HOURS:
            return None
        wanted = replace(measure, by_hour=True)
        return wanted if all(wanted in side.counted for side in self._sides.values()) else None

    def _of_hour(self, rows: pa.Table, window: Window) -> pa.Table:
        """The rows of the hour on the window's own days."""
        days = pa.array(_numbers(self._days[window]), pa.int32())
        return rows.filter(pc.and_(pc.equal(rows["hour"], self._hour), pc.is_in(rows["day"], value_set=days)))

    def _buckets(self, measure: Cells, window: Window, slice_: Slice, n_cells: int) -> Counts:
        """Of the window's whole days."""
        return BucketFold(self._sides[window].buckets(measure), _numbers(self._days[window]), n_cells).of(slice_)


def _hours_up_to(rows: pa.Table, days: Sequence[date], hour: int, slices: Sequence[Slice], n_cells: int) -> Counts:
    """(n_days, 24, n_slices, n_cells): the hours that end with ``hour`` of each day, the earliest first."""
    own = fold_hours(rows, _numbers(days), slices, n_cells)
    before = fold_hours(rows, _numbers([day - DAY for day in days]), slices, n_cells)
    return np.concatenate([before[:, hour + 1 :], own[:, : hour + 1]], axis=1)


def _slices(tables: Collection[pa.Table]) -> tuple[Slice, ...]:
    return tuple(sorted({EVERYTHING, *(one for table in tables for one in slice_axis(table)[0])}))


def _numbers(days: Iterable[date]) -> list[int]:
    return [(day - EPOCH).days for day in days]


def _moment(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), UTC)
