"""An incident: one cause, from the day it was first judged to be there until it is gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from recsysops.triage.findings import Severity, Stage

Status = Literal["open", "resolved", "withdrawn"]
"""``withdrawn``: its days were judged again and it was no longer there."""


@dataclass(frozen=True)
class Incident:
    """What is known of an incident as of the last day it was seen."""

    id: int
    severity: Severity
    headline: str
    where: str
    """The slice that holds it, e.g. ``market=NO``; ``all rows`` when none does."""
    stage: Stage
    entity: str
    """Table and column, or the item, model, host … concerned."""
    onset: date
    last_seen: date
    opened: date
    """The judged day that opened it."""
    status: Status
    impact: float
    """Share of the table's rows concerned, in [0, 1]."""
    finding_ids: tuple[str, ...] = ()
    """Headline first."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, with the keys of the command line's contract."""
        return {
            "id": self.id,
            "severity": self.severity,
            "headline": self.headline,
            "where": self.where,
            "stage": self.stage,
            "entity": self.entity,
            "onset": self.onset.isoformat(),
            "last_seen": self.last_seen.isoformat(),
            "opened": self.opened.isoformat(),
            "status": self.status,
            "impact": self.impact,
            "findings": list(self.finding_ids),
        }
