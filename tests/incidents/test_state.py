"""What the workspace remembers: the same finding tomorrow is the same finding, and a day is written whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from recsysops.errors import StateError
from recsysops.incidents import database, schema
from recsysops.incidents import write_day as writing
from recsysops.incidents.judged_day import JudgedDay
from recsysops.incidents.location import StateLocation
from recsysops.incidents.state import State
from recsysops.incidents.stored import from_text, to_text
from recsysops.profiles.slices import Slice
from recsysops.triage.findings import Finding, Subject
from recsysops.triage.grouping import group

DAY = date(2026, 11, 1)
BASE = Finding(
    "X1", "input.missing_rate", "candidates", Subject("column", "a"), "null_rate", 0.11, 0.01, 0.005, "warning",
    "feature", "a is NULL", DAY, column="a", slice=Slice("market", "N'O"), n_current=1_000, p_value=1e-9,
    series=(0.01, float("nan"), 0.11), low=0.1, high=0.12,
)  # fmt: skip


def day(number: int) -> date:
    return DAY + timedelta(number)


def found(column: str, on: date, **changes: Any) -> Finding:
    """Each column in rows of its own, so that two of them have no cause in common."""
    own = {"column": column, "subject": Subject("column", column), "slice": Slice("market", f"N'O {column}"), "day": on}
    return replace(BASE, **{**own, **changes})


def judged(number: int, *columns: str, near: tuple[str, ...] = ()) -> JudgedDay:
    findings = [
        found(column, day(number), onset=day(number), value=2 ** (ord(column) - ord("a")) / 10) for column in columns
    ]
    return JudgedDay(
        day(number), "d1", f"data{number}", group(findings), tuple(found(name, day(number)) for name in near)
    )


@pytest.fixture
def state(place: StateLocation) -> Iterator[State]:
    with State(place) as opened:
        yield opened


def contents(state: State) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table but the log of runs and the trail."""
    tables = (schema.judged_days, schema.findings, schema.finding_days, schema.incidents, schema.incident_links)
    with state.transaction() as connection:
        return {table.name: sorted(map(tuple, connection.execute(select(table))), key=repr) for table in tables}


def write(state: State, *days: JudgedDay) -> None:
    for one in days:
        state.write_day(1, one)


@pytest.fixture(autouse=True)
def _first_run(state: State) -> None:
    assert state.begin_run("detect") == 1


def test_a_finding_comes_back_as_it_was_written() -> None:
    back = from_text(to_text(BASE))
    assert back.series[1] != back.series[1]
    assert replace(back, series=(), onset=None) == replace(BASE, series=())
    assert back.id == BASE.id


def test_the_same_finding_tomorrow_continues_its_incident(state: State) -> None:
    write(state, judged(0), judged(1, "a"), judged(2, "a", "b"), judged(3, "a"))
    first, second = state.incidents()
    assert (first.id, first.onset, first.last_seen, first.status) == (1, day(1), day(3), "open")
    assert (second.onset, second.last_seen) == (day(2), day(2))
    assert first.entity == "candidates.a"
    assert state.incidents_on([day(2)]) == {1, 2}
    assert state.days_of([found("a", DAY).id, "f-none"]) == {
        found("a", DAY).id: {day(1), day(2), day(3)},
        "f-none": set(),
    }
    assert state.findings(first.finding_ids)[first.finding_ids[0]].day == day(3)


def test_three_quiet_days_resolve_an_incident_and_a_week_later_it_is_a_new_one(state: State) -> None:
    write(state, judged(0, "a"), judged(1), judged(2))
    assert [incident.status for incident in state.incidents()] == ["open"]
    write(state, judged(3))
    assert [incident.status for incident in state.incidents()] == ["resolved"]
    assert state.days_of_incidents(day(4)) == state.days_of_incidents(day(1)) == {day(0)}
    assert state.days_of_incidents(day(0)) == frozenset()
    write(state, judged(5, "a"))
    assert [(incident.id, incident.status) for incident in state.incidents()] == [(1, "open")]
    write(state, judged(20, "a"))
    assert [(incident.id, incident.opened) for incident in state.incidents()] == [(1, day(0)), (2, day(20))]


