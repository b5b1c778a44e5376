"""The fast tier on a small log that is still being written: what hours find, and how that meets what the days find."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsysops.cli import main
from recsysops.errors import NotEnoughDataError
from recsysops.incidents import acts, detecting
from recsysops.incidents.acts import Actor
from recsysops.incidents.complete_hours import complete_hours, without_hours
from recsysops.incidents.hours import JudgedHours
from recsysops.incidents.judging_hours import same_weekday
from recsysops.incidents.state import State
from recsysops.reporting.detect_report import DetectReport
from recsysops.workspace import Workspace

FIRST = datetime(2026, 3, 2, tzinfo=UTC)
N_DAYS = 7
TODAY = FIRST + timedelta(days=N_DAYS)
HOUR = timedelta(hours=1)
YAML = """version: 1
name: live
clock: {clock}
tables:
  candidates:
    source: {{path: logs}}
    roles: {{request_id: request_id, ts: ts, item_id: item_id, position: position, score: score, fallback: fallback}}
    features: [recency]
    slices: [market]
"""
Captured = pytest.CaptureFixture[str]


def rows_of(day: datetime, until: datetime, kept: Callable[[int], float]) -> pa.Table:
    """A day's rows before ``until``; ``kept`` is the share of an hour's requests that were logged."""
    rng = np.random.default_rng(day.toordinal())
    n_per_hour = np.maximum(1, 120 * (1 + 0.5 * np.sin(np.arange(24) / 24 * 2 * np.pi))).astype(int)
    hours = np.repeat(np.arange(24), n_per_hour)
    seconds = hours * 3600 + rng.integers(0, 3600, len(hours))
    is_logged = rng.random(len(hours)) < np.array([kept(hour) for hour in range(24)])[hours]
    chosen = np.flatnonzero(is_logged & (seconds < (until - day).total_seconds()))
    each = np.repeat(chosen, 4)
    noise = np.random.default_rng(day.toordinal() + 1).normal(size=(len(hours) * 4, 2))
    row = np.arange(len(hours) * 4).reshape(-1, 4)[chosen].ravel()
    return pa.table(
        {
            "request_id": [f"{day:%d}-{one}" for one in each],
            "ts": pa.array(int(day.timestamp()) + seconds[each], pa.timestamp("s", "UTC")),
            "item_id": [f"i{one % 30}" for one in row],
            "position": np.tile(np.arange(1, 5), len(chosen)),
            "score": noise[row, 0],
            "recency": noise[row, 1],
            "fallback": np.zeros(len(each), bool),
            "market": np.where(each % 5 == 0, "SE", "NO"),
        }
    )


@dataclass
class Live:
    """A log that is written as time goes on, and the runs that judge it."""

    root: Path
    patch: pytest.MonkeyPatch
    now: datetime = TODAY
    kept: Callable[[int], float] = field(default=lambda hour: 1.0)
    """The share of today's requests that are logged, by hour."""
    change: Callable[[pa.Table], pa.Table] = field(default=lambda rows: rows)
    """Of today's rows."""

    def __post_init__(self) -> None:
        self.patch.setattr(detecting, "utc_now", lambda: self.now)
        (self.root / "recsysops.yaml").write_text(YAML.format(clock="wall"))
        for number in range(N_DAYS):
            day = FIRST + timedelta(days=number)
            self.write(day, rows_of(day, day + timedelta(days=1), lambda hour: 1.0))

    def write(self, day: datetime, rows: pa.Table) -> None:
        path = self.root / "logs" / f"day={day:%Y-%m-%d}" / "part-0.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(rows, path)

    def at(self, hour: int, minute: int = 5) -> None:
        """Time goes on to today's hour, and rows come."""
        self.now = TODAY + timedelta(hours=hour, minutes=minute)
        for number in range(2):
            day = TODAY + timedelta(days=number)
            rows = self.change(rows_of(day, self.now, self.kept if number == 0 else lambda hour: 1.0))
            if rows.num_rows:
                self.write(day, rows)

    def run(self, tier: Any = "fast", **options: Any) -> DetectReport:
        return Workspace(self.root).detect(tier=tier, **options)

    @property
    def state(self) -> State:
        return State(self.root / ".recsysops")


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Live:
    return Live(tmp_path, monkeypatch)


def volume(report: DetectReport) -> list[str]:
    return [one.headline for one in report.findings.values() if one.statistic == "n_rows"]


