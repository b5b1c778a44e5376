"""Clocks: the time zone of timestamps that name none, units of numbers that are moments, live logs or an archive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from recsysops.inspection.values import ColumnFacts, Doubt, TableGuess, TableSample
from recsysops.tables.contract import TABLES

LIVE = timedelta(days=14)


def unit_comment(column: ColumnFacts) -> str:
    """What is to be said of a column of moments that are stored as numbers ("" otherwise)."""
    return f"{column.epoch_unit} since 1970 UTC" if column.epoch_unit and column.kind == "numeric" else ""


def zone_doubts(sample: TableSample, table: str, roles: Mapping[str, str], zone: str) -> list[Doubt]:
    """A doubt where the table's clock names no time zone, so that one had to be assumed."""
    clock = sample.column(roles[TABLES[table].clock]) if TABLES[table].clock in roles else None
    if clock is None or clock.has_zone or not clock.is_timelike or clock.arrow_type.startswith("date"):
        return []
    why = f"the timestamps in {clock.name!r} name no time zone; a wrong one moves rows into other days"
    return [Doubt(f"tables.{table}.timezone", zone, ("Europe/Oslo", "America/New_York"), why)]


def newest_row(guesses: Iterable[TableGuess]) -> datetime | None:
    """The latest moment of the logs (candidates, else any table with a clock) in the sample."""
    latest: dict[str, datetime] = {}
    for guess in guesses:
        clock = guess.roles.get(TABLES[guess.table].clock)
        last = guess.sample.column(clock).last if clock else None
        if last:
            latest[guess.table] = last
    return latest.get("candidates") or max(latest.values(), default=None)


def is_archive(newest: datetime | None, now: datetime) -> bool:
    """Whether the logs ended so long ago that the newest row should be taken for now."""
    return newest is not None and now - newest > LIVE
