"""Which days can be judged, and which days they are compared with."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

DAY = timedelta(days=1)
SILENCE = 7
"""Days without any row are judged for a week after the last row; more of them say nothing new."""


def end_of(day: date) -> datetime:
    """The first moment after the day, UTC."""
    return datetime.combine(day + DAY, time(), UTC)


def complete_days(
    present: Collection[date], *, clock: Literal["wall", "archive"], now: datetime, grace_hours: float
) -> tuple[date, ...]:
    """Every day that will get no more rows, oldest first; days without rows are among them.

    A day of a live log is complete when rows of a later day are there, or ``grace_hours`` after its end. In an archive
    every day is. Rows from the future are no evidence that today is over; only an archive that lies in the future as a
    whole (a simulation) is taken at its word.

    Args:
        present: days with rows, in any table of events.
        clock: of the workspace.
        now: the present moment, UTC.
        grace_hours: how long rows may be late.
    """
    plausible = sorted(day for day in present if _is_plausible(day))
    past = [day for day in plausible if day <= now.date()]
    known = past or (plausible if clock == "archive" else [])
    if not known:
        return ()
    last = known[-1]
    if clock == "archive":
        return _with_silence(known, last)
    settled = (now - timedelta(hours=grace_hours)).date() - DAY
    return _with_silence(known, max(last - DAY, settled))


def _is_plausible(day: date) -> bool:
    """The calendar's own ends have no day before or after them; rows there are misread times."""
    return 1900 <= day.year < 9999


def _with_silence(known: list[date], last: date) -> tuple[date, ...]:
    """The days up to ``last``, with those without rows that follow a day with rows closely."""
    days = {day + number * DAY for day in known for number in range(SILENCE + 1)} if known else set()
    return tuple(sorted(day for day in days if day <= last))


def reference_days(
    day: date, n_rows: Mapping[date, int], *, n_days: int, unfit: Collection[date] = ()
) -> tuple[date, ...]:
    """The days with rows among the ``n_days`` before ``day``, oldest first.

    Days on which something was found (``unfit``) are left out, unless that would leave fewer than half: what lasts longer
    than the days before it has become the normal.
    """
    trailing = [day - number * DAY for number in range(n_days, 0, -1)]
    with_rows = tuple(other for other in trailing if n_rows.get(other, 0) > 0)
    fit = tuple(other for other in with_rows if other not in unfit)
    return fit if 2 * len(fit) >= len(with_rows) else with_rows


def days_between(first: date, last: date) -> Iterable[date]:
    """Every day from the first to the last, both included."""
    return (first + number * DAY for number in range((last - first).days + 1))
