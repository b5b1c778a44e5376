"""From which day on a changed thing is normal, because a person said that its change was expected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, insert, select

from recsysops.incidents.incident import Incident
from recsysops.incidents.schema import findings, rebaselines
from recsysops.incidents.stored import from_text, storable
from recsysops.triage.findings import Finding, Subject


@dataclass(frozen=True)
class Rebaseline:
    """Days before ``from_day`` are no reference for what is about this table, column and subject."""

    table: str
    column: str
    """"" when the findings were about no column."""
    subject: Subject
    from_day: date
    incident: int

    def covers(self, finding: Finding) -> bool:
        """Whether the finding is about the same thing, in whatever slice and by whatever statistic."""
        return (finding.table, finding.column, finding.subject) == (self.table, self.column, self.subject)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "table": self.table,
            "column": self.column or None,
            "subject": {"kind": self.subject.kind, "id": self.subject.id},
            "from": self.from_day.isoformat(),
            "incident": self.incident,
        }


def read_rebaselines(connection: Connection) -> tuple[Rebaseline, ...]:
    """All of them, in a stable order; where several incidents concern one thing, each has its own."""
    order = (rebaselines.c.incident, rebaselines.c.table_name, rebaselines.c.column_name, rebaselines.c.subject_id)
    return tuple(
        Rebaseline(
            row["table_name"],
            row["column_name"],
            Subject(row["subject_kind"], row["subject_id"]),
            date.fromisoformat(row["from_day"]),
            row["incident"],
        )
        for row in connection.execute(select(rebaselines).order_by(*order)).mappings()
    )


def write_rebaselines(connection: Connection, incident: Incident, from_day: date) -> None:
    """One for everything that the incident's findings are about."""
    query = select(findings.c.latest).where(findings.c.id.in_(incident.finding_ids)).order_by(findings.c.id)
    found = [from_text(text) for text in connection.execute(query).scalars()]
    things = dict.fromkeys((one.table, one.column, one.subject.kind, one.subject.id) for one in found)
    names = ("table_name", "column_name", "subject_kind", "subject_id")
    rows = [dict(zip(names, map(storable, thing), strict=True)) for thing in things]
    if rows:
        connection.execute(
            insert(rebaselines), [{"incident": incident.id, "from_day": str(from_day), **row} for row in rows]
        )
