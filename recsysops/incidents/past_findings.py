"""Findings of past days as the limits of later ones need them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, select

from recsysops.incidents.schema import finding_days, findings, incident_lives
from recsysops.incidents.stored import from_text
from recsysops.triage.limits import DayLimits
from recsysops.triage.replayed_limits import PastFinding, family_of

REAL = frozenset({"fixed", "expected"})
"""Resolutions that say the detector was right: something had changed, for the worse or on purpose."""


def past_findings(connection: Connection, first: date, before: date) -> tuple[PastFinding, ...]:
    """Every finding with a p-value of the days from ``first`` to the one before ``before``."""
    query = (
        select(finding_days.c.day, finding_days.c.p_value, finding_days.c.finding, incident_lives.c.resolution)
        .outerjoin(incident_lives, incident_lives.c.incident == finding_days.c.incident)
        .where(finding_days.c.day >= first.isoformat(), finding_days.c.day < before.isoformat())
        .where(finding_days.c.p_value.is_not(None))
        .order_by(finding_days.c.day, finding_days.c.finding)
    )
    rows = connection.execute(query).all()
    known = _words_of(connection, first, before) if rows else {}
    return tuple(
        PastFinding(date.fromisoformat(day), *known[name], p_value, resolution in REAL)
        for day, p_value, name, resolution in rows
        if name in known
    )


def _words_of(connection: Connection, first: date, before: date) -> dict[str, tuple[tuple[str, str, bool], str]]:
    """Family and entity of each finding seen in those days."""
    days = (finding_days.c.day >= first.isoformat(), finding_days.c.day < before.isoformat())
    seen = select(finding_days.c.finding).where(*days, finding_days.c.p_value.is_not(None)).distinct()
    query = select(findings.c.id, findings.c.latest).where(findings.c.id.in_(seen))
    words = {}
    for name, latest in connection.execute(query):
        finding = from_text(latest)
        entity = finding.column or f"{finding.subject.kind} {finding.subject.id}"
        words[name] = (family_of(finding, is_whole=DayLimits.is_whole(finding)), entity)
    return words
