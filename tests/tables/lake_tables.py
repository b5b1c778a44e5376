"""Writers of one Arrow table into tables that are more than files: lakes, object stores, databases."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pytest
from table_files import source_of, write_parquet, write_sqlite

from recsysops.tables.source import Source

CATALOG, NAMESPACE = "catalog.db", "logs"


@dataclass(frozen=True)
class Lake:
    """How a kind of table is written and what the workspace says of it; ``{root}`` in the path is the workspace."""

    write: Callable[[Path, pa.Table], None]
    path: str
    settings: Mapping[str, Any]
    needs: tuple[str, ...] = ()
    columns_at_most: int = 10_000
    keeps_nan: bool = True
    refused_names: tuple[str, ...] = field(default=())

    def open(self, root: Path) -> Source:
        return source_of(root, self.path.replace("{root}", quote(str(root))), **self.settings)


def write_delta(root: Path, table: pa.Table) -> None:
    from deltalake import write_deltalake

    write_deltalake(str(root / "logs"), table, mode="overwrite", schema_mode="overwrite")


def iceberg_catalog(root: Path) -> Any:
    from pyiceberg.catalog import load_catalog

    uri, warehouse = f"sqlite:///{root / CATALOG}", f"file://{root}/warehouse"
    catalog = load_catalog("default", type="sql", uri=uri, warehouse=warehouse)
    catalog.create_namespace_if_not_exists(NAMESPACE)
    return catalog


def write_iceberg(root: Path, table: pa.Table) -> None:
    with closing_catalog(root) as catalog:
        name = f"{NAMESPACE}.candidates"
        if catalog.table_exists(name):
            catalog.drop_table(name)
        catalog.create_table(name, schema=table.schema).append(table)


class closing_catalog:  # noqa: N801 - a context manager, as contextlib's are named
    """A catalogue whose connections to its database are closed at the end."""

    def __init__(self, root: Path) -> None:
        self._catalog = iceberg_catalog(root)

    def __enter__(self) -> Any:
        return self._catalog

    def __exit__(self, *failure: object) -> None:
        self._catalog.close()


def write_object(root: Path, table: pa.Table) -> None:
    (root / "logs").mkdir(exist_ok=True)
    write_parquet(root / "logs" / "part-0.parquet", table)


def write_database(root: Path, table: pa.Table) -> None:
    """As `write_sqlite`, and once more under the name that a table of a database has."""
    write_sqlite(root / "logs.db", table)


def insert(path: Path, statement: str, *rows: tuple[Any, ...]) -> None:
    """Run one statement for every row; once when there are none."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executemany(statement, rows or [()])
        connection.commit()


LAKES: dict[str, Lake] = {
    "delta": Lake(write_delta, "logs", {"format": "delta"}, ("deltalake",)),
    "delta by url": Lake(write_delta, "file://{root}/logs", {"format": "delta"}, ("deltalake",)),
    "iceberg": Lake(
        write_iceberg,
        f"sqlite:///{CATALOG}",
        {"format": "iceberg", "table": f"{NAMESPACE}.candidates"},
        ("pyiceberg",),
        columns_at_most=2_000,  # the library takes minutes for more
    ),
    "object store": Lake(write_object, "file://{root}/logs", {}),
    "adbc": Lake(
        write_database,
        "sqlite:///logs.db",
        {"table": "logs"},
        ("adbc_driver_sqlite",),
        columns_at_most=1_900,  # SQLite's own limit is 2,000
        keeps_nan=False,
    ),
    "db-api": Lake(
        write_database, "sqlite+pysqlite:///logs.db", {"table": "logs"}, columns_at_most=1_900, keeps_nan=False
    ),
}


def lake(name: str) -> Lake:
    """The kind of table of that name; the test is skipped where its library is not installed."""
    found = LAKES[name]
    for module in found.needs:
        pytest.importorskip(module)
    return found
