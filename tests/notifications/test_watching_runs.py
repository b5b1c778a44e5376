"""What counts as not having looked, and when it is news."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from recsysops.notifications.watching import failed_detectors, failed_run, held_lock, late_data
from recsysops.triage.findings import Skipped

DAY = date(2026, 11, 18)
DUE = datetime(2026, 11, 19, tzinfo=UTC) + timedelta(hours=30)
"""A day and the grace time after the end of the last judged day: the next one should be complete by then."""


def skipped(*names: str, reason: str = "ValueError: x") -> list[Skipped]:
    return [Skipped(name, "failed", reason) for name in names]


def test_a_detector_more_or_fewer_is_news_and_other_words_are_not() -> None:
    first = failed_detectors(skipped("input.a", "input.b"))
    again = failed_detectors(skipped("input.b", "input.a", reason="KeyError: y"))
    more = failed_detectors(skipped("input.a", "input.b", "output.c"))
    assert first
    assert again
    assert more
    assert first.status == again.status != more.status
    assert first.what == "2 of the detectors failed: input.a, input.b"
    assert "input.a: ValueError: x" in first.reason


def test_what_has_too_little_data_has_not_failed() -> None:
    assert failed_detectors([Skipped("a", "too_little_data", ""), Skipped("b", "not_applicable", "")]) is None


@pytest.mark.parametrize(
    ("last", "n_rows", "after_due", "is_live", "status"),
    [
        (DAY, 10, timedelta(seconds=0), True, None),
        (DAY, 10, timedelta(seconds=1), True, "late"),
        (DAY, None, timedelta(days=2), True, "late"),
        (DAY, 10, timedelta(days=2), False, None),
        (DAY, 0, timedelta(hours=-24), True, "empty"),
        (DAY, None, timedelta(hours=-24), True, None),
        (None, None, timedelta(days=2), True, None),
    ],
)
def test_data_is_late_when_the_next_day_should_be_complete(
    last: date | None, n_rows: int | None, after_due: timedelta, is_live: bool, status: str | None
) -> None:
    found = late_data(last, n_rows, DUE + after_due, grace_hours=6, is_live=is_live)
    assert (found.status if found else None) == status


def test_a_run_that_failed_otherwise_is_other_news() -> None:
    statuses = {failed_run(code, "").status for code in (2, 3, -9)}
    assert len(statuses) == 3
    assert failed_run(-9, "").what == "the run was killed by signal 9"
    assert held_lock("", 61.4).what == "another run has held the workspace for 61 min"
