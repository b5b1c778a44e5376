"""One partition as SQL sees it: event day, request, slice values, under names that no user's column can take.

SQL measures (keyed, per_request, cohort, keyed_sample) are counted by DuckDB from this view; identifiers pass the
quoting helper and values never enter the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recsysops.errors import SourceError
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.tables.contract import TABLES
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.relation import partition_view
from recsysops.tables.schema import TableSchema
from recsysops.tables.source import Partition
from recsysops.tables.table import Table

if TYPE_CHECKING:
    import duckdb

NULL_SLICE = "(null)"


@dataclass(frozen=True)
class PreparedRows:
    """SQL fragments that measures share. ``dimensions`` name the expressions ``s0 … sn`` of the view."""

    view: str
    dimensions: tuple[str, ...]

    @property
    def slice_columns(self) -> tuple[str, ...]:
        """``s0 … sn``."""
        return tuple(f"s{index}" for index in range(len(self.dimensions)))

    def grouping_sets(self, *always: str) -> str:
        """Group by ``always``, and by ``always`` with each slice dimension in turn."""
        sets = [always, *((*always, column) for column in self.slice_columns)]
        return "GROUPING SETS (" + ", ".join("(" + ", ".join(one) + ")" for one in sets) + ")"

    def slice_of(self, values: tuple[str | None, ...]) -> Slice:
        """The slice of a grouped row: the one dimension that is not NULL, or every row."""
        for dimension, value in zip(self.dimensions, values, strict=True):
            if value is not None:
                return Slice(dimension, value)
        return EVERYTHING


@contextmanager
def queryable(
    connection: duckdb.DuckDBPyConnection, table: Table, partition: Partition, columns: Sequence[str], name: str
) -> Iterator[str]:
    """A partition's columns under ``name``, for any number of queries.

    Plain Parquet stays on disk; what can be read only once is copied, within the connection's memory limit.

    Raises:
        SourceError, SchemaError: if the partition cannot be read, also while it is queried.
    """
    import duckdb

    is_file = table.parquet_path(partition, columns) is not None
    try:
        with partition_view(connection, table, partition, columns, name if is_file else f"{name} stream") as view:
            if not is_file:
                connection.execute(f"CREATE OR REPLACE TEMP TABLE {quote_identifier(name)} AS SELECT * FROM {view}")
            yield name
    except duckdb.Error as error:
        raise SourceError(
            f"{table.name}: {partition.key}",
            found=str(error).splitlines()[0][:200],
            expected="rows that can be queried",
            next_step="`recsysops check` looks at every file",
        ) from error


def prepare_view(source_view: str, schema: TableSchema, columns: tuple[str, ...]) -> tuple[str, PreparedRows]:
    """The statement that makes the view, and what measures need to know of it.

    The view has ``day`` (integer days since 1970, UTC), ``request`` (text, NULL where the log has none), ``s0 …`` (text,
    never NULL) and ``columns`` as ``c0 …``. Rows without a time are left out: they have no day.

    Args:
        source_view: a view or table of the partition, with the user's column names.
        schema: the table's schema; it must have a clock.
        columns: further columns that measures read.
    """
    contract = TABLES[schema.table]
    clock = schema.role(contract.clock)
    assert clock is not None, "only tables with a clock are counted by SQL"
    request = schema.role("request_id")
    parts = [
        f"CAST(epoch_us({quote_identifier(clock.name)}) // 86400000000 AS INTEGER) AS day",
        f"{text_of(request.name)} AS request" if request else "NULL::VARCHAR AS request",
        *(f"coalesce({text_of(name)}, '{NULL_SLICE}') AS s{index}" for index, name in enumerate(schema.slices)),
        *(f"{quote_identifier(name)} AS c{index}" for index, name in enumerate(columns)),
    ]
    statement = (
        f"CREATE OR REPLACE TEMP VIEW prepared AS SELECT {', '.join(parts)} "
        f"FROM {quote_identifier(source_view)} WHERE {quote_identifier(clock.name)} IS NOT NULL"
    )
    return statement, PreparedRows("prepared", schema.slices)


def text_of(column: str) -> str:
    """The SQL for a column's value as text."""
    return f"CAST({quote_identifier(column)} AS VARCHAR)"


def columns_read(schema: TableSchema, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Every column of the table that ``prepare_view`` will touch, each once, in a stable order."""
    clock = schema.role(TABLES[schema.table].clock)
    request = schema.role("request_id")
    wanted = [column.name for column in (clock, request) if column is not None]
    return tuple(dict.fromkeys([*wanted, *schema.slices, *columns]))
