"""Change-only as-of copies of upstream tables: what was known when, kept from the day this is installed.

A snapshot file holds the rows that are new or differ from the latest kept version of their key, and a tombstone for each
key that is gone. It is named by its moment; a moment without changes has no file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from recsysops.errors import ConfigError, StateError
from recsysops.tables.atomic import write_atomically
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.parquet_sql import read_parquet_sql
from recsysops.tables.relation import partition_view
from recsysops.tables.table import Table

KEPT_AT = "_kept_at"
IS_GONE = "_is_gone"
_NAME = "%Y%m%dT%H%M%S.%fZ"


@dataclass(frozen=True)
class SnapshotResult:
    """What a snapshot found. ``path`` is None when nothing had changed and nothing was written."""

    table: str
    path: Path | None
    n_rows: int
    n_changed: int
    n_gone: int


def snapshot_key(table: Table) -> tuple[str, ...]:
    """The columns that identify a row apart from time: those of the key roles that the table has, without its clock."""
    columns = [table.schema.role(role) for role in table.contract.key if role != table.contract.clock]
    return tuple(column.name for column in columns if column is not None)


def take_snapshot(table: Table, folder: Path, as_of: datetime) -> SnapshotResult:
    """Keep what has changed since the latest snapshot; doing it again with the same content writes nothing.

    Of several rows of one key the one with the latest as-of time counts. Taking the newest snapshot again with other
    content replaces it.

    Args:
        table: items, availability, item_features or member_features.
        folder: where the table's snapshots are kept.
        as_of: the moment the content was true, with a zone; not before the newest snapshot.

    Raises:
        ConfigError: if ``as_of`` has no zone or lies before the newest snapshot, or the table has no key.
        SchemaError, SourceError: as ``Table.batches``.
        StateError: if kept snapshots cannot be read.
    """
    key, kept = snapshot_key(table), snapshot_files(folder)
    path = folder / f"{_utc(as_of).strftime(_NAME)}.parquet"
    _refuse_unfit(table, key, kept, path)
    with duckdb.connect() as connection, _damaged_state(folder):
        n_rows = _load_current(connection, table, key, as_of)
        n_changed, n_gone = _find_changes(connection, key, kept)
        if not n_changed + n_gone:
            return SnapshotResult(table.name, None, n_rows, 0, 0)
        if path in kept:
            n_changed, n_gone = _find_changes(connection, key, [file for file in kept if file != path])
        delta = connection.sql(
            f"SELECT *, false AS {IS_GONE}, $at::TIMESTAMPTZ AS {KEPT_AT} FROM changed UNION ALL BY NAME "
            f"SELECT *, true AS {IS_GONE}, $at::TIMESTAMPTZ AS {KEPT_AT} FROM gone",
            params={"at": _utc(as_of)},
        )
        write_atomically(path, lambda temporary: delta.write_parquet(str(temporary), compression="zstd"))
        return SnapshotResult(table.name, path, n_rows, n_changed, n_gone)


def snapshot_files(folder: Path) -> list[Path]:
    """Kept snapshots, oldest first."""
    return sorted(path for path in folder.glob("*.parquet") if not path.name.startswith("."))


def as_of_view(
    connection: duckdb.DuckDBPyConnection, folder: Path, key: Sequence[str], at: datetime, view: str
) -> str | None:
    """Make a temporary view of a table as it was known at a moment; columns that came later are there, and NULL.

    Args:
        connection: where the view is made.
        folder: the table's snapshots.
        key: ``snapshot_key`` of the table.
        at: the moment, with a zone.
        view: name of the view; one of the same name is replaced.

    Returns:
        The quoted name, or None when nothing was known yet.

    Raises:
        ConfigError: if ``at`` has no zone.
        StateError: if kept snapshots cannot be read.
    """
    last = _utc(at).strftime(_NAME)
    files = [path for path in snapshot_files(folder) if path.stem <= last]
    if not files:
        return None
    name = quote_identifier(view)
    with _damaged_state(folder):
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {_latest(files, key)}")
    return name


def _refuse_unfit(table: Table, key: Sequence[str], kept: Sequence[Path], path: Path) -> None:
    where = f"snapshot of {table.name}"
    if not key:
        raise ConfigError(where, found="a table without a key", expected="an upstream table")
    if kept and path.name < kept[-1].name:
        found = f"as_of {path.stem}, before the newest snapshot {kept[-1].stem}"
        raise ConfigError(where, found=found, next_step="take snapshots in order of time")


def _latest(files: Sequence[Path], key: Sequence[str]) -> str:
    partition = ", ".join(map(quote_identifier, key))
    return (
        f"SELECT * EXCLUDE ({KEPT_AT}, {IS_GONE}) FROM (FROM {read_parquet_sql(files)} "
        f"QUALIFY row_number() OVER (PARTITION BY {partition} ORDER BY {KEPT_AT} DESC) = 1) WHERE NOT {IS_GONE}"
    )


def _load_current(connection: duckdb.DuckDBPyConnection, table: Table, key: Sequence[str], as_of: datetime) -> int:
    """Fill the table ``current`` with one row per key, and give their number."""
    clock = table.schema.role(table.contract.clock) if table.contract.clock else None
    columns = [column.name for column in table.schema.columns]
    partitions = table.partitions()
    schemas = [_plain(table.arrow_schema(partition, columns)) for partition in partitions]
    connection.register("empty", pa.unify_schemas(schemas, promote_options="permissive").empty_table())
    connection.execute("CREATE TEMP TABLE staged AS FROM empty")
    for partition in partitions:
        with partition_view(connection, table, partition, columns, "part") as view:
            connection.execute(f"INSERT INTO staged FROM {view}").fetchall()
    names = ", ".join(map(quote_identifier, key))
    order = f"{quote_identifier(clock.name)} DESC NULLS LAST, " if clock else ""
    known = f"WHERE {quote_identifier(clock.name)} IS NULL OR {quote_identifier(clock.name)} <= $at" if clock else ""
    exclude = f"EXCLUDE ({quote_identifier(clock.name)})" if clock else ""
    connection.execute(
        f"CREATE TEMP TABLE current AS SELECT * {exclude} FROM (FROM staged {known} "
        f"QUALIFY row_number() OVER (PARTITION BY {names} ORDER BY {order} hash(staged)) = 1)",
        {"at": _utc(as_of)} if clock else None,
    )
    return _count(connection, "current")


def _find_changes(connection: duckdb.DuckDBPyConnection, key: Sequence[str], kept: Sequence[Path]) -> tuple[int, int]:
    """Fill ``changed`` and ``gone`` by comparing ``current`` with the latest kept versions; give their numbers of rows.

    EXCEPT compares NULL with NULL and NaN with NaN as equal, which is what unchanged means.
    """
    latest = _latest(kept, key) if kept else "FROM current LIMIT 0"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE known AS (FROM current LIMIT 0) UNION ALL BY NAME ({latest})")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE changed AS "
        "((FROM known LIMIT 0) UNION ALL BY NAME (FROM current)) EXCEPT (FROM known)"
    )
    same_key = " AND ".join(f"known.{name} IS NOT DISTINCT FROM current.{name}" for name in map(quote_identifier, key))
    names = ", ".join(f"known.{quote_identifier(name)}" for name in key)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE gone AS SELECT {names} FROM known ANTI JOIN current ON {same_key}"
    )
    return _count(connection, "changed"), _count(connection, "gone")


def _plain(schema: pa.Schema) -> pa.Schema:
    """Dictionaries as what they hold, so that partitions with and without them agree."""
    return pa.schema(
        [(field.name, field.type.value_type if pa.types.is_dictionary(field.type) else field.type) for field in schema]
    )


def _count(connection: duckdb.DuckDBPyConnection, name: str) -> int:
    [(n_rows,)] = connection.execute(f"SELECT count(*) FROM {name}").fetchall()
    return int(n_rows)


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ConfigError("as_of", found=f"{moment.isoformat()} without a zone", expected="a zone, e.g. +00:00")
    return moment.astimezone(UTC)


@contextmanager
def _damaged_state(folder: Path) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        raise StateError(
            str(folder),
            found=str(error).splitlines()[0][:300],
            expected="snapshots that can be read",
            next_step="move the damaged file away; the next snapshot keeps the whole table again",
        ) from error
