"""The tables and views inside a database file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from recsysops.errors import SourceError

_DUCKDB = "SELECT table_schema, table_name FROM information_schema.tables ORDER BY ALL"
_SQLITE = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name"


def database_tables(path: Path, format_name: str) -> tuple[str, ...]:
    """Names of the tables and views of a SQLite or DuckDB file, which is opened read-only.

    Raises:
        SourceError: if the file is not such a database.
    """
    import duckdb

    try:
        return _duckdb_tables(path) if format_name == "duckdb" else _sqlite_tables(path)
    except (sqlite3.Error, duckdb.Error) as error:
        found = str(error).splitlines()[0][:200]
        raise SourceError(str(path), found=found, expected=f"a {format_name} database") from error


def _sqlite_tables(path: Path) -> tuple[str, ...]:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        return tuple(name for (name,) in connection.execute(_SQLITE))


def _duckdb_tables(path: Path) -> tuple[str, ...]:
    import duckdb

    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute(_DUCKDB).fetchall()
    return tuple(name if schema == "main" else f"{schema}.{name}" for schema, name in rows)