def test_judging_a_day_again_replaces_it(state: State) -> None:
    write(state, judged(0), judged(1, "a"), judged(2, "a", near=("c",)))
    before = contents(state)
    write(state, judged(1, "a"), judged(2, "a", near=("c",)), judged(0))
    assert contents(state) == before
    write(state, judged(1), judged(2))
    assert [incident.status for incident in state.incidents()] == ["withdrawn"]
    assert state.found_on(day(2)) == frozenset()


def test_near_misses_count_tomorrow_but_open_nothing(state: State) -> None:
    write(state, judged(0, near=("a",)))
    assert state.incidents() == ()
    assert state.found_on(day(0)) == {found("a", DAY).id}
    write(state, judged(1, "a"))
    assert state.days_of([found("a", DAY).id])[found("a", DAY).id] == {day(0), day(1)}


STEPS = ("_owner_candidates", "_clear", "_open", "_add_found", "_describe", "_settle_findings", "_settle_incidents")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("is_after", [False, True])
def test_a_kill_at_any_step_leaves_the_whole_day_or_nothing(
    state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, is_after: bool
) -> None:
    write(state, judged(0, "a"), judged(1, "a", "b"))
    before = contents(state)
    original = getattr(writing, step)

    def killed(*arguments: Any, **words: Any) -> None:
        if is_after:
            original(*arguments, **words)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(writing, step, killed)
        with pytest.raises(KeyboardInterrupt):
            write(state, judged(2, "a", "b", "c"))
    assert contents(state) == before
    write(state, judged(2, "a", "b", "c"))
    with State(tmp_path / "other") as other:
        other.begin_run("detect")
        write(other, judged(0, "a"), judged(1, "a", "b"), judged(2, "a", "b", "c"))
        assert contents(state) == contents(other)


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_damaged_file_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(content)
    with pytest.raises(StateError, match="move it away") as caught:
        State(tmp_path)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == content


def test_a_newer_version_and_a_foreign_database_are_refused(tmp_path: Path) -> None:
    with State(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection, connection:
        connection.execute("UPDATE state_version SET version = 99")
    with pytest.raises(StateError, match="found state of version 99, expected version 3 or older"):
        State(tmp_path)
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection, connection:
        connection.execute("DROP TABLE state_version")
    with pytest.raises(StateError, match="a database of something else"):
        State(tmp_path)


def test_an_unwritable_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="expected a folder"):
        State(tmp_path / "file" / "state")


def test_a_state_of_version_1_is_brought_up_to_date_without_loss(tmp_path: Path) -> None:
    """The tables as version 1 made them, with what it wrote; later versions only added tables."""
    with State(tmp_path) as state:
        state.begin_run("detect")
        write(state, judged(0, "a"), judged(1, "a", near=("b",)))
        before, incidents = contents(state), state.incidents()
    added = {table.name for table in schema.metadata.sorted_tables} - OF_VERSION_1
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection, connection:
        for name in added:
            connection.execute(f"DROP TABLE {name}")
        connection.execute("UPDATE state_version SET version = 1")
    with State(tmp_path) as state:
        assert contents(state) == before
        assert state.incidents() == incidents
        (entry,) = state.trail()
        assert (entry.action, entry.before, entry.after) == ("migrate", "version 1", "version 3")
        write(state, judged(2, "a"))
        assert state.trail_broken_at() is None
    with State(tmp_path) as state:
        assert len(state.trail()) == 1


OF_VERSION_1 = {"state_version", "runs", "judged_days", "incidents", "findings", "finding_days"}


def test_a_killed_migration_leaves_version_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*arguments: Any) -> None:
        raise KeyboardInterrupt

    with State(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection, connection:
        connection.execute("DROP TABLE trail")
        connection.execute("DROP TABLE trail_head")
        connection.execute("UPDATE state_version SET version = 1")
    with monkeypatch.context() as patched:
        patched.setattr(database, "append", killed)
        with pytest.raises(KeyboardInterrupt):
            State(tmp_path)
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection:
        assert connection.execute("SELECT version FROM state_version").fetchall() == [(1,)]
        assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'trail'").fetchall()
    with State(tmp_path) as state:
        assert state.trail_broken_at() is None
