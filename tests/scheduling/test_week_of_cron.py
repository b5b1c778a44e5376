"""A week of cron on the streaming sample, under a simulated clock: one coherent story, told once."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from recsysops import sample_logs
from recsysops.cli import main
from recsysops.incidents import detecting
from recsysops.incidents.schema import notices
from recsysops.incidents.state import State
from recsysops.notifications.run_note import read_notes
from recsysops.testing.listener import Listener

pytest_plugins = ["recsysops.testing.listener_fixtures"]

LAST = date(2026, 10, 31)
N_HISTORY, N_WEEK = 14, 7
BY_DAY = ("candidates", "outcomes")
SETTINGS = """
notifications:
  targets:
    chat: {{url: "json://{chat}"}}
    oncall: {{kind: pagerduty, api_key: key, url: "{pager}"}}
  quiet_hours: {{start: "20:00", end: "06:00", timezone: Europe/Oslo}}
metrics: {{textfile: recsysops.prom}}
"""
_LINE = re.compile(r"^(?:([a-z ]+) · (?:critical|warning) · |([a-z ]+) · streaming · )#(\d+) ")


@dataclass
class Week:
    """The workspace, its clock and what was heard."""

    root: Path
    chat: Listener
    pager: Listener
    now: datetime = datetime(2026, 10, 25, 6, 30, tzinfo=UTC)
    heard: dict[date, list[str]] = field(default_factory=dict)
    """For each day the lines of the chat."""

    def arrive(self, day: date) -> None:
        """The day's files are written."""
        source = sample_logs.path("streaming") / "logs"
        for table in BY_DAY:
            shutil.copytree(source / table / f"day={day}", self.root / "logs" / table / f"day={day}")

    def morning(self) -> int:
        """Yesterday's files arrive, cron runs twice, and what the chat heard is kept."""
        self.arrive(self.now.date() - timedelta(days=1))
        before = len(self.chat.heard)
        code = main(["detect", "-w", str(self.root), "--quiet"])
        said = self.chat.heard[before:]
        assert main(["detect", "-w", str(self.root), "--quiet"]) == 0
        assert len(self.chat.heard) == before + len(said)  # nobody is told twice
        self.heard[self.now.date()] = [line for one in said for line in _lines(one.json)]
        self.now += timedelta(days=1)
        return code


def _lines(message: dict[str, str]) -> list[str]:
    return [message["title"], *message["message"].splitlines()]


@pytest.fixture
def week(tmp_path: Path, serve: Callable[[], Listener], monkeypatch: pytest.MonkeyPatch) -> Week:
    """Two weeks of history, judged before anybody was to be told; then a chat and a pager are set up."""
    source, root = sample_logs.path("streaming"), tmp_path / "streaming"
    shutil.copytree(source / "logs", root / "logs", ignore=lambda folder, names: [n for n in names if "day=" in n])
    shutil.copytree(source / "models", root / "models")
    text = (source / "recsysops.yaml").read_text().replace("clock: archive", "clock: wall")
    (root / "recsysops.yaml").write_text(text)
    week = Week(root, serve(), serve())
    monkeypatch.setattr(detecting, "utc_now", lambda: week.now)
    for number in range(N_HISTORY):
        week.arrive(LAST - timedelta(days=N_WEEK + number))
    assert main(["detect", "-w", str(root), "--quiet"]) in (0, 1)
    (root / "recsysops.yaml").write_text(text + SETTINGS.format(chat=week.chat.host, pager=week.pager.url))
    week.now += timedelta(days=1)
    return week


@pytest.mark.slow
def test_a_week_of_cron_tells_one_story(week: Week) -> None:
    for _ in range(N_WEEK):
        assert week.morning() in (0, 1)
    with State(week.root / ".recsysops") as state:
        incidents = {one.id: one for one in state.incidents()}
    told = [(day, *_event(line)) for day, lines in week.heard.items() for line in lines if _LINE.match(line)]

    # each change of an incident is heard once, in an order that makes sense
    stories: dict[int, list[str]] = {}
    for _, event, number in told:
        stories.setdefault(number, []).append(event)
    for number, events in stories.items():
        assert re.fullmatch(r"opened( worsened)?( resolved( reopened)?)*|resolved", " ".join(events)), (number, events)

    # whoever reads only the chat knows what is open
    is_open = {number for number, events in stories.items() if events[-1] != "resolved"}
    assert is_open == {one.id for one in incidents.values() if one.is_active and one.severity != "info"}

    # one digest a morning at most, and pages for what is critical and for nothing else
    for lines in week.heard.values():
        assert sum(line.startswith("digest · ") for line in lines) <= 1
        assert not any("could not look" in line for line in lines)
    paged = Counter((one.json["event_action"], one.json["dedup_key"]) for one in week.pager.heard)
    assert set(paged.values()) <= {1}
    opened = [one for one in week.pager.heard if one.json["event_action"] == "trigger"]
    assert all(one.json["payload"]["severity"] == "critical" for one in opened)

    # nothing is left over, and the state agrees with what was heard
    with State(week.root / ".recsysops") as state, state.transaction() as connection:
        statuses = Counter(connection.execute(select(notices.c.status)).scalars())
    assert set(statuses) <= {"sent", "in digest", "replaced"}
    assert statuses["sent"] == len(week.chat.heard) + len(week.pager.heard)
    (note,) = read_notes(week.root / ".recsysops")
    assert (note.judged_day, note.data_day) == (LAST, LAST)
    assert "recsysops_judged_day_timestamp_seconds" in (week.root / "recsysops.prom").read_text()


def _event(line: str) -> tuple[str, int]:
    found = _LINE.match(line)
    assert found
    words = {"critical": "opened", "now critical": "worsened", "is back": "reopened"}
    event = found[1] or found[2]
    return words.get(event, event), int(found[3])