def test_a_drop_in_one_hour_is_found_after_that_hour_and_nothing_before(live: Live) -> None:
    live.kept = lambda hour: 0.1 if hour == 14 else 1.0
    live.at(14)
    clean = live.run()
    assert clean.incidents == ()
    assert clean.exit_code == 0
    assert clean.hours[-1] == TODAY + 13 * HOUR  # 14:00 is still going on
    live.at(15)
    report = live.run()
    assert report.hours == (TODAY + 14 * HOUR,)
    (incident,) = report.incidents
    assert report.exit_code == 1
    assert incident.entity == "candidates"
    assert incident.opened == incident.onset == TODAY.date()
    assert incident.headline.endswith("(2026-03-09 14:00 to 15:00 UTC)")
    assert "hour(" in next(iter(report.findings.values())).query
    again = live.run()
    assert again.hours == ()
    assert [one.id for one in again.incidents] == [incident.id]
    # the day as a whole is well within what days do: judging it must not take back what the hour saw
    live.at(24 + 2)
    daily = live.run("daily")
    assert TODAY.date() in daily.days
    assert volume(daily) == []
    with live.state as state:
        assert state.incident(incident.id).status == "open"
        assert state.trail_broken_at() is None


def test_hours_and_the_day_make_one_incident(live: Live) -> None:
    live.kept = lambda hour: float(hour < 12)
    live.run("daily")
    live.at(12)
    assert live.run().incidents == ()
    live.at(13, minute=30)
    assert [hour.hour for hour in live.run().hours] == [11]  # by grace; that of 12:00 is not over
    live.at(16, minute=1)
    report = live.run()
    assert [hour.hour for hour in report.hours] == [12, 13, 14]
    (incident,) = report.incidents
    assert incident.severity == "critical"
    assert "2026-03-09 12:00 to 15:00 UTC" in incident.headline
    live.at(24 + 3)
    daily = live.run("daily")
    (same,) = [one for one in daily.incidents if TODAY.date() == one.last_seen]
    assert same.id == incident.id
    assert same.onset == TODAY.date()
    assert set(report.findings) & set(daily.findings)
    assert "UTC)" not in same.headline  # now in the words of the day
    explained = Workspace(live.root).explain(next(iter(set(report.findings) & set(daily.findings))))
    assert (
        explained.budgeting.share == 0.25
    )  # half of the budget for series over all rows, and half of that beside the hours
    with live.state as state:
        assert [entry.action for entry in state.trail(incident.id)] == ["open"]


def test_late_rows_of_a_judged_hour_are_judged_again(live: Live) -> None:
    live.kept = lambda hour: float(hour != 9)
    live.at(11)
    (incident,) = live.run().incidents
    live.kept = lambda hour: 1.0
    live.at(11)
    report = live.run()
    assert report.hours == (TODAY + 9 * HOUR,)
    with live.state as state:
        assert state.incident(incident.id).status == "withdrawn"
        assert state.judged_days() == {}


def test_a_value_that_is_lost_in_an_hour(live: Live) -> None:
    def zeros(rows: pa.Table) -> pa.Table:
        hour = np.array([one.hour for one in rows["ts"].to_pylist()])
        recency = np.where(hour == 10, 0.0, rows["recency"].to_numpy())
        nan = np.where(hour == 10, np.nan, rows["score"].to_numpy())
        return rows.set_column(5, "recency", pa.array(recency)).set_column(4, "score", pa.array(nan))

    live.change = zeros
    live.at(11)
    report = live.run()
    assert {one.statistic for one in report.findings.values()} == {"zero_rate", "nan_rate"}
    assert {one.column for one in report.findings.values()} == {"recency", "score"}


def test_requests_that_the_fallback_answers(live: Live) -> None:
    def fallen(rows: pa.Table) -> pa.Table:
        index = rows.schema.get_field_index("fallback")
        return rows.set_column(index, "fallback", pa.array([one.hour == 10 for one in rows["ts"].to_pylist()]))

    live.change = fallen
    live.at(11)
    (found,) = live.run().findings.values()
    assert (found.detector, found.statistic, found.severity) == ("output.candidate_set", "fallback_rate", "critical")


def test_what_a_person_closed_on_its_day_stays_closed(live: Live) -> None:
    live.kept = lambda hour: float(hour != 9)
    live.at(11)
    (incident,) = live.run().incidents
    with live.state as state, state.transaction() as connection:
        acts.resolve(connection, incident.id, "fixed", Actor("anna", live.now, live.now), from_day=None)
    live.at(13)
    assert live.run().incidents == ()
    with live.state as state:
        assert state.incident(incident.id).status == "resolved"


