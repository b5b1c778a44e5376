"""Counts over the rows of one partition, by DuckDB, in canonical values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryDirectory

import duckdb

from recsysops.tables.contract import ID, NUMBER
from recsysops.tables.identifiers import quote_identifier, quote_text
from recsysops.tables.relation import partition_view
from recsysops.tables.source import Partition
from recsysops.tables.table import Table

MAX_FEATURES = 300
_VIEW = "inspected"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class RowFacts:
    """What the rows of one partition say. Counts are rows."""

    table: str
    partition: str
    n_rows: int
    counts: Mapping[str, int]
    """By the names in :func:`_questions`, e.g. ``null.item_id``, ``future``, ``propensity``."""
    first_ts: datetime | None = None
    last_ts: datetime | None = None
    empty_features: tuple[str, ...] = ()
    constant_features: tuple[str, ...] = ()
    n_duplicates: int = 0
    duplicate_example: str = ""


@contextmanager
def inspecting() -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB connection with bounded memory that spills to a temporary folder."""
    with TemporaryDirectory(prefix="recsysops-check-") as folder, duckdb.connect() as connection:
        connection.execute("SET memory_limit = '1GB'")
        connection.execute(f"SET temp_directory = {quote_text(folder)}")
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def count_rows(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    partition: Partition,
    *,
    now: datetime,
    day: tuple[datetime, datetime] | None,
) -> RowFacts:
    """Facts of one partition, read once for the counts and once more for the keys.

    Args:
        connection: from :func:`inspecting`.
        table: the table.
        partition: one of its partitions.
        now: rows after it are from the future.
        day: the (first, past the last) moment of the day that the partition's path names.

    Raises:
        SchemaError, SourceError: if rows cannot be read.
    """
    questions = _questions(table, now, day)
    features = [feature.name for feature in table.schema.features][:MAX_FEATURES]
    selected = ["count(*)", *questions.values(), *_feature_questions(features)]
    columns = list(dict.fromkeys([*_role_columns(table).values(), *features]))
    with partition_view(connection, table, partition, columns, _VIEW) as view:
        row = connection.execute(f"SELECT {', '.join(selected)} FROM {view}").fetchall()[0]
    n_rows, counts = row[0], dict(zip(questions, row[1:], strict=False))
    first, last = _moment(counts.pop("first", None)), _moment(counts.pop("last", None))
    answers = row[1 + len(questions) :]
    present, is_same = answers[::2], answers[1::2]
    empty = tuple(name for name, n in zip(features, present, strict=True) if n == 0)
    constant = tuple(name for name, n, same in zip(features, present, is_same, strict=True) if n > 1 and same)
    n_duplicates, example = _duplicates(connection, table, partition)
    return RowFacts(table.name, partition.key, n_rows, counts, first, last, empty, constant, n_duplicates, example)


def _feature_questions(features: Sequence[str]) -> Iterator[str]:
    """Two aggregates per feature: values that are there, and whether they are all the same."""
    for name in features:
        column = quote_identifier(name)
        yield f"count({column})"
        yield f"min({column}) IS NOT DISTINCT FROM max({column})"


def _questions(table: Table, now: datetime, day: tuple[datetime, datetime] | None) -> dict[str, str]:
    """name: SQL aggregate."""
    roles = {role: quote_identifier(column) for role, column in _role_columns(table).items()}
    asked: dict[str, str] = {}
    for role in table.contract.roles:
        if role.kinds == ID and role.name in roles:
            asked[f"null.{role.name}"] = f"count(*) FILTER ({roles[role.name]} IS NULL)"
        if role.kinds == NUMBER and role.name in ("score", "raw_score") and role.name in roles:
            asked[f"present.{role.name}"] = f"count(*) FILTER (NOT isnan({roles[role.name]}::DOUBLE))"
    if "position" in roles:
        asked["position"] = f"count(*) FILTER ({roles['position']} < 1)"
        asked["fraction"] = f"count(*) FILTER ({roles['position']} <> floor({roles['position']}))"
    if "propensity" in roles:
        value = roles["propensity"]
        asked["propensity"] = f"count(*) FILTER ({value} <= 0 OR {value} > 1)"
    clock = roles.get(table.contract.clock)
    if clock:
        asked |= _clock_questions(f"epoch_us({clock})", now, day)
    return asked


def _clock_questions(micros: str, now: datetime, day: tuple[datetime, datetime] | None) -> dict[str, str]:
    asked = {
        "first": f"min({micros})",
        "last": f"max({micros})",
        "null.clock": f"count(*) FILTER ({micros} IS NULL)",
        "early": f"count(*) FILTER ({micros} < {_micros(datetime(2000, 1, 1, tzinfo=UTC))})",
        "future": f"count(*) FILTER ({micros} > {_micros(now)})",
    }
    if day:
        asked["outside"] = f"count(*) FILTER ({micros} < {_micros(day[0])} OR {micros} >= {_micros(day[1])})"
    return asked


def _duplicates(connection: duckdb.DuckDBPyConnection, table: Table, partition: Partition) -> tuple[int, str]:
    """(rows beyond the first of their key, the most frequent such key); only where the key's first role is mapped."""
    by_role = _role_columns(table)
    keys = [by_role[role] for role in table.contract.key if role in by_role]
    if table.contract.key[0] not in by_role:
        return 0, ""
    names = ", ".join(map(quote_identifier, keys))
    with partition_view(connection, table, partition, keys, _VIEW) as view:
        query = (
            f"SELECT {names}, count(*), sum(count(*) - 1) OVER () FROM {view} "
            f"GROUP BY {names} HAVING count(*) > 1 ORDER BY count(*) DESC, {names} LIMIT 1"
        )
        rows = connection.execute(query).fetchall()
    if not rows:
        return 0, ""
    row = rows[0]
    example = ", ".join(f"{name}={value!r}"[:80] for name, value in zip(keys, row, strict=False))
    return int(row[-1]), f"{example} {row[-2]} times"


def _role_columns(table: Table) -> dict[str, str]:
    return {column.role: column.name for column in table.schema.columns if column.role}


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _moment(micros: int | None) -> datetime | None:
    try:
        return None if micros is None else _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        return None
