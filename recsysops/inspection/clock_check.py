"""Clocks: zones that are missing or mixed, the day a path names, logs that have stopped."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from recsysops.inspection.report import Problem
from recsysops.inspection.time_guess import LIVE
from recsysops.tables.kinds import is_text
from recsysops.tables.source import Partition

_ZONED_TEXT = r"\d(Z| ?UTC| ?GMT|[+-]\d\d(:?\d\d)?)\s*$"
_DAY_NAMES = frozenset({"day", "date", "dt", "ds", "event_date", "event_day", "log_date", "partition_date"})


def zones_of(values: pa.Array) -> frozenset[str]:
    """Of {"named", "none"}: whether times of the column name their zone; numbers since 1970 do, by definition."""
    if types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if types.is_timestamp(values.type):
        return frozenset({"named" if values.type.tz is not None else "none"})
    if is_text(values.type):
        long_enough = values.filter(pc.greater(pc.fill_null(pc.utf8_length(values), 0), 10))
        is_named = pc.match_substring_regex(long_enough, _ZONED_TEXT)
        return frozenset("named" if each else "none" for each in pc.unique(is_named).to_pylist())
    return frozenset({"named"}) if types.is_integer(values.type) or types.is_floating(values.type) else frozenset()


def zone_problems(table: str, zones: Collection[str], timezone: str, *, is_stated: bool) -> list[Problem]:
    """Times that name no zone, alone or among others that do.

    Args:
        table: its name.
        zones: union of :func:`zones_of` over what was looked at.
        timezone: the one assumed.
        is_stated: whether the table's settings state it.
    """
    where = f"tables.{table}.timezone"
    if set(zones) == {"named", "none"}:
        found = "times with and without a time zone in one column"
        return [Problem("warning", where, found, "one way", f"those without are read as {timezone}; repair the export")]
    if set(zones) == {"none"} and not is_stated:
        found = f"times that name no zone, read as {timezone}"
        return [Problem("note", where, found, "a zone", "state timezone: for the table, or export UTC")]
    return []


def named_day(partition: Partition, timezone: str) -> tuple[datetime, datetime] | None:
    """The (first, past the last) moment of the day in a hive path such as ``day=2026-01-31``, in the table's time zone."""
    for name, value in partition.values:
        if name.casefold() in _DAY_NAMES:
            try:
                day = date.fromisoformat(value)
            except ValueError:
                continue
            zone = ZoneInfo(timezone)
            return datetime.combine(day, time(), zone), datetime.combine(day + timedelta(days=1), time(), zone)
    return None


def stopped_problems(table: str, last: datetime | None, now: datetime, clock: str) -> list[Problem]:
    """Live logs whose newest row is weeks old."""
    if table != "candidates" or clock != "wall" or last is None or now - last <= LIVE:
        return []
    found = f"a newest row of {last:%Y-%m-%d}"
    return [
        Problem("warning", table, found, "rows of the last days", "set clock: archive if these are logs of the past")
    ]
