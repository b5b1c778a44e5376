"""Counting one partition: one pass over its batches, in which cells, keys, requests and samples are counted together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa

from recsysops.engines import keyed, keyed_sample, per_request
from recsysops.engines.cells import count_cells, scan_plan
from recsysops.engines.clusters import ClusterCounter
from recsysops.engines.counted import Counted
from recsysops.engines.expressions import ExpressionCounter
from recsysops.engines.keyed import KeyedCounter
from recsysops.engines.keyed_sample import RequestSampler
from recsysops.engines.per_request import RequestCounter, by_request
from recsysops.engines.planning import ScanUnit
from recsysops.errors import SourceError
from recsysops.profiles.coded_rows import CodedRows
from recsysops.profiles.frozen_sets import FrozenSet
from recsysops.profiles.group_codes import DAY_US, day_of, microseconds
from recsysops.profiles.history import PartitionFacts
from recsysops.profiles.measures import Clusters, Expression, Facts, Keyed, KeyedSample, Measure, PerRequest
from recsysops.profiles.parquet_batches import parquet_batches
from recsysops.profiles.profile import Profile, RowWriter
from recsysops.tables.schema import TableSchema
from recsysops.tables.source import Partition
from recsysops.tables.table import Table
from recsysops.tables.views.contracts import CONTRACTS

if TYPE_CHECKING:
    import duckdb

MEMORY_LIMIT = "768MB"
Connect = Callable[[], "duckdb.DuckDBPyConnection"]


class RowCounter(Protocol):
    """Sees the rows of one partition go by, then writes what it has counted."""

    def add(self, rows: CodedRows) -> None: ...
    def write(self, names: Sequence[Sequence[str]], writer: RowWriter) -> None: ...


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
    connect: Connect,
    n_threads: int | None,
) -> Profile:
    """The profile of one partition over some measures of a table (cohorts are counted elsewhere).

    Raises:
        SourceError: if the partition cannot be read.
        SchemaError: if it holds values that cannot be counted.
    """
    table = unit.table
    clock = table.schema.role(CONTRACTS[table.name].clock)
    writer = RowWriter()
    extent = Extent(clock.name if clock else None)
    if clock is not None and not all(isinstance(one.measure, Facts) for one in counted):
        also = [name for one in counted for name in _columns_of(one.measure, table.schema)]
        plan = scan_plan(table.schema, counted, sets, also)
        batches = extent.watch(_batches(table, partition, plan.reads))
        with _row_counters(partition, table.schema, counted, connect) as counters:
            names = count_cells(batches, plan, counted, n_threads, writer, [one.add for one in counters])
            for counter in counters if extent.days else ():
                counter.write(names, writer)
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


@contextmanager
def _row_counters(
    partition: Partition, schema: TableSchema, counted: Sequence[Counted], connect: Connect
) -> Iterator[list[RowCounter]]:
    """What counts more than cells; DuckDB is opened only where it is needed.

    Raises:
        SourceError: if DuckDB can hold the rows neither in memory nor on disk.
    """
    import duckdb

    requests = by_request(schema, [(one.id, one.measure) for one in counted if isinstance(one.measure, PerRequest)])
    keys = [(one.id, one.measure) for one in counted if isinstance(one.measure, Keyed)]
    counters: list[RowCounter] = [
        RequestSampler(one.id, one.measure, schema) for one in counted if isinstance(one.measure, KeyedSample)
    ]
    counters += [ClusterCounter(one.id, one.measure) for one in counted if isinstance(one.measure, Clusters)]
    try:
        with ExitStack() as stack:
            for one in counted:
                if isinstance(one.measure, Expression):
                    counters.append(stack.enter_context(closing(ExpressionCounter(one.id, one.measure, schema))))
            if requests or keys:
                opened = stack.enter_context(connect())  # counters run side by side: each has a cursor to itself
                cursors = [stack.enter_context(opened.cursor()) for _ in (*requests, *keys)]
                counters += [RequestCounter(cursors.pop(), *one, schema) for one in requests.items()]
                counters += [KeyedCounter(cursors.pop(), *one, schema) for one in keys]
            yield counters
    except duckdb.Error as error:
        raise SourceError(
            partition.key,
            found=str(error).splitlines()[0][:200],
            expected="room to count its rows",
            next_step="free memory, or disk space below the state folder",
        ) from error


def _columns_of(measure: Measure, schema: TableSchema) -> tuple[str, ...]:
    """The columns that row counters read."""
    if isinstance(measure, PerRequest):
        return per_request.columns_of(measure, schema)
    if isinstance(measure, Keyed):
        return keyed.columns_of(measure, schema)
    if isinstance(measure, Clusters):
        return (measure.cluster, measure.column)
    if isinstance(measure, Expression):
        return (*measure.columns, *((measure.per,) if measure.per else ()))
    return keyed_sample.columns_of(measure, schema) if isinstance(measure, KeyedSample) else ()


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
