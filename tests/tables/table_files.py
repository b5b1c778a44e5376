"""Writers of one Arrow table into every built-in format, and short ways to open and read what they wrote."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq

from recsysops.config.settings import SourceSettings, TableSettings
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.open_source import open_source
from recsysops.tables.open_tables import open_table
from recsysops.tables.source import Source
from recsysops.tables.table import Table

Writer = Callable[[Path, pa.Table], None]


def write_jsonl(path: Path, table: pa.Table) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))


def write_stream(path: Path, table: pa.Table) -> None:
    with pa.ipc.new_stream(str(path), table.schema) as writer:
        writer.write_table(table)


def write_duckdb(path: Path, table: pa.Table) -> None:
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.register("given", table)
        connection.execute("CREATE TABLE logs AS FROM given")


def write_sqlite(path: Path, table: pa.Table) -> None:
    path.unlink(missing_ok=True)
    names = {"int64": "INTEGER", "double": "REAL", "string": "TEXT", "bool": "BOOLEAN"}
    declared = ", ".join(f"{quote_identifier(field.name)} {names[str(field.type)]}" for field in table.schema)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE logs ({declared})")
        marks = ", ".join("?" * table.num_columns)
        connection.executemany(f"INSERT INTO logs VALUES ({marks})", [tuple(row.values()) for row in table.to_pylist()])
        connection.commit()


def write_feather(path: Path, table: pa.Table) -> None:
    pyarrow.feather.write_feather(table, str(path))


def write_csv(path: Path, table: pa.Table) -> None:
    pyarrow.csv.write_csv(table, path)


def write_parquet(path: Path, table: pa.Table) -> None:
    pq.write_table(table, path)


WRITERS: dict[str, tuple[str, Writer]] = {
    "parquet": (".parquet", write_parquet),
    "csv": (".csv", write_csv),
    "jsonl": (".jsonl", write_jsonl),
    "arrow": (".arrow", write_feather),
    "arrow stream": (".arrows", write_stream),
    "duckdb": (".duckdb", write_duckdb),
    "sqlite": (".sqlite", write_sqlite),
}


def source_of(root: Path, path: str, **settings: Any) -> Source:
    return open_source(SourceSettings(path=path, **settings), root)


def read_rows(source: Source, columns: list[str] | None = None) -> list[dict[str, Any]]:
    """All rows of all partitions."""
    rows: list[dict[str, Any]] = []
    for partition in source.partitions():
        for batch in source.batches(partition, columns or source.schema(partition).names):
            rows += batch.to_pylist()
    return rows


def candidates(
    root: Path, path: str = "logs", roles: dict[str, str] | None = None, timezone: str = "UTC", **settings: Any
) -> Table:
    """A table of candidates whose columns are called like their roles."""
    given = {"request_id": "request_id", "ts": "ts", "item_id": "item_id", **(roles or {})}
    stated = TableSettings(source=SourceSettings(path=path), roles=given, **settings)
    return open_table("candidates", stated, timezone, root)


def table_rows(table: Table, columns: list[str]) -> list[dict[str, Any]]:
    """All rows of all partitions of a table."""
    return [
        row
        for partition in table.partitions()
        for batch in table.batches(partition, columns)
        for row in batch.to_pylist()
    ]
