"""Everything that judging one day produced; written in one transaction or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

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
