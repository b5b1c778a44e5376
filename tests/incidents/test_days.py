"""Which days are due, which they are compared with, and how people type them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsysops.errors import ConfigError
from recsysops.incidents.calendar import SILENCE, complete_days, reference_days
from recsysops.incidents.day_words import parse_day, parse_days, parse_since

DAY = date(2026, 11, 20)


def days(*numbers: int) -> list[date]:
    return [DAY + timedelta(number) for number in numbers]


def at(number: int, hour: int) -> datetime:
    return datetime(2026, 11, 20, hour, tzinfo=UTC) + timedelta(number)


def test_every_day_of_an_archive_is_complete_and_gaps_are_judged() -> None:
    assert complete_days(days(0, 3), clock="archive", now=at(90, 1), grace_hours=6) == tuple(days(0, 1, 2, 3))


@pytest.mark.parametrize(
    ("now", "last"),
    [(at(1, 5), -1), (at(1, 6), 0), (at(2, 5), 0), (at(2, 7), 1), (at(0, 23), -1)],
)
def test_a_live_day_is_complete_after_its_grace_hours(now: datetime, last: int) -> None:
    found = complete_days(days(-1, 0), clock="wall", now=now, grace_hours=6)
    assert found == tuple(days(*range(-1, last + 1)))


def test_later_rows_complete_a_day_at_once_but_rows_from_the_future_do_not() -> None:
    assert complete_days(days(0, 1), clock="wall", now=at(1, 0), grace_hours=6) == tuple(days(0))
    assert complete_days([*days(0), date(2199, 1, 1)], clock="wall", now=at(1, 0), grace_hours=6) == ()


def test_silence_is_judged_for_a_week() -> None:
    found = complete_days(days(0), clock="wall", now=at(500, 12), grace_hours=6)
    assert found == tuple(days(*range(SILENCE + 1)))
    assert complete_days([date.max, date.min], clock="archive", now=at(0, 1), grace_hours=6) == ()
    assert complete_days([], clock="wall", now=at(0, 1), grace_hours=6) == ()


def test_reference_days_have_rows_and_leave_out_incidents_unless_too_few_are_left() -> None:
    n_rows = dict.fromkeys(days(-5, -4, -3, -2, -1, 0), 10) | {days(-2)[0]: 0}
    assert reference_days(DAY, n_rows, n_days=4) == tuple(days(-4, -3, -1))
    assert reference_days(DAY, n_rows, n_days=4, unfit=days(-3)) == tuple(days(-4, -1))
    assert reference_days(DAY, n_rows, n_days=4, unfit=days(-3, -4)) == tuple(days(-4, -3, -1))
    assert reference_days(days(-5)[0], n_rows, n_days=28) == ()


def test_days_as_people_type_them() -> None:
    assert parse_since("3d", DAY) == days(-2)[0]
    assert parse_since("2026-11-01", DAY) == date(2026, 11, 1)
    assert parse_days("2026-11-20..2026-11-21,2026-11-20", "--reference") == tuple(days(0, 1))


@settings(deadline=None, derandomize=True, max_examples=200)
@given(st.text(max_size=15))
def test_anything_is_days_or_refused(text: str) -> None:
    parsers: tuple[Callable[[], object], ...] = (
        lambda: parse_day(text, "--date"),
        lambda: parse_since(text, DAY),
        lambda: parse_days(text, "--days"),
    )
    for parse in parsers:
        with suppress(ConfigError):
            parse()


@pytest.mark.parametrize("text", ["2026-11-02..2026-11-01", "1026-01-01..2026-01-01", "..", ",", ""])
def test_ranges_that_are_none(text: str) -> None:
    with pytest.raises(ConfigError, match="--reference"):
        parse_days(text, "--reference")
