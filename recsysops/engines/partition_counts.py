"""Counting one partition: facts and cells in one pass over its batches, everything else in SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from recsysops.engines import keyed, keyed_sample
from recsysops.engines.cells import count_cells, scan_plan
from recsysops.engines.counted import Counted
from recsysops.engines.per_request import count_per_request
from recsysops.engines.planning import ScanUnit
from recsysops.engines.prepared_rows import columns_read, prepare_view, queryable
from recsysops.profiles.frozen_sets import FrozenSet
from recsysops.profiles.group_codes import DAY_US, OTHER_VALUE, day_of, microseconds
from recsysops.profiles.history import PartitionFacts
from recsysops.profiles.measures import Facts, Keyed, KeyedSample, PerRequest
from recsysops.profiles.parquet_batches import parquet_batches
from recsysops.profiles.profile import Profile, RowWriter
from recsysops.profiles.slices import Slice
from recsysops.tables.contract import TABLES
from recsysops.tables.source import Partition
from recsysops.tables.table import Table

if TYPE_CHECKING:
    import duckdb

MEMORY_LIMIT = "1GB"


@dataclass
class Extent:
    """Watches batches go by: rows, first and last event, rows per day."""

    clock: str | None
    n_rows: int = 0
    first_us: int | None = None
    last_us: int | None = None
    days: dict[int, int] = field(default_factory=dict)

    def watch(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The same batches."""
        for batch in batches:
            self.n_rows += batch.num_rows
            if self.clock is not None and batch.num_rows:
                self._note(batch.column(self.clock))
            yield batch

    def _note(self, clock: pa.Array) -> None:
        times, placeable = microseconds(clock, str(self.clock))
        times = times if placeable.all() else times[placeable]
        if not len(times):
            return
        low, high = int(times.min()), int(times.max())
        self.first_us = low if self.first_us is None else min(low, self.first_us)
        self.last_us = high if self.last_us is None else max(high, self.last_us)
        if low // DAY_US == high // DAY_US:
            self.days[low // DAY_US] = self.days.get(low // DAY_US, 0) + len(times)
            return
        for day, n_rows in zip(*np.unique(times // DAY_US, return_counts=True), strict=True):
            self.days[int(day)] = self.days.get(int(day), 0) + int(n_rows)

    def facts(self, table: str, partition: Partition, columns: pa.Schema) -> PartitionFacts:
        """What was seen, as facts of the partition."""
        return PartitionFacts(
            table=table,
            key=partition.key,
            fingerprint=partition.fingerprint,
            n_rows=self.n_rows,
            n_bytes=partition.n_bytes,
            modified_at=datetime.fromtimestamp(partition.modified_at, UTC),
            first_ts=_moment(self.first_us),
            last_ts=_moment(self.last_us),
            columns=tuple((one.name, str(one.type)) for one in columns),
            days=tuple((day_of(day), self.days[day]) for day in sorted(self.days)),
        )


def _moment(us: int | None) -> datetime | None:
    return None if us is None else datetime.fromtimestamp(us // 1_000_000, UTC).replace(microsecond=us % 1_000_000)


def count_partition(
    unit: ScanUnit,
    partition: Partition,
    counted: Sequence[Counted],
    sets: Mapping[str, FrozenSet],
    connect: Callable[[], duckdb.DuckDBPyConnection],
    n_threads: int | None,
) -> Profile:
    """The profile of one partition over some measures of a table (cohorts are counted elsewhere).

    Raises:
        SourceError: if the partition cannot be read.
        SchemaError: if it holds values that cannot be counted.
    """
    table = unit.table
    clock = table.schema.role(TABLES[table.name].clock)
    writer = RowWriter()
    extent = Extent(clock.name if clock else None)
    if clock is not None and not all(isinstance(one.measure, Facts) for one in counted):
        plan = scan_plan(table.schema, counted, sets)
        batches = extent.watch(_batches(table, partition, plan.reads))
        slices = count_cells(batches, plan, counted, n_threads, writer)
        if extent.days:
            _count_by_sql(table, partition, counted, slices, connect, writer)
    else:
        reads = [clock.name] if clock else [column.name for column in table.schema.columns[:1]]
        for _ in extent.watch(table.batches(partition, reads)):
            pass
    facts = extent.facts(table.name, partition, table.source.schema(partition))
    return Profile(tuple(one.id for one in counted), facts, writer.rows(), writer.buckets())


def _batches(table: Table, partition: Partition, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The fastest way to the columns. Texts come as dictionaries, but for request ids, which rarely repeat."""
    path = table.parquet_path(partition, columns)
    if path is None:
        return table.batches(partition, columns)
    kinds = {column.name: column for column in table.schema.columns}
    texts = [name for name in columns if kinds[name].kind == "categorical" and kinds[name].role != "request_id"]
    return parquet_batches(path, columns, texts)


def _kept_values(slices: Sequence[Slice]) -> dict[str, list[str]]:
    """By dimension of which some values were counted as "(other)", those that were not."""
    limited = {one.dimension for one in slices if one.value == OTHER_VALUE and one.dimension}
    return {
        name: [one.value for one in slices if one.dimension == name and one.value != OTHER_VALUE] for name in limited
    }


def _count_by_sql(
    table: Table,
    partition: Partition,
    counted: Sequence[Counted],
    slices: Sequence[Slice],
    connect: Callable[[], duckdb.DuckDBPyConnection],
    writer: RowWriter,
) -> None:
    per_request = [(one.id, one.measure) for one in counted if isinstance(one.measure, PerRequest)]
    keyed_measures = [(one.id, one.measure) for one in counted if isinstance(one.measure, Keyed)]
    samples = [(one.id, one.measure) for one in counted if isinstance(one.measure, KeyedSample)]
    schema = table.schema
    needed = [name for _, measure in per_request for name in measure.columns]
    needed += [name for _, measure in keyed_measures for name in keyed.columns_of(measure, schema)]
    needed += [name for _, measure in samples for name in keyed_sample.columns_of(measure, schema)]
    columns = tuple(dict.fromkeys(needed))
    if not columns:
        return
    read = columns_read(schema, columns)
    with connect() as connection, queryable(connection, table, partition, read, "partition") as view:
        prepared = prepare_view(connection, view, schema, columns, _kept_values(slices))
        places = {name: f"c{index}" for index, name in enumerate(columns)}
        count_per_request(connection, prepared, per_request, places, writer)
        keyed.count_keyed(connection, prepared, keyed_measures, places, schema, writer)
        keyed_sample.count_keyed_sample(connection, prepared, samples, places, schema, writer)


def open_connection(state: Path, n_threads: int | None) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB with bounded memory that spills below the state folder."""
    import duckdb

    spill = state / "spill"
    spill.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(":memory:")
    connection.execute("SET memory_limit = ?", [MEMORY_LIMIT])
    connection.execute("SET temp_directory = ?", [str(spill)])
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET preserve_insertion_order = false")
    connection.execute("SET enable_progress_bar = false")
    if n_threads is not None:
        connection.execute("SET threads = ?", [n_threads])
    return connection
