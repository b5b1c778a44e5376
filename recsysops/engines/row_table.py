"""A table of DuckDB that grows batch by batch, spilling to disk beyond the connection's memory limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    import duckdb


class RowTable:
    """Numbers of many rows.

    Args:
        connection: where the table is made, with the first rows.
        name: of the table; one of ours, not a user's.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, name: str) -> None:
        self._connection = connection
        self.name = name
        self.exists = False

    def add(self, columns: Mapping[str, Any]) -> None:
        """Append rows: arrays of numpy or Arrow, (n,) each, always under the same names."""
        arrays = [values if isinstance(values, pa.Array) else pa.array(values) for values in columns.values()]
        self._connection.register("more rows", pa.RecordBatch.from_arrays(arrays, list(columns)))
        into = f"INSERT INTO {self.name}" if self.exists else f"CREATE TEMP TABLE {self.name} AS"
        self._connection.execute(f'{into} SELECT * FROM "more rows"')
        self._connection.unregister("more rows")
        self.exists = True


def slice_columns(n_dimensions: int) -> str:
    """``, s0, s1 …``: the codes of slice values, as a part of a SELECT."""
    return "".join(f", s{d}" for d in range(n_dimensions))
