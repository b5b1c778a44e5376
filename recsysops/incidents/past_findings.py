"""Findings of past days, or hours, as the limits of later ones need them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from sqlalchemy import Connection, select

from recsysops.incidents.ledgers import DAYS, Ledger
from recsysops.incidents.schema import findings, incident_lives
from recsysops.incidents.stored import from_text
from recsysops.triage.limits import DayLimits
from recsysops.triage.replayed_limits import PastFinding, family_of

REAL = frozenset({"fixed", "expected"})
"""Resolutions that say the detector was right: something had changed, for the worse or on purpose."""


def past_findings(
    connection: Connection,
    first: str,
    before: str,
    ledger: Ledger = DAYS,
    moment_of: Callable[[str], date] = date.fromisoformat,
) -> tuple[PastFinding, ...]:
    """Every finding with a p-value from ``first`` to just before ``before``.

    Args:
        connection: to the state.
        first, before: as the ledger names days, or hours.
        ledger: where they stand.
        moment_of: reads the ledger's names.
    """
    found, at = ledger.found.c, ledger.found_at
    query = (
        select(at, found.p_value, found.finding, incident_lives.c.resolution)
        .outerjoin(incident_lives, incident_lives.c.incident == found.incident)
        .where(at >= first, at < before, found.p_value.is_not(None))
        .order_by(at, found.finding)
    )
    rows = connection.execute(query).all()
    known = _words_of(connection, first, before, ledger) if rows else {}
    return tuple(
        PastFinding(moment_of(then), *known[name], p_value, resolution in REAL)
        for then, p_value, name, resolution in rows
        if name in known
    )


def _words_of(
    connection: Connection, first: str, before: str, ledger: Ledger
) -> dict[str, tuple[tuple[str, str, bool], str]]:
    """Family and entity of each finding seen then."""
    found, at = ledger.found.c, ledger.found_at
    seen = select(found.finding).where(at >= first, at < before, found.p_value.is_not(None)).distinct()
    query = select(findings.c.id, findings.c.latest).where(findings.c.id.in_(seen))
    words = {}
    for name, latest in connection.execute(query):
        finding = from_text(latest)
        entity = finding.column or f"{finding.subject.kind} {finding.subject.id}"
        words[name] = (family_of(finding, is_whole=DayLimits.is_whole(finding)), entity)
    return words
