"""Tables and views of a DuckDB file, opened read-only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import duckdb
import pyarrow as pa

from recsysops.errors import SourceError
from recsysops.tables.database_tables import choose_table
from recsysops.tables.file_source import FileSource
from recsysops.tables.formats import ENDINGS
from recsysops.tables.identifiers import quote_identifier

BATCH_ROWS = 65_536


class DuckDbSource(FileSource):
    """One table or view (``source.table``) of a DuckDB file; each file is a partition."""

    format: ClassVar[str] = "duckdb"
    suffixes: ClassVar[tuple[str, ...]] = (*ENDINGS["duckdb"], ".db")

    def companions(self, path: Path) -> tuple[Path, ...]:
        """The write-ahead log."""
        return (path.with_name(path.name + ".wal"),)

    def read_schema(self, path: Path) -> pa.Schema:
        """Columns as DuckDB hands them to Arrow."""
        with _connected(path) as connection:
            reader: pa.RecordBatchReader = connection.sql(f"FROM {self._table(connection, path)}").to_arrow_reader(1)
            return reader.schema

    def read_batches(self, path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Batches of up to 65,536 rows, streamed."""
        chosen = ", ".join(quote_identifier(name) for name in columns)
        with _connected(path) as connection:
            query = f"SELECT {chosen} FROM {self._table(connection, path)}"
            reader: pa.RecordBatchReader = connection.sql(query).to_arrow_reader(BATCH_ROWS)
            yield from reader

    def _table(self, connection: duckdb.DuckDBPyConnection, path: Path) -> str:
        rows = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_catalog = current_database()"
        ).fetchall()
        known = {name if schema == "main" else f"{schema}.{name}": (schema, name) for schema, name in rows}
        return ".".join(map(quote_identifier, known[choose_table(self.settings.table, list(known), path)]))


@contextmanager
def _connected(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection; DuckDB's errors become a SourceError that names the file."""
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            yield connection
    except duckdb.Error as error:
        found = str(error).splitlines()[0][:300]
        advice = "close the program that has it open" if "lock" in found else "check the file and its views"
        raise SourceError(str(path), found=found, expected="a DuckDB database", next_step=advice) from error
