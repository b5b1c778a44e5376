"""Tables and views of a SQLite file, opened read-only."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from recsysops.errors import SourceError
from recsysops.tables.database_tables import choose_table
from recsysops.tables.file_source import FileSource
from recsysops.tables.formats import ENDINGS
from recsysops.tables.identifiers import quote_identifier

BATCH_ROWS = 65_536
SAMPLE_ROWS = 10_000
"""Rows looked at for columns whose declaration does not say what they hold."""

_TYPES: dict[str, pa.DataType] = {
    "integer": pa.int64(),
    "real": pa.float64(),
    "text": pa.string(),
    "blob": pa.binary(),
    "boolean": pa.bool_(),
}


class SqliteSource(FileSource):
    """One table or view (``source.table``) of a SQLite file; each file is a partition. SQLite stores NaN as NULL."""

    format: ClassVar[str] = "sqlite"
    suffixes: ClassVar[tuple[str, ...]] = (*ENDINGS["sqlite"], ".db")

    def companions(self, path: Path) -> tuple[Path, ...]:
        """The write-ahead log."""
        return (_wal(path),)

    def read_schema(self, path: Path) -> pa.Schema:
        """Columns by declared affinity; where it says nothing (dates, views), by the first 10,000 values."""
        with _connected(path) as connection:
            table = self._table(connection, path)
            declared = connection.execute(f"PRAGMA table_xinfo({table})").fetchall()
            return pa.schema([(row[1], _TYPES[_type_name(connection, table, row[1], row[2])]) for row in declared])

    def read_batches(self, path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Batches of up to 65,536 rows, streamed.

        Raises:
            SourceError: if a value does not fit the type of its column.
        """
        fields = [self.read_schema(path).field(name) for name in columns]
        chosen = ", ".join(quote_identifier(name) for name in columns)
        with _connected(path) as connection:
            cursor = connection.execute(f"SELECT {chosen} FROM {self._table(connection, path)}")
            while rows := cursor.fetchmany(BATCH_ROWS):
                arrays = [
                    _array(values, field, path) for values, field in zip(zip(*rows, strict=True), fields, strict=True)
                ]
                yield pa.RecordBatch.from_arrays(arrays, names=list(columns))

    def _table(self, connection: sqlite3.Connection, path: Path) -> str:
        rows = connection.execute(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
        )
        return quote_identifier(choose_table(self.settings.table, [name for (name,) in rows], path))


def _type_name(connection: sqlite3.Connection, table: str, column: str, declared: str) -> str:
    """SQLite's rules of affinity, with booleans beside them and a look at the values where they are silent."""
    words = declared.upper()
    if "BOOL" in words:
        return "boolean"
    if "INT" in words:
        return "integer"
    if any(word in words for word in ("CHAR", "CLOB", "TEXT")):
        return "text"
    if any(word in words for word in ("REAL", "FLOA", "DOUB", "NUMERIC", "DECIMAL")):
        return "real"
    name = quote_identifier(column)
    query = f"SELECT DISTINCT typeof({name}) FROM (SELECT {name} FROM {table} LIMIT {SAMPLE_ROWS})"
    seen = {kind for (kind,) in connection.execute(query)} - {"null"}
    return _widest(seen)


def _widest(seen: set[str]) -> str:
    if seen == {"integer", "real"}:
        return "real"
    return seen.pop() if len(seen) == 1 else "text"


def _array(values: Sequence[Any], field: pa.Field, path: Path) -> pa.Array:
    convert: Callable[[Any], Any] = bool if pa.types.is_boolean(field.type) else _same
    try:
        return pa.array([None if value is None else convert(value) for value in values], field.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise SourceError(
            f"{path} column {field.name!r}",
            found=str(error).splitlines()[0][:200],
            expected=f"values of type {field.type}, as declared",
            next_step="repair the values or declare the column TEXT",
        ) from error


def _same(value: Any) -> Any:
    return value


def _wal(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    """A read-only connection that makes no file; SQLite's errors become a SourceError that names the file."""
    # a database at rest in WAL mode cannot be opened without making a -shm file, except as immutable
    at_rest = path.stat().st_size > 18 and _header(path)[18] == 2 and not _wal(path).exists()
    query = "mode=ro&immutable=1" if at_rest else "mode=ro"
    try:
        uri = f"{path.absolute().as_uri()}?{query}"
        # batches may be drawn by a thread of DuckDB's; there is never more than one at a time
        with closing(sqlite3.connect(uri, uri=True, check_same_thread=False)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise SourceError(
            str(path), found=str(error), expected="a SQLite database", next_step="check the file and its views"
        ) from error


def _header(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(20)
