"""Which hours can be judged. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Literal

HOUR = timedelta(hours=1)
LOOK_BACK = 48
"""Hours before the newest that a run still judges, or judges again when rows came late; older ones are the days' matter."""
RowsByHour = Mapping[str, Mapping[datetime, int]]
"""table → first moment of the hour, UTC → rows; hours without rows are missing."""


def complete_hours(
    rows: RowsByHour, *, clock: Literal["wall", "archive"], now: datetime, grace_minutes: float
) -> tuple[datetime, ...]:
    """Every hour that will get no more rows, oldest first; hours without rows are among them.

    An hour of a live log is complete when every table has rows of a later one, or ``grace_minutes`` after its end: but
    only on a day of which some row has come, since a log that is delivered once a day is not silent until then. In an
    archive every hour up to the last with rows is.

    Args:
        rows: of logs of events.
        clock: of the workspace.
        now: the present moment, UTC.
        grace_minutes: how long rows may be late.

    Example:
        >>> at = [datetime(2026, 11, 20, hour, tzinfo=UTC) for hour in range(4)]
        >>> rows = {"candidates": {at[0]: 5, at[2]: 5}}
        >>> [hour.hour for hour in complete_hours(rows, clock="wall", now=at[3], grace_minutes=60)]
        [0, 1]
    """
    known = {table: [hour for hour in hours if clock == "archive" or hour <= now] for table, hours in rows.items()}
    newest = {table: max(hours) for table, hours in known.items() if hours}
    if not newest:
        return ()
    first = min(min(hours) for hours in known.values() if hours)
    if clock == "archive":
        return tuple(_hours(first, max(newest.values())))
    all_have_later = min(newest.values()) - HOUR
    by_grace = min(now - timedelta(minutes=grace_minutes) - HOUR, _end_of_day(max(newest.values())) - HOUR)
    return tuple(_hours(first, max(all_have_later, by_grace)))


def without_hours(rows: RowsByHour) -> tuple[str, ...]:
    """Tables all of whose rows lie at midnight on several days: their times are days."""
    return tuple(
        table
        for table, hours in sorted(rows.items())
        if len({hour.date() for hour in hours}) > 1 and all(hour.hour == 0 for hour in hours)
    )


def _hours(first: datetime, last: datetime) -> Iterator[datetime]:
    while first <= last:
        yield first
        first += HOUR


def _end_of_day(hour: datetime) -> datetime:
    return datetime.combine(hour.date() + timedelta(days=1), time(), UTC)
