"""An incident: one cause, from the day it was first judged to be there until it is gone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from recsysops.incidents.lives import NOTHING_SAID, Life, read_lives
from recsysops.incidents.schema import incident_links, incidents
from recsysops.incidents.statuses import ACTIVE, Presence, Resolution, Status, status_of
from recsysops.triage.findings import Severity, Stage


@dataclass(frozen=True)
class Incident:
    """What is known of an incident as of the last day it was seen, and what people said of it."""

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
    presence: Presence = "open"
    """What the judged days alone say."""
    resolution: Resolution | None = None
    assignee: str = ""
    through: date | None = None
    """The last judged day when a person closed it."""
    muted_until: datetime | None = None
    merged_into: int | None = None
    follows: int | None = None
    """An earlier, closed incident about the same."""

    @property
    def is_active(self) -> bool:
        """Whether somebody still has to do something about it."""
        return self.status in ACTIVE

    def is_muted(self, now: datetime) -> bool:
        """Whether nobody wants to be told of it at that moment; a mute ends by itself."""
        return self.muted_until is not None and now < self.muted_until

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
            "presence": self.presence,
            "resolution": self.resolution,
            "assignee": self.assignee or None,
            "muted_until": self.muted_until.isoformat() if self.muted_until else None,
            "merged_into": self.merged_into,
            "follows": self.follows,
            "impact": self.impact,
            "findings": list(self.finding_ids),
        }


def read_incidents(connection: Connection) -> tuple[Incident, ...]:
    """Every incident, by number."""
    lives = read_lives(connection)
    follows = {row.incident: row.follows for row in connection.execute(select(incident_links))}
    rows = connection.execute(select(incidents).order_by(incidents.c.id)).mappings()
    return tuple(_incident(row, lives.get(row["id"], NOTHING_SAID), follows.get(row["id"])) for row in rows)


def _incident(row: Mapping[Any, Any], life: Life, follows: int | None) -> Incident:
    same: dict[str, Any] = {
        name: row[name] for name in ("id", "severity", "headline", "where", "stage", "entity", "impact")
    }
    same |= {name: date.fromisoformat(row[name]) for name in ("onset", "last_seen", "opened")}
    return Incident(
        **same,
        status=status_of(row["status"], same["last_seen"], life.status, life.through),
        finding_ids=tuple(json.loads(row["findings"])),
        presence=row["status"],
        resolution=life.resolution,
        assignee=life.assignee,
        through=life.through,
        muted_until=life.muted_until,
        merged_into=life.merged_into,
        follows=follows,
    )
