"""A table or view of a database: a partition per day, per value of a column, or the whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pyarrow as pa

from recsysops.config.settings import SourceSettings
from recsysops.errors import ConfigError, SourceError
from recsysops.tables.database_drivers import open_driver, table_of
from recsysops.tables.database_sql import DatabaseTable
from recsysops.tables.file_source import MAX_BATCH_ROWS, refuse_unknown
from recsysops.tables.nearest import did_you_mean
from recsysops.tables.source import Partition

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

OPTIONS = ("day_column", "partition_column", "changed_column")


@dataclass(frozen=True)
class _Listed:
    """What the last look found: the table, and its partitions with the values that tell them apart."""

    table: DatabaseTable
    partitions: Mapping[str, Partition]
    values: Mapping[str, Any]


class DatabaseSource:
    """A table or view of a database.

    What has changed is seen from each partition's number of rows and newest ``changed_column``. Without such a column
    a checksum is taken over all its rows, which costs one read of the table for every run.

    Args:
        settings: ``path`` is the database's URL (``postgresql://…``, ``sqlite:///…``, any of SQLAlchemy's), ``table`` is
            ``name`` or ``schema.name``. Options: ``day_column`` (a time: one partition per UTC day) or
            ``partition_column`` (one partition per value), and ``changed_column``.
        root: the workspace folder.

    Raises:
        ConfigError: if no table is named, or an option is unknown.
        PluginError: if no driver is installed for the database.
    """

    def __init__(self, settings: SourceSettings, root: Path) -> None:
        if settings.table is None:
            raise ConfigError("source.table", found="none", expected="name or schema.name", next_step="name the table")
        for name in settings.options:
            if name not in OPTIONS:
                hint = did_you_mean(name, OPTIONS, "remove it")
                raise ConfigError("source.options", found=repr(name), expected=", ".join(OPTIONS), next_step=hint)
        self._name = settings.table
        self._driver = open_driver(settings.path, root)  # from here on nothing shows the URL, which may hold a password
        self._day, self._by, self._changed = (str(settings.options.get(name, "")) or None for name in OPTIONS)
        if self._day and self._by:
            raise ConfigError("source.options", found=f"{OPTIONS[0]} and {OPTIONS[1]}", next_step="keep one of them")
        self._listed: _Listed | None = None

    def partitions(self) -> tuple[Partition, ...]:
        """What the table holds now, by key."""
        with self._reading():
            table = table_of(self._driver, self._name, self._name)
            for name in filter(None, (self._day, self._by, self._changed)):
                refuse_unknown([name], table.schema, f"{self._name}: source.options")
            by = table.day(self._day) if self._day else table.value(self._by) if self._by else None
            partitions, values = {}, {}
            for value, n_rows, newest in self._driver.rows(table.select_groups(by, self._changed)):
                known = date.fromisoformat(str(value)[:10]) if self._day and value is not None else value
                one = self._partition(table, known, n_rows, newest)
                partitions[one.key], values[one.key] = one, known
        self._listed = _Listed(table, partitions, values)
        return tuple(partitions[key] for key in sorted(partitions))

    def schema(self, partition: Partition) -> pa.Schema:
        """Columns as the catalogue declares them; types that Arrow does not have are text."""
        return self._holding(partition).table.schema

    def batches(self, partition: Partition, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Rows of a partition, streamed; at most 131,072 at a time."""
        listed = self._holding(partition)
        refuse_unknown(columns, listed.table.schema, partition.key)
        with self._reading():
            yield from self._rows(listed.table, listed.values[partition.key], columns)

    def parquet_path(self, partition: Partition) -> Path | None:
        """None: there is no file."""
        return None

    def _rows(self, table: DatabaseTable, value: Any, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        schema = pa.schema([table.schema.field(name) for name in columns])
        for batch in self._driver.batches(table.select_rows(columns, self._where(table, value)), schema):
            yield from (batch.slice(start, MAX_BATCH_ROWS) for start in range(0, batch.num_rows, MAX_BATCH_ROWS))

    def _where(self, table: DatabaseTable, value: Any) -> ColumnElement[bool] | None:
        column = self._day or self._by
        if column is None:
            return None
        own = table.day(column) if self._day else table.value(column)
        if value is None:
            return own.is_(None)
        return table.on_day(column, value) if self._day else own == value

    def _partition(self, table: DatabaseTable, value: Any, n_rows: int, newest: Any) -> Partition:
        column = self._day or self._by
        key = self._name if column is None else f"{self._name}/{quote(column, safe=' ')}"
        key += "" if value is None else f"={quote(str(value), safe=' -:')}"  # NULL is told from the empty text
        content = f"{newest}" if self._changed else _checksum(self._rows(table, value, table.schema.names), table)
        digest = hashlib.sha256("\0".join([key, str(n_rows), content, str(table.schema)]).encode()).hexdigest()
        return Partition(key, digest, 0, _moment(newest) or _moment(value) or 0.0)

    def _holding(self, partition: Partition) -> _Listed:
        """The last look, or else a new one, that found the partition."""
        if self._listed is None or partition.key not in self._listed.partitions:
            self.partitions()
        assert self._listed is not None
        if partition.key not in self._listed.partitions:
            raise SourceError(partition.key, found="no rows any more", next_step="run again")
        return self._listed

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Whatever the driver raises, as a SourceError that names the table and not the URL."""
        try:
            yield
        except self._driver.errors as error:
            lines = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
            raise SourceError(
                self._name,
                found=lines[0][:300],
                expected="a table that can be read",
                next_step="check source.path and the rights of its role",
            ) from error


def _checksum(batches: Iterator[pa.RecordBatch], table: DatabaseTable) -> str:
    """A digest of rows in any order."""
    import duckdb

    failures: list[Exception] = []

    def watched() -> Iterator[pa.RecordBatch]:
        try:
            yield from batches
        except Exception as error:  # DuckDB would pass on its text alone
            failures.append(error)
            raise

    with duckdb.connect(":memory:") as connection:
        connection.register("content", pa.RecordBatchReader.from_batches(table.schema, watched()))
        try:
            row = connection.execute("SELECT sum(hash(content)), bit_xor(hash(content)) FROM content").fetchone()
        except duckdb.Error:
            if failures:
                raise failures[0] from None
            raise
    return str(row)


def _moment(value: Any) -> float | None:
    """A time, or the end of a day, as seconds since the epoch; None for anything else."""
    try:
        moment = value if isinstance(value, date) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment + timedelta(days=1), datetime.min.time())
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
