"""What people said of an incident, as stored beside what the days say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from recsysops.incidents.schema import incident_lives
from recsysops.incidents.statuses import Resolution, Status


@dataclass(frozen=True)
class Life:
    """``status`` is the last one a person gave it; None when it was muted or assigned only."""

    status: Status | None = None
    assignee: str = ""
    resolution: Resolution | None = None
    through: date | None = None
    """The last judged day when it was closed; seen after it, it has come back."""
    muted_until: datetime | None = None
    merged_into: int | None = None


NOTHING_SAID = Life()


def read_lives(connection: Connection) -> dict[int, Life]:
    """By number of the incident; those of whom nobody said anything are missing."""
    return {int(row["incident"]): _life(row) for row in connection.execute(select(incident_lives)).mappings()}


def write_life(connection: Connection, incident: int, life: Life) -> None:
    """Put it in place of what was there."""
    values = {
        "status": life.status,
        "assignee": life.assignee,
        "resolution": life.resolution,
        "through": life.through.isoformat() if life.through else None,
        "muted_until": life.muted_until.isoformat() if life.muted_until else None,
        "merged_into": life.merged_into,
    }
    row = upsert(connection, incident_lives).values(incident=incident, **values)
    connection.execute(row.on_conflict_do_update(index_elements=["incident"], set_=values))


def final_owner(lives: Mapping[int, Life], incident: int) -> int:
    """The incident that it was merged into, directly or through others; itself when it was not."""
    seen = {incident}
    while (life := lives.get(incident)) is not None and life.merged_into is not None and life.merged_into not in seen:
        incident = life.merged_into
        seen.add(incident)
    return incident


def upsert(connection: Connection, table: Any) -> Any:
    """An INSERT with ON CONFLICT in the words of this database; SQLite and PostgreSQL have the same ones."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


def _life(row: Mapping[Any, Any]) -> Life:
    return Life(
        row["status"],
        row["assignee"],
        row["resolution"],
        date.fromisoformat(row["through"]) if row["through"] else None,
        datetime.fromisoformat(row["muted_until"]) if row["muted_until"] else None,
        row["merged_into"],
    )
