"""Change-only copies give back what was known at any moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsysops.config.settings import SourceSettings, TableSettings
from recsysops.errors import ConfigError, SchemaError, StateError
from recsysops.tables.open_tables import open_table
from recsysops.tables.snapshots import as_of_view, snapshot_files, snapshot_key, take_snapshot
from recsysops.tables.table import Table

START = datetime(2026, 1, 1, tzinfo=UTC)
Content = dict[str, tuple[str | None, float | None]]
VALUES = st.tuples(st.sampled_from(["gold", "silver", None]), st.sampled_from([1.0, 2.5, float("nan"), None]))
HISTORIES = st.lists(st.dictionaries(st.sampled_from("abcde"), VALUES), min_size=1, max_size=5)


def items(root: Path, content: Content, **more: Any) -> Table:
    rows = {
        "item_id": pa.array(list(content), pa.string()),
        "tier": pa.array([tier for tier, _ in content.values()], pa.string()),
        "price": pa.array([price for _, price in content.values()], pa.float64()),
    }
    pq.write_table(pa.table(rows | more), root / "items.parquet")
    settings_ = TableSettings(source=SourceSettings(path="items.parquet"), roles={"item_id": "item_id", "tier": "tier"})
    return open_table("items", settings_, "UTC", root)


def known(folder: Path, at: datetime) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        view = as_of_view(connection, folder, ["item_id"], at, "known")
        return [] if view is None else connection.execute(f"FROM {view} ORDER BY item_id").fetchall()


@given(HISTORIES)
@settings(deadline=None, derandomize=True, max_examples=8)
def test_every_moment_is_given_back(tmp_path_factory: pytest.TempPathFactory, history: list[Content]) -> None:
    """Oracle: full copies of the table at each moment."""
    root = tmp_path_factory.mktemp("history")
    folder = root / "snapshots"
    for day, content in enumerate(history):
        take_snapshot(items(root, content), folder, START + timedelta(days=day))
    assert known(folder, START - timedelta(microseconds=1)) == []
    for day, content in enumerate(history):
        for hours in (0, 23):
            found = known(folder, START + timedelta(days=day, hours=hours))
            assert repr(found) == repr(sorted((item, *values) for item, values in content.items()))


def test_only_changes_are_kept_and_nothing_twice(tmp_path: Path) -> None:
    folder = tmp_path / "snapshots"
    first = take_snapshot(items(tmp_path, {"a": ("gold", 1.0), "b": (None, float("nan"))}), folder, START)
    assert (first.n_rows, first.n_changed, first.n_gone) == (2, 2, 0)
    again = take_snapshot(items(tmp_path, {"b": (None, float("nan")), "a": ("gold", 1.0)}), folder, START)
    assert (again.path, again.n_changed) == (None, 0)
    later = take_snapshot(items(tmp_path, {"a": ("gold", 2.0), "c": (None, None)}), folder, START + timedelta(days=1))
    assert (later.n_changed, later.n_gone) == (2, 1)
    assert snapshot_files(folder) == [first.path, later.path]
    assert later.path is not None
    assert pq.read_metadata(later.path).num_rows == 3
    assert {path.name for path in folder.iterdir()} == {path.name for path in snapshot_files(folder)}


def test_the_newest_can_be_taken_again_but_none_before_it(tmp_path: Path) -> None:
    folder = tmp_path / "snapshots"
    take_snapshot(items(tmp_path, {"a": ("gold", 1.0)}), folder, START)
    day = START + timedelta(days=1)
    take_snapshot(items(tmp_path, {"a": ("gold", 2.0), "b": ("gold", 1.0)}), folder, day)
    take_snapshot(items(tmp_path, {"a": ("gold", 3.0)}), folder, day)
    assert known(folder, day) == [("a", "gold", 3.0)]
    with pytest.raises(ConfigError, match="before the newest snapshot"):
        take_snapshot(items(tmp_path, {}), folder, START)
    with pytest.raises(ConfigError, match="without a zone"):
        take_snapshot(items(tmp_path, {}), folder, datetime.fromisoformat("2027-01-01"))


def test_columns_may_come_and_change_type(tmp_path: Path) -> None:
    folder = tmp_path / "snapshots"
    take_snapshot(items(tmp_path, {"a": ("gold", 1.0)}, rating=[1]), folder, START)
    day = START + timedelta(days=1)
    result = take_snapshot(items(tmp_path, {"a": ("gold", 1.0)}, rating=[1.5], new=["x"]), folder, day)
    assert result.n_changed == 1
    assert known(folder, day) == [("a", "gold", 1.0, 1.5, "x")]
    assert known(folder, START) == [("a", "gold", 1.0, 1)]


def test_rows_of_several_days_are_read_as_of_the_moment(tmp_path: Path) -> None:
    days = [START, START + timedelta(days=1), START + timedelta(days=5)]
    rows = {"item": ["a", "a", "a"], "market": ["NO"] * 3, "day": days, "length": [1, 2, 3]}
    pq.write_table(pa.table(rows), tmp_path / "features.parquet")
    roles = {"key": "item", "as_of": "day"}
    table = open_table(
        "item_features", TableSettings(source=SourceSettings(path="features.parquet"), roles=roles), "UTC", tmp_path
    )
    assert snapshot_key(table) == ("item",)
    folder = tmp_path / "snapshots"
    assert take_snapshot(table, folder, START + timedelta(days=2)).n_rows == 1
    with duckdb.connect() as connection:
        view = as_of_view(connection, folder, ["item"], START + timedelta(days=2), "known")
        assert connection.execute(f"SELECT length FROM {view}").fetchall() == [(2,)]
        assert as_of_view(connection, folder, ["item"], START, "none") is None


def test_a_damaged_snapshot_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "snapshots"
    result = take_snapshot(items(tmp_path, {"a": ("gold", 1.0)}), folder, START)
    assert result.path is not None
    result.path.write_bytes(result.path.read_bytes()[:-20])
    with pytest.raises(StateError, match="move the damaged file away"):
        take_snapshot(items(tmp_path, {"a": ("gold", 2.0)}), folder, START + timedelta(days=1))


def test_values_that_do_not_fit_are_the_tables_fault_not_the_states(tmp_path: Path) -> None:
    items(tmp_path, {"a": ("gold", 1.0)}, launch=pa.array(["soon"]))
    roles = {"item_id": "item_id", "launch_at": "launch"}
    settings_ = TableSettings(source=SourceSettings(path="items.parquet"), roles=roles)
    table = open_table("items", settings_, "UTC", tmp_path)
    with pytest.raises(SchemaError, match=r"items.launch in items.parquet: found .*soon"):
        take_snapshot(table, tmp_path / "snapshots", START)
    assert not (tmp_path / "snapshots").exists()
