"""A view as a source: one partition for each of its base's, with the fingerprints of all that it reads."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from recsysops.config.settings import SourceSettings, TableSettings
from recsysops.errors import RecSysOpsError, SourceError
from recsysops.tables.contract import Kind
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Schema, TableSchema
from recsysops.tables.shifted_days import shifted
from recsysops.tables.source import Partition
from recsysops.tables.table import Table
from recsysops.tables.views.normal_rows import SQL_TYPES, register_rows
from recsysops.tables.views.view import Folders, Lookup, Transform, View

if TYPE_CHECKING:
    import duckdb

BATCH_ROWS = 65_536
_DAY = re.compile(r"(?:^|/)[^/=]+=(\d{4}-\d{2}-\d{2})(?=/|$)")
VALUES_VERSION = 2
"""Raised when the same query gives other values than before."""
ARROW_TYPES: dict[Kind, pa.DataType] = {
    "numeric": pa.float64(),
    "categorical": pa.string(),
    "timestamp": pa.timestamp("us", "UTC"),
    "boolean": pa.bool_(),
}
DaysOf = Callable[[str], Mapping[str, tuple[tuple[date, int], ...]]]
"""Table → partition key → (event day, rows) of each of its days, as far as the table has been counted."""


@dataclass(frozen=True)
class ViewTable(Table):
    """A view opened like a table; its counts depend on how the tables that it reads are bound."""

    derived: str = ""

    @property
    def binding(self) -> str:
        """Changes with the view, its query and the binding of every table that it reads."""
        return hashlib.sha256(f"{super().binding}\x1f{self.derived}".encode()).hexdigest()[:20]


def open_view(
    view: View,
    tables: Mapping[str, Table],
    days_of: DaysOf,
    connect: Callable[[], duckdb.DuckDBPyConnection],
    *,
    transform: Transform | None = None,
    folders: Folders | None = None,
) -> ViewTable | None:
    """The view over opened tables, or None when these lack something it needs.

    Args:
        view: which.
        tables: the workspace's own.
        days_of: their days, as counted.
        connect: opens a DuckDB to join in.
        transform: makes the view's rows of what its query gives; needs ``folders``.
        folders: where files may lie that rows name.
    """
    schemas = Schema({name: table.schema for name, table in tables.items()})
    schema = view.schema(schemas)
    if schema is None:
        return None
    read = [tables[view.base], *(tables[one.table] for one in view.lookups(schemas))]
    query = view.sql(schemas)
    derived = "\x1f".join([str(VALUES_VERSION), str(view.version), query, *(table.binding for table in read)])
    roles = {column.role: column.name for column in schema.columns if column.role}
    settings = TableSettings(source=SourceSettings(path=view.contract.name), roles=roles, slices=list(schema.slices))
    source = ViewSource(view, schema, query, tables, view.lookups(schemas), days_of, connect, transform, folders)
    return ViewTable(view.contract.name, settings, source, schema, "UTC", derived=derived)


@dataclass(frozen=True)
class ViewSource:
    """Rows of a view, computed when they are asked for.

    A table without a clock (availability) is taken as it is when a partition is counted: it does not enter fingerprints.
    """

    view: View
    view_schema: TableSchema
    query: str
    tables: Mapping[str, Table]
    looked_up: tuple[Lookup, ...]
    days_of: DaysOf
    connect: Callable[[], duckdb.DuckDBPyConnection]
    transform: Transform | None = None
    folders: Folders | None = None

    def partitions(self) -> tuple[Partition, ...]:
        """One for each base partition that has been counted; another one of any look-up's gives another fingerprint."""
        days = self.days_of(self.view.base)
        prints = {
            lookup.table: {one.key: one.fingerprint for one in self.tables[lookup.table].partitions()}
            for lookup in self.looked_up
        }
        return tuple(
            replace(one, fingerprint=self._fingerprint(one, days[one.key], prints))
            for one in self.tables[self.view.base].partitions()
            if days.get(one.key)
        )

    def schema(self, _partition: Partition) -> pa.Schema:
        """The view's columns, the same for every partition."""
        return pa.schema([(column.name, ARROW_TYPES[column.kind]) for column in self.view_schema.columns])

    def batches(self, partition: Partition, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Rows in the order of the view's key, so that the same files give the same batches."""
        import duckdb

        base = self.tables[self.view.base]
        days = self.days_of(self.view.base).get(partition.key, ())
        with ExitStack() as stack:
            try:
                connection = stack.enter_context(self.connect())
                register_rows(stack, connection, base, [one for one in base.partitions() if one.key == partition.key])
                for lookup in self.looked_up:
                    register_rows(
                        stack, connection, self.tables[lookup.table], self._looked_up(lookup, days), lookup.relation
                    )
                relation = self._relation(connection)
                yield from connection.sql(self._select(columns, relation)).to_arrow_reader(BATCH_ROWS)
            except RecSysOpsError:
                raise
            except duckdb.Error as error:
                raise SourceError(
                    f"{self.view.contract.name}: {partition.key}",
                    found=str(error).splitlines()[0][:200],
                    expected="rows that can be joined",
                    next_step="`recsysops check` looks at every file",
                ) from error

    def reads(self, partition: Partition) -> dict[str, dict[str, Partition]]:
        """The partitions that its rows are made of, by table and key."""
        days = self.days_of(self.view.base).get(partition.key, ())
        base = {one.key: one for one in self.tables[self.view.base].partitions() if one.key == partition.key}
        found = {self.view.base: base}
        for lookup in self.looked_up if days else ():
            known = found.setdefault(lookup.table, {})
            known.update({one.key: one for one in self._looked_up(lookup, days)})
        return found

    def parquet_path(self, _partition: Partition) -> Path | None:
        """None: no file holds the rows."""
        return None

    def _relation(self, connection: duckdb.DuckDBPyConnection) -> str:
        """The view's rows as SQL: its query, or what a transform makes of that."""
        if self.transform is None or self.folders is None:
            return f"({self.query})"
        queried = connection.sql(self.query).to_arrow_table()
        connection.register("transformed rows", self.transform(queried, self.tables, self.folders))
        return quote_identifier("transformed rows")

    def _select(self, columns: Sequence[str], relation: str) -> str:
        kinds = {column.name: column.kind for column in self.view_schema.columns}
        wanted = ", ".join(
            f"CAST({_settled(quote_identifier(name), kinds[name])} AS {SQL_TYPES[kinds[name]]}) AS {quote_identifier(name)}"
            for name in columns
        )
        order = ", ".join(quote_identifier(name) for name in self.view.contract.key)
        return f"SELECT {wanted} FROM {relation} ORDER BY {order}"

    def _looked_up(self, lookup: Lookup, days: Sequence[tuple[date, int]]) -> list[Partition]:
        wanted = self._keys(lookup, days)
        return [one for one in self.tables[lookup.table].partitions() if one.key in wanted]

    def _keys(self, lookup: Lookup, days: Sequence[tuple[date, int]]) -> dict[str, tuple[tuple[date, int], ...]]:
        """The partitions that have rows of the days looked up, with those days.

        Of a table without a clock all that were there by then, as far as their paths tell a day; all of them where none was:
        an export that was made later still says what held.
        """
        first = shifted(min(day for day, _ in days), -lookup.days_before)
        last = shifted(max(day for day, _ in days), lookup.days_after)
        known = self.days_of(lookup.table)
        if self.tables[lookup.table].contract.clock == "":
            return {key: own for key, own in known.items() if (_day_of(key) or last) <= last} or dict(known)
        reached = {key: tuple(one for one in own if first <= one[0] <= last) for key, own in known.items()}
        return {key: own for key, own in reached.items() if own}

    def _fingerprint(
        self, base: Partition, days: Sequence[tuple[date, int]], prints: Mapping[str, Mapping[str, str]]
    ) -> str:
        digest = hashlib.sha256(base.fingerprint.encode())
        for lookup in self.looked_up:
            reached = self._keys(lookup, days)
            for key in sorted(reached):
                is_past = lookup.is_as_of and reached[key] != self.days_of(lookup.table)[key]
                is_past = is_past or not self.tables[lookup.table].contract.clock
                digest.update(f"\x1f{key}\x1f{reached[key] if is_past else prints[lookup.table].get(key)}".encode())
        return digest.hexdigest()


def _day_of(key: str) -> date | None:
    """The day that a partition's path names, as in ``day=2026-11-02``; None where it names none.

    Example:
        >>> _day_of("periods/day=2026-11-02/part-0.parquet"), _day_of("periods.parquet"), _day_of("day=2026-99-99/a")
        (datetime.date(2026, 11, 2), None, None)
    """
    named = _DAY.search(key)
    try:
        return date.fromisoformat(named[1]) if named else None
    except ValueError:
        return None


def _settled(value: str, kind: Kind) -> str:
    """Numbers at single precision: sums over a request's rows differ in their last digits with the order of threads, and
    must not fall into another bin for that."""
    return f"CAST({value} AS FLOAT)" if kind == "numeric" else value
