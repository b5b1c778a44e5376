"""What people say of incidents: the table of steps, merges, comebacks, mutes, re-baselines; on both databases."""

from __future__ import annotations

import contextlib
import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from recsysops.errors import ConfigError
from recsysops.incidents import acts
from recsysops.incidents.judged_day import JudgedDay
from recsysops.incidents.location import StateLocation
from recsysops.incidents.state import State
from recsysops.incidents.statuses import TRANSITIONS, Presence, Status, Step, status_of, step_from
from recsysops.triage.findings import Finding, Subject
from recsysops.triage.grouping import group

DAY = date(2026, 11, 1)
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
STATUSES = get_args(Status)


def day(number: int) -> date:
    return DAY + timedelta(number)


def found(column: str, number: int) -> Finding:
    # jumps differ between columns, else they would be one cause
    value = 2 ** (ord(column) - ord("a")) / 10
    return Finding(
        "X1", "input.missing_rate", "candidates", Subject("column", column), "null_rate", value, 0.0, 0.005, "warning",
        "feature", f"{column} is NULL", day(number), column=column, p_value=1e-9, onset=day(number),
    )  # fmt: skip


def judged(number: int, *columns: str) -> JudgedDay:
    return JudgedDay(day(number), "d1", f"data{number}", group([found(column, number) for column in columns]))


@pytest.fixture
def state(place: StateLocation) -> Iterator[State]:
    with State(place, now=lambda: NOW) as opened:
        opened.begin_run("detect")
        yield opened


def write(state: State, *days: JudgedDay) -> None:
    for one in days:
        state.write_day(1, one)


def do(state: State, act: Callable[..., None], *words: Any, **named: Any) -> None:
    actor = state.actor("anna")
    with state.transaction() as connection:
        act(connection, *words, actor=actor, **named)


def resolve(state: State, number: int, resolution: str, from_day: date | None = None) -> None:
    do(state, acts.resolve, number, resolution, from_day=from_day)


@pytest.mark.parametrize("step", TRANSITIONS)
def test_a_step_leads_from_the_statuses_of_the_table_and_no_others(step: Step) -> None:
    allowed, target = TRANSITIONS[step]
    for status in STATUSES:
        if status in allowed:
            assert step_from(status, step, "incident 1") == target
        else:
            with pytest.raises(ConfigError, match=f"incident 1: found status {status}, expected "):
                step_from(status, step, "incident 1")


def test_days_never_overwrite_what_a_person_said() -> None:
    for presence, said in itertools.product(get_args(Presence), STATUSES):
        status = status_of(presence, DAY, said, DAY)
        assert status == said or (status == presence == "withdrawn" and said not in ("resolved", "retro", "merged"))
        assert status_of(presence, DAY, None, None) == presence


def test_the_whole_life_is_on_the_trail(state: State) -> None:
    write(state, judged(0), judged(1, "a"))
    for step in ("acknowledge", "diagnose", "mitigate"):
        do(state, acts.advance, 1, step)
    write(state, judged(2), judged(3), judged(4))
    quiet = state.incident(1)
    assert (quiet.presence, quiet.status, quiet.assignee) == ("resolved", "mitigated", "anna")
    resolve(state, 1, "fixed")
    do(state, acts.advance, 1, "retro")
    entries = state.trail(1)
    assert [(entry.who, entry.action, entry.before, entry.after) for entry in entries] == [
        ("detect", "open", "", "open"),
        ("anna", "acknowledge", "open", "acknowledged"),
        ("anna", "diagnose", "acknowledged", "diagnosed"),
        ("anna", "mitigate", "diagnosed", "mitigated"),
        ("anna", "resolve", "mitigated", "resolved"),
        ("anna", "retro", "resolved", "retro"),
    ]
    assert state.trail_broken_at() is None
    with pytest.raises(ConfigError, match="found status retro, expected open to be acknowledged; reopen it first"):
        do(state, acts.advance, 1, "acknowledge")
    with pytest.raises(ConfigError, match="incident 7: found none, expected a number from 1 to 1"):
        do(state, acts.advance, 7, "acknowledge")
    assert len(state.trail(1)) == len(entries)


