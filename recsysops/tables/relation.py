"""Make a partition of a table queryable in DuckDB."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from recsysops.errors import RecSysOpsError
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.in_place import in_place
from recsysops.tables.source import Partition
from recsysops.tables.table import Table


@contextmanager
def partition_view(
    connection: duckdb.DuckDBPyConnection, table: Table, partition: Partition, columns: Sequence[str], view: str
) -> Iterator[str]:
    """A temporary view of these columns of a partition in canonical values; gives its quoted name, drops it at the end.

    A Parquet file that needs no conversion is read by DuckDB itself, columns of its path and missing ones as constants.
    Anything else is a stream of Arrow batches that **can be queried once**: ask everything in one query, or copy it into
    a table first. Fetch results to their end before the block ends: an unfinished result keeps the connection busy.

    Args:
        connection: where the view is made; the caller sets its memory limit and spill folder.
        table, partition: what is read.
        columns: at least one column, by its name in the logs.
        view: name of the view; it must be free.

    Raises:
        SchemaError, SourceError: as ``Table.batches``, also for what is found while the view is queried.
    """
    name = quote_identifier(view)
    failures: list[RecSysOpsError] = []
    file = in_place(table, partition, columns)
    if file is not None:
        connection.execute(f"CREATE TEMP VIEW {name} AS {file.select_sql(columns)}")
    else:
        connection.register(view, batch_reader(table, partition, columns, failures))
    try:
        yield name
    except duckdb.Error:
        if failures:  # DuckDB knows only the text of what went wrong in the stream
            raise failures[0] from None
        raise
    finally:
        if file is not None:
            connection.execute(f"DROP VIEW IF EXISTS {name}")
        else:
            connection.unregister(view)


def batch_reader(
    table: Table, partition: Partition, columns: Sequence[str], failures: list[RecSysOpsError] | None = None
) -> pa.RecordBatchReader:
    """The partition as one Arrow stream.

    Args:
        table, partition, columns: as for ``Table.batches``.
        failures: receives what goes wrong after the first batch, which Arrow passes on as text only.

    Raises:
        SchemaError, SourceError: for the first batch.
    """
    batches = table.batches(partition, columns)
    first = next(batches, None)
    if first is None:
        return pa.RecordBatchReader.from_batches(table.arrow_schema(partition, columns), [])

    def chained() -> Iterator[pa.RecordBatch]:
        try:
            yield first
            yield from batches
        except RecSysOpsError as error:
            if failures is not None:
                failures.append(error)
            raise

    return pa.RecordBatchReader.from_batches(first.schema, chained())
