"""Which changes of an incident are told, to whom and when: the pure part."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsysops.config.notification_settings import NotificationSettings, QuietHours
from recsysops.config.settings import WorkspaceSettings
from recsysops.incidents.incident import Incident
from recsysops.notifications.changes import change_of, told_after
from recsysops.notifications.hiding import SOMEBODY, harmless, without_members
from recsysops.notifications.notice import Event, Told
from recsysops.notifications.quiet import after_quiet
from recsysops.notifications.routing import owner_of, targets_of
from recsysops.notifications.texts import Voice, incident_message
from recsysops.profiles.slices import Slice
from recsysops.triage.findings import Finding, Severity, Subject

DAY = date(2026, 11, 20)
INCIDENT = Incident(
    41, "warning", "lang is NULL in 11 % of rows", "market=NO", "feature", "candidates.lang", DAY, DAY, DAY, "open", 0.03
)  # fmt: skip
CRITICAL = replace(INCIDENT, severity="critical")
FINDING = Finding(
    "X1", "input.missing_rate", "candidates", Subject("column", "lang"), "null_rate", 0.11, 0.01, 0.005, "warning",
    "feature", "lang is NULL", DAY, column="lang", low=0.1, high=0.12, series=(0.01, 0.11),
)  # fmt: skip


@pytest.mark.parametrize(
    ("told", "now", "event"),
    [
        (None, INCIDENT, "opened"),
        (None, replace(INCIDENT, severity="info"), None),
        (None, replace(INCIDENT, status="resolved"), None),
        (Told("open", "warning"), INCIDENT, None),
        (Told("open", "warning"), CRITICAL, "worsened"),
        (Told("open", "critical"), CRITICAL, None),
        (Told("open", "critical"), INCIDENT, None),
        (Told("open", "warning"), replace(INCIDENT, status="acknowledged"), "acknowledged"),
        (Told("acknowledged", "warning"), replace(INCIDENT, status="diagnosed"), None),
        (Told("acknowledged", "warning"), replace(CRITICAL, status="mitigated"), "worsened"),
        (Told("open", "warning"), replace(INCIDENT, status="resolved"), "resolved"),
        (Told("acknowledged", "warning"), replace(INCIDENT, status="withdrawn"), "resolved"),
        (Told("open", "warning"), replace(INCIDENT, status="merged"), "resolved"),
        (Told("closed", "warning"), replace(INCIDENT, status="retro"), None),
        (Told("closed", "warning"), INCIDENT, "reopened"),
    ],
)
def test_a_change_is_told_by_its_name(told: Told | None, now: Incident, event: Event | None) -> None:
    assert change_of(now, told) == event


STATES = st.builds(
    lambda severity, status: replace(INCIDENT, severity=severity, status=status),
    st.sampled_from(["info", "warning", "critical"]),
    st.sampled_from(["open", "acknowledged", "diagnosed", "resolved", "withdrawn"]),
)


@settings(deadline=None, derandomize=True, max_examples=200)
@given(st.lists(STATES, max_size=12))
def test_nobody_is_told_twice_and_what_is_open_was_told(states: list[Incident]) -> None:
    told: Told | None = None
    for state in states:
        for _ in range(3):  # the first look may find two changes at once: worse and acknowledged
            event = change_of(state, told)
            told = told_after(state, event, told) if event else told
        assert change_of(state, told) is None
        if state.is_active and state.severity != "info":
            assert told is not None
            assert told.status != "closed"
        if told is not None and not state.is_active:
            assert told.status == "closed"


NIGHT = QuietHours(start="22:00", end="07:00")


@pytest.mark.parametrize(
    ("moment", "until"),
    [
        ("2026-11-20T21:59:00+01:00", "2026-11-20T21:59:00+01:00"),
        ("2026-11-20T22:00:00+01:00", "2026-11-21T07:00:00+01:00"),
        ("2026-11-21T06:59:00+01:00", "2026-11-21T07:00:00+01:00"),
        ("2026-11-21T07:00:00+01:00", "2026-11-21T07:00:00+01:00"),
        ("2026-03-28T23:00:00+01:00", "2026-03-29T07:00:00+02:00"),  # the clocks go forward that night
        ("2026-10-24T23:00:00+02:00", "2026-10-25T07:00:00+01:00"),  # and back
    ],
)
def test_what_is_not_critical_waits_for_the_morning_of_its_zone(moment: str, until: str) -> None:
    held = after_quiet(datetime.fromisoformat(moment), NIGHT, "Europe/Oslo")
    assert held == datetime.fromisoformat(until)
    assert held.tzinfo is UTC


@settings(deadline=None, derandomize=True, max_examples=300)
@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),  # noqa: DTZ001  (the zone is added)
    st.integers(0, 23),
    st.integers(0, 23),
    st.sampled_from(["UTC", "Europe/Oslo", "America/New_York", "Asia/Kathmandu"]),
)
def test_nothing_is_held_for_more_than_a_day_nor_released_into_the_quiet(
    moment: datetime, start: int, end: int, zone: str
) -> None:
    quiet = QuietHours(start=f"{start:02}:00", end=f"{end:02}:00")
    moment = moment.replace(tzinfo=UTC)
    held = after_quiet(moment, quiet, zone)
    assert moment <= held <= moment + timedelta(hours=25)
    if held > moment:
        assert held.astimezone(ZoneInfo(zone)).hour in (end, end + 1)  # an hour that a clock change skipped


SETTINGS = NotificationSettings.model_validate(
    {
        "targets": {
            "oncall": {"kind": "pagerduty", "api_key": "k"},
            "data": {"url": "json://a"},
            "ml": {"url": "json://b"},
        },
        "routes": [
            {"owner": "data-team", "to": ["data", "oncall"]},
            {"stage": "ranking", "to": ["ml"]},
            {"severity": "critical", "to": ["oncall"]},
        ],
    }
)


@pytest.mark.parametrize(
    ("owner", "stage", "severity", "event", "targets"),
    [
        ("data-team", "feature", "warning", "opened", ("data",)),
        ("data-team", "feature", "critical", "opened", ("oncall", "data")),
        ("data-team", "ranking", "critical", "resolved", ("oncall", "data", "ml")),
        ("", "ranking", "critical", "acknowledged", ("oncall",)),
        ("", "ranking", "warning", "acknowledged", ()),
        ("", "feature", "critical", "opened", ("oncall",)),
        ("nobody", "feature", "warning", "opened", ("data", "ml")),
    ],
)
def test_routes(owner: str, stage: str, severity: Severity, event: Event, targets: tuple[str, ...]) -> None:
    assert targets_of(SETTINGS, owner=owner, stage=stage, severity=severity, event=event) == targets


def test_a_pager_hears_of_blindness_when_there_is_nobody_else() -> None:
    alone = NotificationSettings.model_validate({"targets": {"oncall": {"kind": "opsgenie", "api_key": "k"}}})
    assert targets_of(alone, owner="", stage="", severity="warning", event="blind") == ("oncall",)
    assert targets_of(alone, owner="", stage="", severity="warning", event="opened") == ()


def test_the_owner_of_a_column_comes_before_that_of_its_table() -> None:
    table = {"source": {"path": "x"}, "roles": {}, "owner": "platform", "columns": {"lang": {"owner": "words"}}}
    settings = WorkspaceSettings.model_validate({"tables": {"candidates": table}})
    assert owner_of(settings, "candidates.lang") == "words"
    assert owner_of(settings, "candidates.score") == "platform"
    assert owner_of(settings, "item 7") == ""


@pytest.mark.parametrize(
    "text", ["<!channel>", "@everyone", "[x](http://evil)", "*bold*", "`code`", "<@U123>", "__x__"]
)
def test_nothing_in_a_text_from_data_reaches_a_chat_as_markup(text: str) -> None:
    shown = harmless(text)
    assert text not in shown
    assert shown.replace("\u2060", "") == text


def test_ordinary_words_stay_as_they_are() -> None:
    text = "original_language is NULL in 11.4 % of rows [10.9, 12.0 %], before 0.2 % · since 2026-11-17"
    assert harmless(text) == text


def test_a_message_begins_with_the_answer_and_ends_with_commands() -> None:
    voice = Voice("streaming", "recsysops --workspace '/srv/my ws'", ("incident show {id}",))
    message = incident_message("opened", CRITICAL, [FINDING], voice, owner="words")
    assert message.title == "critical · streaming · #41 lang is NULL in 11 % of rows, only market=NO"
    lines = message.body.splitlines()
    assert lines[0].startswith("since 2026-11-20 (first seen)")
    assert "owner words" in lines
    assert "candidates.lang   null_rate 1 % → 11 %   [10, 12 %]   ▁█" in lines
    assert lines[-3:] == [
        "next   recsysops --workspace '/srv/my ws' incident show 41",
        "       recsysops --workspace '/srv/my ws' detect --date 2026-11-20 --verbose",
        "       recsysops --workspace '/srv/my ws' detectors show input.missing_rate",
    ]


def test_no_member_is_named() -> None:
    finding = replace(
        FINDING, column="", subject=Subject("member", "m-77"), headline="member m-77 took 9 % of rows",
        slice=Slice("member_id", "m-78"),
    )  # fmt: skip
    incident = replace(INCIDENT, entity="member m-77", headline=finding.headline, where="member_id=m-78")
    shown, findings = without_members(incident, [finding], {"member_id"})
    message = incident_message("opened", shown, findings, Voice("s", "recsysops"), owner="")
    text = f"{message.title}\n{message.body}\n{shown}\n{findings}"
    assert "m-77" not in text
    assert "m-78" not in text
    assert SOMEBODY in message.title
