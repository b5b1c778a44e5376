"""Views over small tables in memory: the same queries as over a workspace's files, for tests and examples of detectors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Schema, TableSchema
from recsysops.tables.views.normal_rows import SQL_TYPES, select_roles
from recsysops.tables.views.registered import VIEWS

if TYPE_CHECKING:
    import duckdb
    import pandas as pd


def with_derived(tables: Mapping[str, pd.DataFrame], schema: Schema, names: Iterable[str]) -> dict[str, pd.DataFrame]:
    """The tables, with every view among ``names`` that they allow."""
    found = {name: derived_table(name, tables, schema) for name in dict.fromkeys(names) if name in VIEWS}
    return {**tables, **{name: frame for name, frame in found.items() if frame is not None}}


def derived_table(name: str, tables: Mapping[str, pd.DataFrame], schema: Schema) -> pd.DataFrame | None:
    """All rows of a view over whole tables, or None when the tables do not allow it.

    Args:
        name: of the view.
        tables: rows by contract name; clocks hold UTC timestamps.
        schema: of the same tables.
    """
    import duckdb

    view = VIEWS[name]
    derived = view.schema(schema)
    read = (view.base, *(one.table for one in view.lookups(schema))) if derived is not None else ()
    if derived is None or not set(read) <= set(tables):
        return None
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for table in dict.fromkeys(read):
            _register(connection, schema.tables[table], tables[table])
        for lookup in view.lookups(schema):
            if lookup.relation != lookup.table:
                connection.execute(
                    f"CREATE VIEW {quote_identifier(lookup.relation)} AS FROM {quote_identifier(lookup.table)}"
                )
        columns = ", ".join(
            f"CAST({quote_identifier(one.name)} AS {SQL_TYPES[one.kind]}) AS {quote_identifier(one.name)}"
            for one in derived.columns
        )
        order = ", ".join(quote_identifier(key) for key in view.contract.key)
        rows = connection.sql(f"SELECT {columns} FROM ({view.sql(schema)}) ORDER BY {order}").to_arrow_table()
    frame: pd.DataFrame = rows.to_pandas()
    for one in derived.columns:
        if one.kind in ("categorical", "boolean"):
            frame[one.name] = frame[one.name].astype(object).where(frame[one.name].notna(), None)
    return frame


def _register(connection: duckdb.DuckDBPyConnection, table: TableSchema, frame: pd.DataFrame) -> None:
    """The rows under the contract's names, as a view's query expects them."""
    rows = quote_identifier(f"{table.table} rows")
    connection.register(f"{table.table} rows", frame)
    connection.execute(f"CREATE TABLE {quote_identifier(table.table)} AS SELECT {select_roles(table)} FROM {rows}")