def test_judging_again_changes_neither_what_people_said_nor_the_trail(state: State) -> None:
    days = [judged(0), judged(1, "a"), judged(2, "a", "b"), judged(3, "b"), judged(4), judged(5), judged(6)]
    write(state, *days)
    assert [one.status for one in state.incidents()] == ["resolved", "resolved"]
    resolve(state, 1, "fixed")
    before, trail = state.incidents(), state.trail()
    assert [entry.action for entry in trail] == ["open", "open", "resolve", "resolve", "resolve"]
    write(state, *days)
    assert state.incidents() == before
    assert state.trail() == trail


def test_what_comes_back_within_a_week_is_reopened_and_later_it_is_new_with_a_reference(state: State) -> None:
    write(state, judged(0, "a"), judged(1))
    resolve(state, 1, "fixed")
    write(state, judged(2, "a"))
    assert [(one.id, one.status) for one in state.incidents()] == [(1, "open")]
    assert state.trail(1)[-1].to_dict()["action"] == "reopen"
    do(state, acts.advance, 1, "acknowledge")
    resolve(state, 1, "fixed")
    write(state, *(judged(number) for number in range(3, 20)), judged(20, "a"))
    first, second = state.incidents()
    assert (first.status, second.status, second.follows) == ("resolved", "open", 1)
    assert state.trail(2)[0].details["follows"] == 1


def test_a_person_reopens_what_was_closed(state: State) -> None:
    write(state, judged(0, "a"), judged(1), judged(2), judged(3))
    assert state.incident(1).status == "resolved"
    resolve(state, 1, "expected")
    assert state.rebaselines()
    do(state, acts.advance, 1, "reopen")
    incident = state.incident(1)
    assert (incident.status, incident.resolution, state.rebaselines()) == ("open", None, ())
    write(state, judged(4))
    assert state.incident(1).status == "open"


def test_expected_and_false_alarms_make_their_days_clean_again_and_fixed_does_not(state: State) -> None:
    write(state, judged(0, "a"), judged(1), judged(2), judged(3))
    dirty = {day(0)}
    assert state.days_of_incidents(day(9)) == dirty
    resolve(state, 1, "fixed")
    assert state.days_of_incidents(day(9)) == dirty
    for resolution in ("expected", "false-alarm"):
        resolve(state, 1, resolution)
        assert state.days_of_incidents(day(9)) == frozenset()
    write(state, judged(4, "a"))  # it came back after that was said
    assert state.days_of_incidents(day(9)) == {day(4)}


def test_expected_sets_a_new_baseline_for_what_the_findings_are_about(state: State) -> None:
    write(state, judged(0, "a"), judged(1, "a", "b"))
    resolve(state, 1, "expected", day(1))
    (baseline,) = state.rebaselines()
    assert baseline.to_dict() == {
        "table": "candidates", "column": "a", "subject": {"kind": "column", "id": "a"}, "from": "2026-11-02", "incident": 1,
    }  # fmt: skip
    assert baseline.covers(replace(found("a", 7), statistic="nan_rate"))
    assert not baseline.covers(found("b", 7))
    resolve(state, 1, "expected")
    assert [one.from_day for one in state.rebaselines()] == [day(0)]
    resolve(state, 1, "false-alarm")
    assert state.rebaselines() == ()
    with pytest.raises(ConfigError, match="with --as expected only"):
        resolve(state, 1, "fixed", day(1))
    with pytest.raises(ConfigError, match="when it was last seen"):
        resolve(state, 1, "expected", day(2))