def test_json_has_its_keys_and_the_screen_tells_hours(live: Live, capsys: Captured) -> None:
    live.kept = lambda hour: 0.1 if hour == 14 else 1.0
    live.at(15)
    command = ["detect", "--tier", "fast", "-w", str(live.root)]
    assert main([*command, "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["tier"] == "fast"
    assert report["window"]["days"] == ["2026-03-07", "2026-03-08", "2026-03-09"]
    assert len(report["window"]["hours"]) == 48
    assert report["window"]["end"] == report["window"]["hours"][-1] == "2026-03-09T14:00:00+00:00"
    assert {"incidents", "findings", "skipped", "budget", "notifications"} <= set(report)
    assert {one["detector"] for one in report["looked"]} == {
        "input.row_volume", "input.freshness", "input.default_fill", "output.invalid_scores", "output.candidate_set",
    }  # fmt: skip
    assert main(command) == 0
    assert "every complete hour of the newest two days is judged" in capsys.readouterr().out
    assert main([*command, "--date", "2026-03-09", "--only", "input.row_volume"]) == 1
    assert "in 15 hours up to 2026-03-09 15:00 UTC" in capsys.readouterr().out


def test_a_log_without_hours_says_so(live: Live, capsys: Captured) -> None:
    for number in range(N_DAYS):
        day = FIRST + timedelta(days=number)
        rows = rows_of(day, day + timedelta(days=1), lambda hour: 1.0)
        midnight = pa.array([int(day.timestamp())] * rows.num_rows, pa.timestamp("s", "UTC"))
        live.write(day, rows.set_column(1, "ts", midnight))
    with pytest.raises(NotEnoughDataError, match="every row of candidates at midnight UTC, expected times of day"):
        live.run()
    assert main(["detect", "--tier", "fast", "-w", str(live.root)]) == 2
    assert "use `recsysops detect`" in capsys.readouterr().err


def test_a_log_that_comes_once_a_day_is_not_silent_meanwhile(live: Live) -> None:
    live.now = TODAY + 20 * HOUR  # nothing of today has come
    report = live.run()
    assert report.hours[-1] == TODAY - HOUR
    assert report.incidents == ()


def test_the_state_remembers_hours_apart_from_days(live: Live) -> None:
    live.at(3)
    live.run()
    with live.state as state:
        hours = JudgedHours(state)
        assert len(hours.judged(FIRST)) == 48
        assert hours.days() == {(TODAY - timedelta(days=number)).date() for number in range(3)}
        assert state.judged_days() == {}
        assert [run.outcome for run in state.runs("detect fast")] == ["judged 48 hours"]


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def test_hours_are_complete_by_later_rows_of_every_table_or_by_grace() -> None:
    rows = {"candidates": {at(2, 22): 1, at(3, 5): 1}, "outcomes": {at(3, 1): 1}}

    def last(now: datetime, **changes: Any) -> datetime:
        how: dict[str, Any] = {"clock": "wall", "grace_minutes": 90, **changes}
        return complete_hours(rows, now=now, **how)[-1]

    assert complete_hours(rows, clock="archive", now=at(2, 0), grace_minutes=0)[0] == at(2, 22)
    assert last(at(2, 0), clock="archive") == at(3, 5)
    assert last(at(3, 3)) == at(3, 0)  # rows from the future say nothing
    assert last(at(3, 6)) == at(3, 3) + timedelta(minutes=0)
    assert last(at(9, 0)) == at(3, 23)  # no further than the last day of which rows have come
    assert complete_hours({}, clock="wall", now=at(3, 0), grace_minutes=0) == ()


def test_tables_of_midnights() -> None:
    midnights = {at(2, 0): 5, at(3, 0): 5}
    assert without_hours({"candidates": {**midnights, at(3, 1): 1}, "outcomes": midnights}) == ("outcomes",)
    assert without_hours({"candidates": {at(2, 0): 5}}) == ()  # one day may have just begun


def test_the_same_weekday_is_preferred_once_there_are_four() -> None:
    days = [date(2026, 3, 2) + timedelta(days=number) for number in range(28)]
    alike = same_weekday(date(2026, 3, 30), days)
    assert alike == (days[0], days[7], days[14], days[21])
    assert same_weekday(date(2026, 3, 30), days[1:]) == tuple(days[1:])
