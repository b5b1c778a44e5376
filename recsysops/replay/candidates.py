"""Logged candidates as columns, and whole requests of a day read from the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsysops.models.matrix import numbers
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.relation import partition_view
from recsysops.tables.schema import TableSchema
from recsysops.tables.source import Partition
from recsysops.tables.table import Table

SALT = "replay"
_NEEDED = (
    "request_id", "ts", "item_id", "member_id", "raw_score", "score", "raw_rank", "final_rank", "model_id", "fallback", "host",
    "shown",
)  # fmt: skip


@dataclass(frozen=True)
class Candidates:
    """Rows of the candidates' table, whole requests together or not."""

    columns: Mapping[str, Any]
    """Arrow or numpy arrays (n_rows,), by the logs' names."""
    schema: TableSchema

    def role(self, role: str) -> Any | None:
        """The column that plays a role, or None where the log has none."""
        column = self.schema.role(role)
        return None if column is None else self.columns.get(column.name)

    def number(self, role: str) -> npt.NDArray[np.float64] | None:
        """A numeric role as float64."""
        values = self.role(role)
        return None if values is None else numbers(values)

    @property
    def n_rows(self) -> int:
        """Candidates."""
        return len(self.request)

    @cached_property
    def request(self) -> npt.NDArray[np.int64]:
        """(n_rows,) number of each row's request, from 0 in the order of appearance."""
        values = self.role("request_id")
        array = values if isinstance(values, pa.Array) else pa.array(values)
        coded = array if pa.types.is_dictionary(array.type) else pc.dictionary_encode(array, null_encoding="encode")
        codes = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
        _, first, which = np.unique(codes, return_index=True, return_inverse=True)
        place = np.empty(len(first), np.int64)
        place[np.argsort(first)] = np.arange(len(first))
        return place[which]

    @cached_property
    def n_requests(self) -> int:
        """Requests among the rows."""
        return int(self.request.max(initial=-1)) + 1

    @cached_property
    def first_rows(self) -> npt.NDArray[np.int64]:
        """(n_requests,) the first row of each request."""
        return np.unique(self.request, return_index=True)[1].astype(np.int64)


def read_requests(table: Table, day: date, n_requests: int | None = None, *, n_days: int = 1) -> Candidates:
    """Whole requests of days of UTC, with the columns that a replay looks at.

    Args:
        table: candidates.
        day: the first day.
        n_requests: how many of each day at most: those with the smallest portable hash, the same each time. All when None.
        n_days: how many days.

    Raises:
        SchemaError, SourceError: as ``Table.batches``.
    """
    begin = datetime.combine(day, time(), UTC)
    bound = {"begin": begin, "end": begin + timedelta(days=n_days)}
    columns = _columns(table)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        partitions = _choose(connection, table, bound, n_requests)
        parts = [_rows_of_chosen(connection, table, partition, columns, bound) for partition in partitions]
    return Candidates(_merged(parts, columns), table.schema)


def _choose(
    connection: duckdb.DuckDBPyConnection, table: Table, bound: Mapping[str, Any], n_requests: int | None
) -> list[Partition]:
    """Fill the table ``wanted`` with requests; gives the partitions that have any of those days."""
    request, clock = _named(table, "request_id"), _named(table, "ts")
    connection.execute("CREATE TEMP TABLE seen (request VARCHAR, day DATE)")
    found: list[Partition] = []
    n_known = 0
    for partition in table.partitions():
        with partition_view(connection, table, partition, [request, clock], "r") as view:
            connection.execute(
                f"INSERT INTO seen SELECT DISTINCT {quote_identifier(request)}::VARCHAR, "
                f"{quote_identifier(clock)}::DATE FROM {view} WHERE {_within(clock)}",
                bound,
            )
        [(n_rows,)] = connection.execute("SELECT count(*) FROM seen").fetchall()
        if n_rows > n_known:
            found, n_known = [*found, partition], n_rows
    connection.execute(
        "CREATE TEMP TABLE wanted AS SELECT request FROM (SELECT DISTINCT * FROM seen) QUALIFY $n IS NULL OR "
        "row_number() OVER (PARTITION BY day ORDER BY md5_number_lower($salt || request), request) <= $n",
        {"salt": SALT, "n": n_requests},
    )
    return found


def _rows_of_chosen(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    partition: Partition,
    columns: list[str],
    bound: Mapping[str, Any],
) -> pa.Table:
    request, clock = _named(table, "request_id"), _named(table, "ts")
    with partition_view(connection, table, partition, columns, "r") as view:
        query = f"FROM {view} WHERE {_within(clock)} AND {quote_identifier(request)}::VARCHAR IN (SELECT request FROM wanted)"
        return connection.sql(query, params=bound).to_arrow_table()


def _within(clock: str) -> str:
    return f"{quote_identifier(clock)} >= $begin AND {quote_identifier(clock)} < $end"


def _columns(table: Table) -> list[str]:
    """Roles that a replay needs, features, their masks and the slices, in the table's order."""
    masks = {column.mask for column in table.schema.columns if column.mask}
    return [
        column.name
        for column in table.schema.columns
        if column.role in _NEEDED or column.is_feature or column.name in table.schema.slices or column.name in masks
    ]


def _merged(parts: list[pa.Table], columns: list[str]) -> dict[str, pa.Array]:
    if not parts:
        return {name: pa.nulls(0) for name in columns}
    merged = pa.concat_tables(parts, promote_options="permissive").unify_dictionaries()
    return {name: merged[name].combine_chunks() for name in columns}


def _named(table: Table, role: str) -> str:
    column = table.schema.role(role)
    assert column is not None, f"candidates without {role} are refused when they are opened"
    return column.name
