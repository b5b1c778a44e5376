"""The textfile for Prometheus reads back as it was written, and is never half there."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from recsysops.errors import ConfigError, StateError
from recsysops.notifications.metrics import exposition, write_metrics
from recsysops.notifications.run_note import RunNote, read_notes, write_note

NOW = datetime(2026, 11, 20, 6, 31, tzinfo=UTC)
GOOD = RunNote(
    "daily", 1, NOW, 38.5, NOW, date(2026, 11, 19), date(2026, 11, 18), 2, {"critical": 1, "warning": 3, "info": 0}
)


def samples(text: str) -> dict[tuple[str, str], float]:
    """Value by metric and by its tier or severity; refuses what Prometheus would refuse."""
    found = {}
    for family in text_string_to_metric_families(text):
        assert family.type == "gauge"
        assert family.documentation
        for sample in family.samples:
            labels = dict(sample.labels)
            assert labels.pop("workspace") == NAME
            found[sample.name.removeprefix("recsysops_"), "".join(labels.values())] = sample.value
    return found


NAME = 'a "quoted" \\ name\nof two lines'


def test_every_number_reads_back() -> None:
    got = samples(exposition(NAME, [GOOD, RunNote("fast", 0, NOW, 2.0, NOW)], NOW + timedelta(minutes=29)))
    assert got["last_run_timestamp_seconds", "daily"] == NOW.timestamp()
    assert got["last_good_run_timestamp_seconds", "daily"] == NOW.timestamp()
    assert (got["last_run_exit_code", "daily"], got["last_run_exit_code", "fast"]) == (1, 0)
    assert got["last_run_duration_seconds", "daily"] == 38.5
    assert got["skipped_detectors", "daily"] == 2
    assert got["judged_day_timestamp_seconds", "daily"] == datetime(2026, 11, 19, tzinfo=UTC).timestamp()
    assert got["data_age_seconds", "daily"] == (24 + 7) * 3600
    assert ("data_age_seconds", "fast") not in got
    assert [got["open_incidents", name] for name in ("critical", "warning", "info")] == [1, 3, 0]


def test_before_the_first_run_there_are_no_samples() -> None:
    assert samples(exposition(NAME, [], NOW)) == {}


def test_a_failed_run_keeps_what_the_last_good_one_knew(tmp_path: Path) -> None:
    write_note(tmp_path, GOOD)
    later = NOW + timedelta(days=1)
    write_note(tmp_path, RunNote("daily", 3, later, 1.0))
    (note,) = read_notes(tmp_path)
    assert (note.exit_code, note.ended, note.last_good) == (3, later, NOW)
    assert (note.judged_day, note.data_day, note.n_skipped) == (GOOD.judged_day, GOOD.data_day, 2)
    assert note.n_open == GOOD.n_open


def test_a_damaged_note_is_said_and_the_next_run_mends_it(tmp_path: Path) -> None:
    write_note(tmp_path, GOOD)
    path = tmp_path / "runs" / "daily.json"
    path.write_text(json.dumps({"tier": "daily"}))
    with pytest.raises(StateError, match=r"daily\.json"):
        read_notes(tmp_path)
    write_note(tmp_path, GOOD)
    assert read_notes(tmp_path) == (GOOD,)


def test_the_file_is_replaced_whole_and_can_be_read_by_others(tmp_path: Path) -> None:
    path = tmp_path / "node" / "recsysops.prom"
    before = os.umask(0o077)
    try:
        for _ in range(2):
            write_metrics(path, NAME, [GOOD], NOW)
    finally:
        os.umask(before)
    assert samples(path.read_text())
    assert [one.name for one in path.parent.iterdir()] == ["recsysops.prom"]
    assert path.stat().st_mode & 0o044 == 0o044


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"metrics\.textfile"):
        write_metrics(tmp_path / "file" / "x.prom", NAME, [GOOD], NOW)