def test_what_is_merged_stays_merged(state: State) -> None:
    write(state, judged(0, "a"), judged(1, "a", "b"))
    do(state, acts.merge, 2, 1)
    one, other = state.incidents()
    assert (one.finding_ids, one.last_seen) == ((found("a", 0).id, found("b", 0).id), day(1))
    assert (other.status, other.merged_into) == ("merged", 1)
    write(state, judged(2, "a", "b"), judged(3, "b"), judged(1, "a", "b"))
    assert [incident.id for incident in state.incidents()] == [1, 2]
    assert state.incident(1).last_seen == day(3)
    assert state.incidents_on([day(1), day(2), day(3)]) == {1}
    assert state.incident(2).status == "merged"
    for number, into in ((1, 1), (1, 2), (2, 1)):
        with pytest.raises(ConfigError):
            do(state, acts.merge, number, into)


def test_a_mute_ends_by_itself_and_days_are_recorded_all_the_same(state: State) -> None:
    write(state, judged(0, "a"))
    do(state, acts.mute, 1, NOW + timedelta(days=2))
    write(state, judged(1, "a"))
    incident = state.incident(1)
    assert (incident.status, incident.last_seen) == ("open", day(1))
    assert incident.is_muted(NOW)
    assert not incident.is_muted(NOW + timedelta(days=2))
    do(state, acts.mute, 1, None)
    assert not state.incident(1).is_muted(NOW)
    assert [entry.action for entry in state.trail(1)] == ["open", "mute", "unmute"]


def test_in_an_archive_the_clock_stands_at_the_end_of_the_last_judged_day(place: StateLocation) -> None:
    with State(place, clock="archive", now=lambda: NOW) as state:
        state.begin_run("detect")
        write(state, judged(0, "a"), judged(1, "a"))
        do(state, acts.advance, 1, "acknowledge")
        opened, acknowledged = state.trail(1)
    assert (opened.moment, acknowledged.moment) == (
        datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC),
    )  # fmt: skip
    assert opened.at == acknowledged.at == NOW


def test_hostile_names_are_kept_as_far_as_a_database_can(state: State) -> None:
    name = "a\x00'; DROP TABLE incidents --[red]"
    one = replace(found("a", 0), column=name, subject=Subject("column", name), headline=f"{name} moved")
    write(
        state,
        JudgedDay(day(0), "d1", "x", group([one])),
        JudgedDay(day(1), "d1", "x", group([replace(one, day=day(1))])),
    )
    (incident,) = state.incidents()
    assert incident.last_seen == day(1)
    assert "DROP TABLE" in incident.headline
    resolve(state, 1, "expected")
    assert len(state.rebaselines()) == 1


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_every_change_of_status_is_on_the_trail(tmp_path: Path, seed: int) -> None:
    """Days judged, judged again and emptied, and people doing anything at all, in any order."""
    chance = random.Random(seed)
    with State(tmp_path, now=lambda: NOW) as state:
        state.begin_run("detect")
        for _ in range(60):
            if chance.random() < 0.5:
                write(state, judged(chance.randrange(25), *chance.sample("abcd", chance.randrange(3))))
            else:
                with contextlib.suppress(ConfigError):
                    act_at_random(state, chance)
            for incident in state.incidents():
                said = [entry.after for entry in state.trail(incident.id)]
                assert said[-1] == incident.status, (incident, state.trail(incident.id))
        assert state.trail_broken_at() is None
        assert len(state.trail()) > 10


def act_at_random(state: State, chance: random.Random) -> None:
    number, other = chance.randrange(1, 6), chance.randrange(1, 6)
    kind = chance.randrange(8)
    if kind == 0:
        do(state, acts.merge, number, other)
    elif kind <= 2:
        resolve(state, number, chance.choice(("fixed", "expected", "false-alarm")))
    elif kind == 3:
        do(state, acts.mute, number, NOW + timedelta(1))
    else:
        do(state, acts.advance, number, chance.choice(("acknowledge", "diagnose", "mitigate", "reopen", "retro")))
