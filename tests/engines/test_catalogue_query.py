"""What the catalogue knew at the end of a day, against the rows it was made of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from recsysops.config.settings import WorkspaceSettings
from recsysops.engines.catalogue_query import read_catalogue
from recsysops.profiles.catalogue import AHEAD_DAYS, FIRST_DAYS, Catalogue
from recsysops.tables.open_tables import open_tables

DAY = date(2026, 11, 10)
NOW = datetime(2026, 11, 10, tzinfo=UTC)
TIMES = pa.timestamp("us", "UTC")
ITEM_ROLES = {"item_id": "item", "launch_at": "launch", "owner": "team", "expected_audience": "plan", "as_of": "known"}


def days(n: float) -> datetime:
    return NOW + timedelta(days=n)


def catalogue(folder: Path, periods: Mapping[str, pa.Array] | None = None, **items: pa.Array) -> Catalogue:
    """Read from one file of items and one of availability."""
    pq.write_table(pa.table(items), folder / "items.parquet")
    roles = {role: column for role, column in ITEM_ROLES.items() if column in items}
    tables = {"items": {"source": {"path": "items.parquet"}, "roles": roles}}
    if periods is not None:
        pq.write_table(pa.table(dict(periods)), folder / "availability.parquet")
        own = {"item_id": "item", "market": "market", "from": "from", "to": "to"}
        tables["availability"] = {"source": {"path": "availability.parquet"}, "roles": own}
    opened = open_tables(WorkspaceSettings.model_validate({"tables": tables}), folder)
    known = {one.key: ((DAY, 1),) for one in opened["items"].partitions()}
    return read_catalogue(opened, lambda name: known if name == "items" else {}, DAY, connection)


def connection() -> duckdb.DuckDBPyConnection:
    found = duckdb.connect()
    found.execute("SET TimeZone = 'UTC'")
    return found


def test_the_last_word_by_the_end_of_the_day_counts(tmp_path: Path) -> None:
    found = catalogue(
        tmp_path,
        item=pa.array(["a", "a", "a", "b"]),
        launch=pa.array([days(3), days(5), days(9), days(-2)], TIMES),
        team=pa.array(["old", "new", "too late", None]),
        plan=pa.array([10.0, 20.0, 30.0, 40.0]),
        known=pa.array([days(-3), days(0.9), days(1.1), days(-3)], TIMES),
    )
    assert found.is_known
    assert found.launches == {"a": days(5), "b": days(-2)}
    assert found.owners == {"a": "new"}
    assert found.audiences == {"a": 20.0, "b": 40.0}
    assert found.age_days("b", DAY) == 3.0


def test_only_launches_near_the_day_are_kept(tmp_path: Path) -> None:
    at = [days(-FIRST_DAYS - 1), days(-FIRST_DAYS), days(AHEAD_DAYS), days(AHEAD_DAYS + 1), None]
    found = catalogue(tmp_path, item=pa.array(list("abcde")), launch=pa.array(at, TIMES))
    assert sorted(found.launches) == ["b", "c"]
    assert found.audiences == {}
    assert found.owners == {}


def test_an_audience_must_be_a_number_above_zero(tmp_path: Path) -> None:
    plan = pa.array([0.0, -3.0, float("nan"), float("inf"), 7.0])
    found = catalogue(tmp_path, item=pa.array(list("abcde")), launch=pa.array([days(-1)] * 5, TIMES), plan=plan)
    assert found.audiences == {"e": 7.0}


def test_ends_of_availability_everywhere_and_by_market(tmp_path: Path) -> None:
    periods = {
        "item": pa.array(["a", "a", "b", "b", "c", "c"]),
        "market": pa.array(["NO", "DK", "NO", "DK", "NO", "NO"]),
        "from": pa.array([days(-50)] * 6, TIMES),
        "to": pa.array([days(-4), days(-2), days(-1), None, days(-30), days(7)], TIMES),
    }
    found = catalogue(tmp_path, periods, item=pa.array(["a"]), launch=pa.array([days(-80)], TIMES))
    assert found.ends == {"a": days(-2), "c": days(7)}, "what is open in one market has not ended"
    assert found.market_ends == {
        ("a", "NO"): days(-4),
        ("a", "DK"): days(-2),
        ("b", "NO"): days(-1),
        ("c", "NO"): days(7),
    }


def test_without_launches_nothing_is_known(tmp_path: Path) -> None:
    found = catalogue(tmp_path, item=pa.array(["a"]))
    assert found == Catalogue()
    assert not found.is_known
