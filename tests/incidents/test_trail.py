"""The trail shows every tampering, and two writers never seal on the same entry."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, text, update

from recsysops.errors import StateError
from recsysops.incidents.copying import copy_state
from recsysops.incidents.location import StateLocation
from recsysops.incidents.schema import trail, trail_head
from recsysops.incidents.state import State
from recsysops.incidents.trail import Entry, append

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


def entry(who: str) -> Entry:
    return Entry(who, "acknowledge", NOW, NOW, 1, "open", "acknowledged", {"note": "é\x00[red]"})


@pytest.fixture
def state(place: StateLocation) -> Iterator[State]:
    with State(place) as opened:
        with opened.transaction() as connection:
            append(connection, [entry("anna"), entry("ben"), entry("cleo")])
        yield opened


def unguarded(state: State, *statements: object) -> None:
    """What somebody with the database's own tools can do."""
    with state.transaction() as connection:
        if connection.dialect.name == "sqlite":
            connection.execute(text("DROP TRIGGER trail_no_update"))
            connection.execute(text("DROP TRIGGER trail_no_delete"))
        else:
            connection.execute(text("DROP TRIGGER trail_append_only ON trail"))
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload]


def test_entries_come_back_as_they_were_written(state: State) -> None:
    assert [one.who for one in state.trail(1)] == ["anna", "ben", "cleo"]
    assert state.trail()[0].to_dict() == {**entry("anna").to_dict(), "number": 1}
    assert state.trail(2) == ()
    assert state.trail_broken_at() is None


@pytest.mark.parametrize("statement", [update(trail).values(who="x"), delete(trail).where(trail.c.number == 3)])
def test_the_database_itself_refuses_to_alter_the_trail(state: State, statement: object) -> None:
    with pytest.raises(StateError, match="append-only"), state.transaction() as connection:
        connection.execute(statement)  # type: ignore[call-overload]
    assert state.trail_broken_at() is None


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        (update(trail).where(trail.c.number == 2).values(who="nobody"), 2),
        (update(trail).where(trail.c.number == 1).values(moment="2026-01-01T00:00:00+00:00"), 1),
        (delete(trail).where(trail.c.number == 2), 2),
        (delete(trail).where(trail.c.number == 3), 3),
        (delete(trail), 1),
        (update(trail_head).values(number=2), 4),
        (delete(trail_head), 4),
    ],
)
def test_every_tampering_shows(state: State, statement: object, broken: int) -> None:
    unguarded(state, statement)
    assert state.trail_broken_at() == broken


def test_a_forged_entry_shows_even_with_a_hash_of_its_own(state: State) -> None:
    with state.transaction() as connection:
        newest = connection.execute(select(trail).where(trail.c.number == 3)).mappings().one()
        connection.execute(insert(trail).values({**newest, "number": 4, "previous": newest["hash"]}))
    assert state.trail_broken_at() == 4


def test_writers_wait_for_one_another(place: StateLocation) -> None:
    def add(who: str) -> None:
        with State(place) as own:
            for _ in range(5):
                with own.transaction() as connection:
                    append(connection, [entry(who)])

    with State(place) as state:
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(add, ("anna", "ben", "cleo")))
        assert state.trail_broken_at() is None
        assert [one.number for one in state.trail()] == list(range(1, 16))


def test_a_copy_for_looking_is_whole_and_apart(state: State, place: StateLocation, tmp_path: Path) -> None:
    copy_state(place, tmp_path / "copy")
    with State(tmp_path / "copy") as copied:
        assert copied.trail() == state.trail()
        assert copied.trail_broken_at() is None
        with copied.transaction() as connection:
            append(connection, [entry("dora")])
    assert len(state.trail()) == 3


def test_without_its_head_nothing_is_appended(state: State) -> None:
    unguarded(state, delete(trail_head))
    with pytest.raises(StateError, match="no head"), state.transaction() as connection:
        append(connection, [entry("dora")])
    assert len(state.trail()) == 3
