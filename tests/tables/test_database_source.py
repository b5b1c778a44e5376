"""Tables of a database: partitions by day or value, what has changed, every type and every hostile name."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from table_files import read_rows, source_of

from recsysops.errors import ConfigError, PluginError, SchemaError, SourceError
from recsysops.tables.source import Source

HOSTILE = ['NO"', "'; DROP TABLE logs; --", "a/b=c", "%s :x ?", "🎬", ""]
NAME = 'lo"gs; --'
BY_DAY: dict[str, Any] = {"day_column": "ts", "changed_column": "changed"}


def run(path: Path, statement: str, rows: Sequence[tuple[Any, ...]] = ((),)) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executemany(statement, rows)
        connection.commit()


@pytest.fixture(params=["sqlite", "sqlite+pysqlite"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A SQLite file with three days and some rows without a day; its URL, over ADBC and over DB-API."""
    if request.param == "sqlite":
        pytest.importorskip("adbc_driver_sqlite")
    path = tmp_path / "logs.db"
    run(path, 'CREATE TABLE logs (id INTEGER, ts DATETIME, market TEXT, changed TEXT, "x:y %s" REAL)')
    rows = [
        (1, "2026-03-01 00:00:00", HOSTILE[0], "2026-03-02T01:00:00", 0.5),
        (2, "2026-03-01 23:59:59.999", HOSTILE[1], "2026-03-02T01:00:00", None),
        (3, "2026-03-02", HOSTILE[2], "2026-03-03T01:00:00", 1),
        (4, "2026-03-03T12:00:00", HOSTILE[3], "2026-03-04T01:00:00", 2.5),
        (5, None, HOSTILE[4], "2026-03-04T01:00:00", 2.5),
        (6, None, HOSTILE[5], None, 2.5),
        (7, "2026-03-03", None, None, 2.5),
    ]
    run(path, "INSERT INTO logs VALUES (?, ?, ?, ?, ?)", rows)
    return f"{request.param}:///logs.db"


def opened(root: Path, url: str, table: str = "logs", **options: str) -> Source:
    return source_of(root, url, table=table, options=options)


def ids(source: Source) -> dict[str, list[int]]:
    return {
        one.key: [row["id"] for batch in source.batches(one, ["id"]) for row in batch.to_pylist()]
        for one in source.partitions()
    }


def test_a_partition_per_day_and_one_for_rows_without(tmp_path: Path, database: str) -> None:
    assert ids(opened(tmp_path, database, day_column="ts")) == {
        "logs/ts": [5, 6],
        "logs/ts=2026-03-01": [1, 2],
        "logs/ts=2026-03-02": [3],
        "logs/ts=2026-03-03": [4, 7],
    }


def test_a_partition_per_value_whatever_it_is(tmp_path: Path, database: str) -> None:
    source = opened(tmp_path, database, partition_column="market")
    found = ids(source)
    assert sorted(found.values()) == [[number] for number in range(1, 8)]
    assert (found["logs/market="], found["logs/market"]) == ([6], [7]), "the empty text is not NULL"


def test_only_what_changed_has_another_fingerprint(tmp_path: Path, database: str) -> None:
    source = opened(tmp_path, database, **BY_DAY)
    before = {one.key: one for one in source.partitions()}
    assert source.partitions() == opened(tmp_path, database, **BY_DAY).partitions()
    run(tmp_path / "logs.db", "UPDATE logs SET market = 'SE', changed = '2026-03-09T00:00:00' WHERE id = 3")
    run(tmp_path / "logs.db", "INSERT INTO logs (id, ts) VALUES (8, '2026-03-04 01:00:00')")
    after = {one.key: one for one in source.partitions()}
    assert {key for key in after if before.get(key) != after[key]} == {"logs/ts=2026-03-02", "logs/ts=2026-03-04"}
    assert after["logs/ts=2026-03-02"].modified_at == datetime(2026, 3, 9, tzinfo=UTC).timestamp()


def test_without_a_column_of_changes_the_rows_are_summed_in_any_order(tmp_path: Path, database: str) -> None:
    source = opened(tmp_path, database, day_column="ts")
    before = {one.key: one for one in source.partitions()}
    run(tmp_path / "logs.db", 'UPDATE logs SET "x:y %s" = 0.25 WHERE id = 1')
    run(tmp_path / "logs.db", "CREATE TABLE again AS SELECT * FROM logs ORDER BY id DESC")
    run(tmp_path / "logs.db", "DELETE FROM logs")
    run(tmp_path / "logs.db", "INSERT INTO logs SELECT * FROM again")
    after = {one.key: one for one in source.partitions()}
    assert {key for key in after if before[key] != after[key]} == {"logs/ts=2026-03-01"}


def test_any_name_of_a_table(tmp_path: Path, database: str) -> None:
    run(tmp_path / "logs.db", 'CREATE TABLE "lo""gs; --" AS SELECT * FROM logs')
    assert sum(map(len, ids(opened(tmp_path, database, NAME)).values())) == 7


def test_a_view_is_a_table(tmp_path: Path, database: str) -> None:
    run(tmp_path / "logs.db", "CREATE VIEW seen AS SELECT id, market FROM logs WHERE id < 3")
    assert ids(opened(tmp_path, database, "seen")) == {"seen": [1, 2]}


