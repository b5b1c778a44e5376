"""A table that grows by a day does not have the past counted again, and the past does not learn of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from recsysops.tables.table import Table
from recsysops.tables.views.impressions import Impressions
from recsysops.tables.views.view_source import open_view
from recsysops.workspace import Workspace

YAML = """version: 1
name: periods
tables:
  candidates:
    source: {path: candidates}
    roles: {request_id: request_id, ts: ts, item_id: item_id, position: position}
  availability:
    source: {path: PATH}
    roles: {item_id: item_id, from: from, to: to}
"""
UTC_TIME = pa.timestamp("us", "UTC")


def write(path: Path, columns: Mapping[str, pa.Array]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(dict(columns)), path)


def period(path: Path, item: str, start: str) -> None:
    begins = pa.array([f"{start}T00:00:00Z"], pa.string()).cast(UTC_TIME)
    write(path, {"item_id": pa.array([item]), "from": begins, "to": pa.nulls(1, UTC_TIME)})


def request(root: Path, day: str) -> None:
    ts = pa.array([f"{day} 12:00:00Z"] * 2, pa.string()).cast(UTC_TIME)
    write(
        root / "candidates" / f"day={day}" / "a.parquet",
        {
            "request_id": pa.array([day] * 2),
            "ts": ts,
            "item_id": pa.array(["x", "y"]),
            "position": pa.array([1.0, 2.0]),
        },
    )


def impressions(root: Path) -> Table:
    tables = Workspace(root).tables

    def days_of(name: str) -> dict[str, tuple[tuple[date, int], ...]]:
        keys = [one.key for one in tables[name].partitions()]
        return {
            key: ((date.fromisoformat(key.split("day=")[1][:10]), 2),) if name == "candidates" else () for key in keys
        }

    found = open_view(Impressions(), tables, days_of, duckdb.connect)
    assert found is not None
    return found


def prints(root: Path) -> dict[str, str]:
    return {one.key: one.fingerprint for one in impressions(root).partitions()}


def unavailable(root: Path, key: str) -> list[bool | None]:
    view = impressions(root)
    (partition,) = [one for one in view.partitions() if one.key == key]
    rows = pa.Table.from_batches(list(view.batches(partition, ["item_id", "is_unavailable"]))).sort_by("item_id")
    return list(rows["is_unavailable"].to_pylist())


def test_periods_written_later_leave_the_days_before_alone(tmp_path: Path) -> None:
    (tmp_path / "recsysops.yaml").write_text(YAML.replace("PATH", "availability"))
    request(tmp_path, "2026-11-01")
    period(tmp_path / "availability" / "day=2026-11-01" / "a.parquet", "x", "2026-10-01")
    first = prints(tmp_path)
    (key,) = first
    assert unavailable(tmp_path, key) == [False, None]
    request(tmp_path, "2026-11-02")
    period(tmp_path / "availability" / "day=2026-11-02" / "a.parquet", "y", "2026-12-01")
    second = prints(tmp_path)
    assert second[key] == first[key]
    assert unavailable(tmp_path, key) == [False, None]
    (new,) = set(second) - {key}
    assert unavailable(tmp_path, new) == [False, True]


def test_periods_in_a_file_without_a_day_are_read_whole(tmp_path: Path) -> None:
    (tmp_path / "recsysops.yaml").write_text(YAML.replace("PATH", "periods.parquet"))
    request(tmp_path, "2026-11-01")
    period(tmp_path / "periods.parquet", "y", "2026-12-01")
    (key,) = prints(tmp_path)
    assert unavailable(tmp_path, key) == [None, True]


def test_periods_that_were_all_exported_later_are_read_still(tmp_path: Path) -> None:
    (tmp_path / "recsysops.yaml").write_text(YAML.replace("PATH", "availability"))
    request(tmp_path, "2026-11-01")
    period(tmp_path / "availability" / "day=2026-12-24" / "a.parquet", "y", "2026-12-01")
    (key,) = prints(tmp_path)
    assert unavailable(tmp_path, key) == [None, True]
