"""Cells of one partition, counted by the compiled kernel and written as profile rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from recsysops.engines.counted import Counted
from recsysops.engines.freezing import limited_values
from recsysops.engines.planning import column_plan
from recsysops.profiles.cell_counts import CellCounts, ColumnCounts
from recsysops.profiles.coded_rows import CodedRows
from recsysops.profiles.frozen_sets import FrozenSet
from recsysops.profiles.group_codes import day_of
from recsysops.profiles.history import Floats
from recsysops.profiles.kernel import scan_cells
from recsysops.profiles.measures import Cells
from recsysops.profiles.profile import NO_HOUR, RowWriter
from recsysops.profiles.scan_plan import ScanPlan
from recsysops.tables.schema import TableSchema
from recsysops.tables.views.contracts import CONTRACTS


def scan_plan(
    schema: TableSchema, counted: Sequence[Counted], sets: Mapping[str, FrozenSet], also_reads: Sequence[str] = ()
) -> ScanPlan:
    """One pass that counts every ``cells`` measure among ``counted``; the table must have a clock."""
    clock = schema.role(CONTRACTS[schema.table].clock)
    request = schema.role("request_id")
    measures = [one.measure for one in counted if isinstance(one.measure, Cells)]
    return ScanPlan(
        columns=tuple(column_plan(measure, schema, sets) for measure in measures),
        slices=schema.slices,
        clock=clock.name if clock else None,
        request_id=request.name if request else None,
        slice_values={name: values for name in schema.slices if (values := limited_values(sets, name)) is not None},
        also_reads=tuple(also_reads),
    )


def count_cells(
    batches: Iterable[pa.RecordBatch],
    plan: ScanPlan,
    counted: Sequence[Counted],
    n_threads: int | None,
    writer: RowWriter,
    watchers: Sequence[Callable[[CodedRows], None]] = (),
) -> tuple[tuple[str, ...], ...]:
    """Count one partition; ``watchers`` see its rows go by.

    Returns:
        By slice dimension, the values that the codes watchers saw stand for.

    Raises:
        SchemaError: if a column cannot be counted as planned.
        SourceError: from the batches.
    """
    result = scan_cells(batches, plan, n_threads, watchers)
    ids = [one.id for one in counted if isinstance(one.measure, Cells)]
    for measure_id, column in zip(ids, result.columns, strict=True):
        if column.plan.measure.form == "moments":
            _write_moments(measure_id, result, column, writer)
        else:
            _write_counts(measure_id, result, column, writer)
    return result.slice_names


def _write_counts(measure_id: str, result: CellCounts, column: ColumnCounts, writer: RowWriter) -> None:
    counts, hourly = column.counts(), column.hourly()
    for d, day in enumerate(result.days):
        number = (day - day_of(0)).days
        buckets = column.buckets(d) if column.n_buckets[d] > 1 else None
        for s in np.flatnonzero(column.homes[d] >= 0).tolist():
            slice_ = result.slices[s]
            if buckets is not None:
                writer.add_buckets(measure_id, number, slice_, buckets[s].ravel())
            if hourly is None:
                writer.add(measure_id, number, slice_, counts=counts[d, s])
                continue
            for hour in np.flatnonzero(hourly[d, :, s].any(axis=-1)).tolist():
                writer.add(measure_id, number, slice_, hour=hour, counts=hourly[d, hour, s])


def _write_moments(measure_id: str, result: CellCounts, column: ColumnCounts, writer: RowWriter) -> None:
    moments, hourly = column.moments(), column.hourly_moments()
    for d, day in enumerate(result.days):
        for s in np.flatnonzero(column.homes[d] >= 0).tolist():
            rows = {NO_HOUR: moments[d, s]} if hourly is None else _hours_with_rows(hourly[d, :, s])
            for hour, (count, total, squares, least, greatest) in rows.items():
                writer.add(
                    measure_id,
                    (day - day_of(0)).days,
                    result.slices[s],
                    hour=hour,
                    counts=[int(count)],
                    sums=[total, squares],
                    lows=[least],
                    highs=[greatest],
                )


def _hours_with_rows(moments: Floats) -> dict[int, Floats]:
    """Moments (24, 5) by hour, without the hours that hold no number."""
    return {hour: moments[hour] for hour in np.flatnonzero(moments[:, 0] > 0).tolist()}