def test_columns_that_are_null_for_long_keep_their_type(tmp_path: Path, database: str) -> None:
    run(tmp_path / "logs.db", "CREATE TABLE late (a TEXT, b REAL, d BOOLEAN)")
    rows = [(None, None, None)] * 70_000 + [("x", 0.5, True)]
    run(tmp_path / "logs.db", "INSERT INTO late VALUES (?, ?, ?)", rows)
    assert read_rows(opened(tmp_path, database, "late"))[-1] == {"a": "x", "b": 0.5, "d": True}


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        ("lgos", {}, "expected table 'lgos'; did you mean 'logs'"),
        ("logs", {"day_column": "tss"}, r"source.options: found no column 'tss'.*did you mean 'ts'"),
        ("logs", {"day": "ts"}, "found 'day', expected day_column"),
        ("logs", {"day_column": "ts", "partition_column": "market"}, "keep one of them"),
        (None, {}, "source.table: found none"),
    ],
)
def test_bad_settings_are_one_line(
    tmp_path: Path, database: str, table: str | None, options: dict[str, Any], message: str
) -> None:
    with pytest.raises((SourceError, ConfigError, SchemaError), match=message) as caught:
        source_of(tmp_path, database, table=table, options=options, format="database").partitions()
    assert "\n" not in str(caught.value)


def test_a_value_that_does_not_fit_its_column_is_one_line(tmp_path: Path, database: str) -> None:
    run(tmp_path / "logs.db", "INSERT INTO logs (id, \"x:y %s\") VALUES (9, 'many')")
    source = opened(tmp_path, database, **BY_DAY)
    with pytest.raises(SourceError, match=r"^logs: found .*expected a table that can be read"):
        read_rows(source)


def test_a_password_is_never_shown(tmp_path: Path) -> None:
    for driver in ("postgresql", "postgresql+psycopg"):
        pytest.importorskip("adbc_driver_postgresql" if driver == "postgresql" else "psycopg")
        url = f"{driver}://team:hunter2@127.0.0.1:1/logs"
        with pytest.raises(SourceError) as caught:
            opened(tmp_path, url).partitions()
        assert "hunter2" not in str(caught.value)
        assert "logs: found" in str(caught.value)


def test_a_driver_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="source nosuch: found no driver for it"):
        opened(tmp_path, "nosuch://host/logs")
    with pytest.raises(SourceError, match="no such file"):
        opened(tmp_path, "sqlite:///absent.db")
    with pytest.raises(PluginError, match=r"pip install 'recsysops\[database\]'"):
        opened(tmp_path, "postgresql+pg8000://host/logs")


@pytest.fixture(params=["postgresql", "postgresql+psycopg"])
def server(request: pytest.FixtureRequest, postgres_url: str) -> str:
    pytest.importorskip("adbc_driver_postgresql" if request.param == "postgresql" else "psycopg")
    return postgres_url.replace("postgresql+psycopg", request.param)


def test_postgresql_hands_over_every_type(tmp_path: Path, server: str) -> None:
    from sqlalchemy import create_engine

    engine = create_engine(server.replace("postgresql:", "postgresql+psycopg:"))
    schema = f"s {server.partition(':')[0]}"
    statements = f"""CREATE SCHEMA "{schema}";
        CREATE TABLE "{schema}"."lo""gs" (
            id bigint, small smallint, price numeric(9, 2), score real, "a%b:c" text, code uuid, tags jsonb,
            shown boolean, ts timestamptz, local timestamp, day date);
        INSERT INTO "{schema}"."lo""gs" VALUES
            (1, 2, 3.25, 0.5, 'x', '00000000-0000-0000-0000-000000000001', '{{"a": 1}}', true,
             '2026-03-01 23:30:00+02', '2026-03-01 23:30:00', '2026-03-01'),
            (2, NULL, 'NaN', 'NaN', NULL, NULL, NULL, NULL, '2026-03-01 23:30:00-02', NULL, NULL);"""
    with engine.begin() as connection:
        for statement in statements.split(";")[:-1]:
            connection.exec_driver_sql(statement.replace("%", "%%"))
    engine.dispose()
    source = opened(tmp_path, server, f'{schema}.lo"gs', day_column="ts")
    first, second = source.partitions()
    assert (first.key, second.key) == (f'{schema}.lo"gs/ts=2026-03-01', f'{schema}.lo"gs/ts=2026-03-02')
    [row] = [row for batch in source.batches(first, source.schema(first).names) for row in batch.to_pylist()]
    assert row == {
        "id": 1,
        "small": 2,
        "price": 3.25,
        "score": 0.5,
        "a%b:c": "x",
        "code": "00000000-0000-0000-0000-000000000001",
        "tags": '{"a": 1}',
        "shown": True,
        "ts": datetime(2026, 3, 1, 21, 30, tzinfo=UTC),
        "local": datetime(2026, 3, 1, 23, 30),  # noqa: DTZ001 - it has none
        "day": date(2026, 3, 1),
    }
    assert source.schema(first).field("ts").type == pa.timestamp("us", "UTC")
    by_code = opened(tmp_path, server, f'{schema}.lo"gs', partition_column="code")
    assert sorted(len(found) for found in ids(by_code).values()) == [1, 1]
