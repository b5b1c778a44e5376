"""Change events are appended whole, by many writers, over what a crashed one left."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from recsysops.errors import ConfigError, SourceError
from recsysops.tables.changes import ChangeRecord, read_changes, record_change

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
DEPLOY = ChangeRecord(NOON, "deploy", "ranker", 'v2 "fast"\n\x1b[31m', 0.5)


def test_what_is_recorded_is_read(tmp_path: Path) -> None:
    path = tmp_path / "state" / "changes.jsonl"
    assert read_changes(path).changes == ()
    record_change(path, DEPLOY)
    record_change(path, ChangeRecord(NOON.astimezone(timezone(timedelta(hours=2))), "config"))
    log = read_changes(path)
    assert log.changes == (DEPLOY, ChangeRecord(NOON, "config"))
    assert log.warnings == ()
    assert path.read_text().count("\n") == 2


@pytest.mark.parametrize("keep", [1, 30, -2])
def test_a_torn_last_line_is_skipped_and_closed(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "changes.jsonl"
    record_change(path, DEPLOY)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:keep])
    torn = read_changes(path)
    assert torn.changes == (DEPLOY,)
    assert len(torn.warnings) == 1
    assert "line 2 is skipped" in torn.warnings[0]
    record_change(path, DEPLOY)
    assert read_changes(path).changes == (DEPLOY, DEPLOY)


def test_a_whole_line_without_its_end_counts(tmp_path: Path) -> None:
    path = tmp_path / "changes.jsonl"
    path.write_text(json.dumps(DEPLOY.to_dict()))
    record_change(path, DEPLOY)
    assert read_changes(path).changes == (DEPLOY, DEPLOY)


def test_many_writers_at_once(tmp_path: Path) -> None:
    path = tmp_path / "changes.jsonl"
    with ThreadPoolExecutor(8) as pool:
        for index in range(64):
            pool.submit(record_change, path, ChangeRecord(NOON, "deploy", str(index), "x" * 5000))
    log = read_changes(path)
    assert sorted(int(change.scope) for change in log.changes) == list(range(64))
    assert log.warnings == ()


@pytest.mark.parametrize("line", ["[]", "1", '{"ts": 5}', '{"ts": "2026-01-02T12:00:00", "kind": "x"}', "\udcff"])
def test_lines_that_are_no_change_are_warned_of(tmp_path: Path, line: str) -> None:
    path = tmp_path / "changes.jsonl"
    path.write_bytes(line.encode("utf-8", "surrogateescape") + b"\n")
    log = read_changes(path)
    assert log.changes == ()
    assert len(log.warnings) == 1


@pytest.mark.parametrize(
    ("ts", "kind", "rollout", "message"),
    [
        (NOON.replace(tzinfo=None), "deploy", None, "without a zone"),
        (NOON, " ", None, "change kind"),
        (NOON, "deploy", 50.0, "a share from 0 to 1"),
    ],
)
def test_values_that_are_no_change(ts: datetime, kind: str, rollout: float | None, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ChangeRecord(ts, kind, rollout=rollout)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is a directory"):
        record_change(tmp_path, DEPLOY)
