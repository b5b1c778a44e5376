"""Histories for tests of detectors: from arrays, or counted from small tables by brute force.

``history_from_tables`` shares no code with the engine, so it is also an oracle for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np

from recsysops.profiles.history import (
    CellContrast,
    ClusterContrast,
    CohortContrast,
    Context,
    DaySeries,
    KeyedContrast,
    MomentContrast,
    PartitionFacts,
    SampleContrast,
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
from recsysops.tables.schema import Schema
from recsysops.tables.views.registered import VIEWS

if TYPE_CHECKING:
    import pandas as pd

    from recsysops.testing.brute_force import Windows

Wanted = TypeVar("Wanted", bound=Measure)
Found = TypeVar("Found")


@dataclass(frozen=True)
class ArrayHistory:
    """A history held in memory: whatever contrast was put there for a measure, None for every other."""

    context: Context
    cell_contrasts: Mapping[Cells | PerRequest, CellContrast] = field(default_factory=dict)
    keyed_contrasts: Mapping[tuple[Keyed, Slice], KeyedContrast] = field(default_factory=dict)
    samples: Mapping[KeyedSample, SampleContrast] = field(default_factory=dict)
    partitions: Mapping[Facts, tuple[PartitionFacts, ...]] = field(default_factory=dict)
    cohorts: Mapping[Cohort, CohortContrast] = field(default_factory=dict)
    moment_contrasts: Mapping[Cells, MomentContrast] = field(default_factory=dict)
    day_series: Mapping[Cells | PerRequest | Expression, DaySeries] = field(default_factory=dict)
    cluster_contrasts: Mapping[Clusters, ClusterContrast] = field(default_factory=dict)

    def cells(self, measure: Cells | PerRequest) -> CellContrast | None:
        return self.cell_contrasts.get(measure)

    def moments(self, measure: Cells) -> MomentContrast | None:
        return self.moment_contrasts.get(measure)

    def series(self, measure: Cells | PerRequest | Expression) -> DaySeries | None:
        """From ``day_series``; else the days of both windows, as far as they follow one another."""
        if self.context.mode == "cohorts":
            return None
        if measure in self.day_series:
            return self.day_series[measure]
        contrast = None if isinstance(measure, Expression) else self.cell_contrasts.get(measure)
        return None if contrast is None else _joined(contrast)

    def clusters(self, measure: Clusters) -> ClusterContrast | None:
        return self.cluster_contrasts.get(measure)

    def keyed(self, measure: Keyed, slice_: Slice = EVERYTHING) -> KeyedContrast | None:
        return self.keyed_contrasts.get((measure, slice_))

    def cohort(self, measure: Cohort) -> CohortContrast | None:
        return self.cohorts.get(measure)

    def sample(self, measure: KeyedSample) -> SampleContrast | None:
        return self.samples.get(measure)

    def facts(self, measure: Facts) -> tuple[PartitionFacts, ...] | None:
        return self.partitions.get(measure)


def _joined(contrast: CellContrast) -> DaySeries:
    days = (*contrast.reference_days, *contrast.current_days)
    every = tuple(days[0] + timedelta(days=number) for number in range((days[-1] - days[0]).days + 1))
    values = np.zeros((len(every), len(contrast.slices), len(contrast.cells)))
    values[[every.index(day) for day in days]] = np.concatenate([contrast.reference, contrast.current])
    return DaySeries(contrast.slices, contrast.cells, every, values)


def context_of(
    schema: Schema,
    reference_days: Sequence[date],
    current_days: Sequence[date],
    mode: Literal["days", "cohorts"] = "days",
) -> Context:
    """The context of an archive: now is the end of the last current day."""
    end = datetime.combine(current_days[-1] + timedelta(days=1), time(), UTC)
    return Context(end, mode, tuple(reference_days), tuple(current_days), schema)


def history_from_tables(
    tables: Mapping[str, pd.DataFrame],
    schema: Schema,
    measures: Iterable[Measure],
    reference_days: Sequence[date],
    current_days: Sequence[date],
    *,
    mode: Literal["days", "cohorts"] = "days",
) -> ArrayHistory:
    """Count every measure by brute force over small tables (one partition per table and day).

    Args:
        tables: rows by contract name; the clock's column holds UTC timestamps.
        schema: of the same tables; a measure of an absent table or column gives None.
        measures: what to count; ``Cohort`` is left out. Views are derived from the tables when the schema has them.
        reference_days: days of the reference window.
        current_days: days of the current window.
        mode: as in ``Context``.
    """
    from recsysops.testing.brute_force import Windows

    measures = list(measures)
    views = {measure.table for measure in measures} & {*VIEWS} & {*schema.tables} - {*tables}
    tables = {**tables, **_derived(sorted(views), tables, schema)}
    windows = {
        name: Windows(tables[name], table, tuple(reference_days), tuple(current_days))
        for name, table in schema.tables.items()
        if name in tables
    }
    watched = [measure for measure in measures if measure.table in windows]
    return _counted(context_of(schema, reference_days, current_days, mode), watched, windows)


def _counted(context: Context, measures: Sequence[Measure], windows: Mapping[str, Windows]) -> ArrayHistory:
    """Every measure by the brute force of its kind."""
    from recsysops.testing import brute_force, brute_force_days

    def each(kind: type[Wanted], count: Callable[[Wanted, Windows], Found | None]) -> dict[Wanted, Found]:
        found = ((one, count(one, windows[one.table])) for one in measures if isinstance(one, kind))
        return {one: counted for one, counted in found if counted is not None}

    keyed = {
        (measure, slice_): contrast
        for measure in measures
        if isinstance(measure, Keyed)
        for slice_ in windows[measure.table].slices
        if (contrast := brute_force.keyed(measure, windows[measure.table], slice_)) is not None
    }
    cells, requests = each(Cells, brute_force.cells), each(PerRequest, brute_force.per_request)
    series = each(Cells, brute_force_days.moment_series)
    return ArrayHistory(
        context,
        dict([*cells.items(), *requests.items()]),
        keyed,
        each(KeyedSample, brute_force.sample),
        each(Facts, brute_force.facts),
        moment_contrasts=each(Cells, brute_force_days.moments),
        day_series=dict(series.items()),
        cluster_contrasts=each(Clusters, brute_force_days.clusters),
    )


def _derived(views: Sequence[str], tables: Mapping[str, pd.DataFrame], schema: Schema) -> dict[str, pd.DataFrame]:
    """The views over whole tables, as far as the tables allow them."""
    if not views:
        return {}
    from recsysops.testing.derived_tables import derived_table

    derived = {name: derived_table(name, tables, schema) for name in views}
    return {name: frame for name, frame in derived.items() if frame is not None}


def cell_contrast(
    reference: np.ndarray,
    current: np.ndarray,
    cells: Sequence[str],
    *,
    slices: Sequence[Slice] = (EVERYTHING,),
    edges: np.ndarray | None = None,
    first_day: date = date(2026, 1, 1),
) -> CellContrast:
    """A contrast from bucketed counts, for tests of gates.

    Args:
        reference: (n_units, n_slices, 32, n_cells).
        current: the same for the current window.
        cells: names of the cells.
        slices: the first is every row.
        edges: of the bins, when the cells are a histogram.
        first_day: of the reference.
    """
    windows = {"reference": np.asarray(reference, np.int64), "current": np.asarray(current, np.int64)}
    days = [first_day + timedelta(days=index) for index in range(len(reference) + len(current))]

    def load_buckets(window: Literal["reference", "current"], index: int) -> np.ndarray:
        counts = windows[window][:, index]
        return counts.reshape(-1, counts.shape[-1])

    return CellContrast(
        tuple(slices), tuple(cells), tuple(days[: len(reference)]), tuple(days[len(reference) :]),
        windows["reference"].sum(axis=2), windows["current"].sum(axis=2), load_buckets, edges,
    )  # fmt: skip
