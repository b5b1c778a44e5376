"""ISO stamps of evidence as times in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

from recsysops.reporting.lines import NARROW
from recsysops.reporting.numbers import NOTHING


def when(stamp: str) -> datetime:
    """The moment, in UTC."""
    return datetime.fromisoformat(stamp).astimezone(UTC)


def stamp_text(stamp: str | None) -> str:
    """``2026-10-28 03:00``, never wrapped apart; a dash for none."""
    return NOTHING if stamp is None else f"{when(stamp):%Y-%m-%d %H:%M}".replace(" ", NARROW)
