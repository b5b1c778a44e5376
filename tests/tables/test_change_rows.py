"""The table of changes as events: what is no event is left out, order is by time."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from recsysops.config.settings import TableSettings
from recsysops.tables.change_rows import change_rows
from recsysops.tables.changes import ChangeRecord
from recsysops.tables.open_tables import open_table
from recsysops.tables.table import Table

LATE, EARLY = datetime(2026, 11, 3, 9, tzinfo=UTC), datetime(2026, 11, 1, 12, 30, tzinfo=UTC)
UTC_TIMES = pa.timestamp("us", "UTC")


def table(folder: Path, roles: dict[str, str], **columns: pa.Array) -> Table:
    pq.write_table(pa.table(columns), folder / "changes.parquet")
    settings = TableSettings.model_validate({"source": {"path": "changes.parquet"}, "roles": roles})
    return open_table("changes", settings, "UTC", folder)


def test_rows_are_events_oldest_first(tmp_path: Path) -> None:
    rows = table(
        tmp_path,
        {"ts": "at", "kind": "what", "scope": "where", "rollout": "share"},
        at=pa.array([LATE, EARLY], UTC_TIMES),
        what=pa.array(["deploy", "config"]),
        where=pa.array(["model", None]),
        share=pa.array([0.1, 1.0]),
    )
    assert change_rows(rows) == (
        ChangeRecord(EARLY, "config", "", "", 1.0),
        ChangeRecord(LATE, "deploy", "model", "", 0.1),
    )


def test_rows_without_time_or_kind_are_no_events(tmp_path: Path) -> None:
    rows = table(
        tmp_path,
        {"ts": "at", "kind": "what"},
        at=pa.array([LATE, None, EARLY, EARLY], UTC_TIMES),
        what=pa.array([None, "deploy", "", "launch"]),
    )
    assert change_rows(rows) == (ChangeRecord(EARLY, "launch", "", "", None),)


def test_an_impossible_roll_out_is_not_stated(tmp_path: Path) -> None:
    rows = table(
        tmp_path,
        {"ts": "at", "kind": "what", "rollout": "share"},
        at=pa.array([EARLY] * 3, UTC_TIMES),
        what=pa.array(["a", "b", "c"]),
        share=pa.array([1.5, float("nan"), 0.0]),
    )
    assert [one.rollout for one in change_rows(rows)] == [None, None, 0.0]
