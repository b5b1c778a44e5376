"""One partition as SQL sees it: event day, request, slice values, under names that no user's column can take.

Cohorts are counted by DuckDB from this view; identifiers pass the quoting helper and values never enter the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recsysops.errors import SourceError
from recsysops.profiles.group_codes import DAY_US, NULL_VALUE, OTHER_VALUE
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.in_place import in_place
from recsysops.tables.relation import partition_view
from recsysops.tables.schema import TableSchema
from recsysops.tables.source import Partition
from recsysops.tables.table import Table
from recsysops.tables.views.contracts import CONTRACTS

if TYPE_CHECKING:
    import duckdb

SEPARATOR = "chr(31)"
FIRST_US, END_US = -62_135_596_800_000_000, 253_402_300_800_000_000
"""Years 1 to 9999: other times have no place on the calendar, here as in the kernel."""


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

    is_file = in_place(table, partition, columns) is not None
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


def prepare_view(
    connection: duckdb.DuckDBPyConnection,
    source_view: str,
    schema: TableSchema,
    columns: Sequence[str],
    kept: Mapping[str, Sequence[str]],
) -> PreparedRows:
    """Make the view ``prepared``, and tell what measures need to know of it.

    The view has ``day`` (integer days since 1970, UTC), ``request`` (text, NULL where a log of requests has none; the
    row's key in other tables), ``s0 …`` (text, never NULL) and ``columns`` as ``c0 …``. Rows without a time are left
    out: they have no day.

    Args:
        connection: where the partition is.
        source_view: a view or table of the partition, with the user's column names.
        schema: the table's schema; it must have a clock.
        columns: further columns that measures read.
        kept: by slice dimension with too many values, those that keep their name; the rest is "(other)".
    """
    clock = schema.role(CONTRACTS[schema.table].clock)
    assert clock is not None, "only tables with a clock are counted by SQL"
    request = schema.role("request_id")
    time = f"epoch_us({quote_identifier(clock.name)})"
    parts = [
        f"CAST({day_number(time)} AS INTEGER) AS day",
        f"{text_of(request.name) if request else key_text(map(quote_identifier, key_columns(schema)))} AS request",
        *(f"{_slice_sql(connection, name, index, kept)} AS s{index}" for index, name in enumerate(schema.slices)),
        *(f"{quote_identifier(name)} AS c{index}" for index, name in enumerate(columns)),
    ]
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW prepared AS SELECT {', '.join(parts)} "
        f"FROM {quote_identifier(source_view)} WHERE {time} >= {FIRST_US} AND {time} < {END_US}"
    )
    return PreparedRows("prepared", schema.slices)


def _slice_sql(connection: duckdb.DuckDBPyConnection, name: str, index: int, kept: Mapping[str, Sequence[str]]) -> str:
    """The SQL for a row's value of a dimension."""
    value = f"coalesce({text_of(name)}, '{NULL_VALUE}')"
    if name not in kept:
        return value
    import pyarrow as pa

    values = pa.table({"value": pa.array(kept[name], pa.string())})
    connection.register("kept values", values)
    connection.execute(f'CREATE OR REPLACE TEMP TABLE kept_{index} AS SELECT value FROM "kept values"')
    connection.unregister("kept values")
    return f"CASE WHEN {value} IN (SELECT value FROM kept_{index}) THEN {value} ELSE '{OTHER_VALUE}' END"


def day_number(us: str) -> str:
    """The SQL for the day of a time in microseconds, rounded down; DuckDB's own division rounds towards 1970."""
    return f"({us} - ({us} % {DAY_US} + {DAY_US}) % {DAY_US}) // {DAY_US}"


def key_text(expressions: Iterable[str]) -> str:
    """The SQL for several values as one text; NULL is told from the empty text."""
    texts = ", ".join(f"coalesce(CAST({one} AS VARCHAR), chr(0))" for one in expressions)
    return f"concat_ws({SEPARATOR}, {texts})" if texts else "NULL::VARCHAR"


def key_columns(schema: TableSchema) -> tuple[str, ...]:
    """The columns that identify a row, as far as the table has them."""
    roles = (schema.role(role) for role in CONTRACTS[schema.table].key)
    return tuple(column.name for column in roles if column is not None)


def text_of(column: str) -> str:
    """The SQL for a column's value as text."""
    return f"CAST({quote_identifier(column)} AS VARCHAR)"


def columns_read(schema: TableSchema, columns: Sequence[str]) -> tuple[str, ...]:
    """Every column of the table that ``prepare_view`` will touch, each once, in a stable order."""
    clock = schema.role(CONTRACTS[schema.table].clock)
    request = schema.role("request_id")
    wanted = [column.name for column in (clock, request) if column is not None]
    if request is None:
        wanted += key_columns(schema)
    return tuple(dict.fromkeys([*wanted, *schema.slices, *columns]))
