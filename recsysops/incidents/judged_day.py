"""Everything that judging one day, or one hour, produced; written in one transaction or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from recsysops.incidents.ledgers import DAYS, HOURS, Ledger
from recsysops.triage.findings import Finding
from recsysops.triage.grouping import Group


@dataclass(frozen=True)
class JudgedDay:
    """A day's groups, its near misses, and what they were judged with."""

    day: date
    detectors: str
    """Digest of the detectors and their parameters."""
    data: str
    """Digest of the data of the day; differs when rows came late."""
    groups: tuple[Group, ...]
    near: tuple[Finding, ...] = ()
    hour: int | None = None
    """The one UTC hour of the day that was judged; None for the whole day."""

    @property
    def ledger(self) -> Ledger:
        """Where it is written."""
        return DAYS if self.hour is None else HOURS

    @property
    def at(self) -> str:
        """Its key there: ``2026-11-20``, ``2026-11-20T14``."""
        return self.day.isoformat() + ("" if self.hour is None else f"T{self.hour:02d}")

    @property
    def start(self) -> datetime:
        """Its first moment, UTC."""
        return datetime.combine(self.day, time(self.hour or 0), UTC)

    @property
    def end(self) -> datetime:
        """The first moment after it, UTC."""
        return self.start + timedelta(hours=24 if self.hour is None else 1)
