"""What the owner of a table or column needs to know of an incident; nothing about members is ever in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from recsysops.config.settings import ColumnSettings, TableSettings, WorkspaceSettings
from recsysops.incidents.affected import Affected, is_about_members
from recsysops.incidents.incident import Incident
from recsysops.tables.table import Table
from recsysops.triage.findings import Finding

WITHHELD = "concerns single members; who they are is not handed on"


@dataclass(frozen=True)
class Owner:
    """Whom a ticket goes to; both are "" where the settings name nobody."""

    name: str = ""
    contact: str = ""
    of: str = ""
    """The table or column that they own."""

    def __str__(self) -> str:
        return f"{self.name} <{self.contact}>" if self.name and self.contact else self.name or self.contact


@dataclass(frozen=True)
class Fact:
    """One finding in the owner's words."""

    what: str
    where: str
    statistic: str
    expected: float | None
    found: float
    low: float | None
    high: float | None
    day: date
    query: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "what": self.what,
            "where": self.where,
            "statistic": self.statistic,
            "expected": self.expected,
            "found": self.found,
            "low": self.low,
            "high": self.high,
            "day": self.day.isoformat(),
            "query": self.query or None,
        }


@dataclass(frozen=True)
class Ticket:
    """A ticket: what was expected and found, since when, which items, and how to see it again."""

    incident: Incident
    title: str
    about: str
    lineage: str
    owner: Owner
    facts: tuple[Fact, ...]
    affected: Affected

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "schema_version": 1,
            "incident": self.incident.id,
            "title": self.title,
            "severity": self.incident.severity,
            "status": self.incident.status,
            "about": self.about,
            "comes_from": self.lineage or None,
            "owner": {
                "name": self.owner.name or None,
                "contact": self.owner.contact or None,
                "of": self.owner.of or None,
            },
            "onset": self.incident.onset.isoformat(),
            "last_seen": self.incident.last_seen.isoformat(),
            "impact": self.incident.impact,
            "facts": [fact.to_dict() for fact in self.facts],
            "affected": {
                "n_items": len(self.affected.ids),
                "items": [{"item_id": item, "n_rows": n_rows} for item, n_rows in self.affected.ids],
                "query": self.affected.query or None,
                "reason": self.affected.reason or None,
            },
        }


def make_ticket(
    incident: Incident,
    findings: Sequence[Finding],
    settings: WorkspaceSettings,
    tables: Mapping[str, Table],
    affected: Affected,
) -> Ticket:
    """The ticket of an incident.

    Args:
        incident: whose it is.
        findings: its findings, headline first.
        settings: of the workspace, for owners, contacts and lineage.
        tables: of the workspace, to know which columns are about members.
        affected: items found by the headline's condition.
    """
    head = findings[0]
    is_private = is_about_members(head, tables.get(head.table))
    about = head.table if is_private else incident.entity
    lineage = _column(settings, head.table, head.column).lineage or ""
    return Ticket(
        incident,
        f"{head.table}: {head.statistic} {WITHHELD}" if is_private else incident.headline,
        about,
        lineage,
        owner_of(settings, head.table, head.column),
        tuple(_fact(finding, tables.get(finding.table)) for finding in findings),
        affected,
    )


def owner_of(settings: WorkspaceSettings, table: str, column: str) -> Owner:
    """Who can mend a column: the owner of where its values come from, else its own, else its table's."""
    lineage = _column(settings, table, column).lineage
    if lineage:
        upstream, _, name = lineage.partition(".")
        known = _named(settings, upstream, name)
        if str(known):
            return known
    return _named(settings, table, column)


def _named(settings: WorkspaceSettings, table: str, column: str) -> Owner:
    stated = settings.tables.get(table)
    own = _column(settings, table, column)
    if own.owner or own.contact:
        return Owner(own.owner or "", own.contact or "", f"{table}.{column}")
    if stated is not None and (stated.owner or stated.contact):
        return Owner(stated.owner or "", stated.contact or "", table)
    return Owner()


def _column(settings: WorkspaceSettings, table: str, column: str) -> ColumnSettings:
    stated: TableSettings | None = settings.tables.get(table)
    return stated.columns.get(column, ColumnSettings()) if stated is not None else ColumnSettings()


def _fact(finding: Finding, table: Table | None) -> Fact:
    is_private = is_about_members(finding, table)
    what = f"{finding.table}.{finding.column}" if finding.column else finding.table
    return Fact(
        f"{finding.table}: {WITHHELD}" if is_private else f"{what}: {finding.headline}",
        "" if is_private else str(finding.slice),
        finding.statistic,
        finding.reference_value,
        finding.value,
        finding.low,
        finding.high,
        finding.day,
        "" if is_private else finding.query,
    )
