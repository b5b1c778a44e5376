"""The case of an incident: what detection found, what was recorded around it, and whose tables they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from recsysops.cases.changed_items import changed_items
from recsysops.cases.diagnosis import Diagnosis
from recsysops.cases.item_history import UPSTREAM
from recsysops.profiles.history import Change
from recsysops.tables.table import Table
from recsysops.triage.findings import Finding

FEW = 20
"""Where more items changed, none of them is the one."""


@dataclass(frozen=True)
class IncidentCase:
    """All that the steps look at."""

    number: int
    headline: str
    onset: date
    last_seen: date
    findings: tuple[Finding, ...]
    """Headline first."""
    changes: tuple[Change, ...]
    tables: Mapping[str, Table]
    items: tuple[Diagnosis, ...] = ()
    """Diagnoses of items that the incident concerns."""
    differing: Mapping[str, int] | None = None
    """By item, candidates whose raw score replay does not give again; None where no finding asks for it."""


def concerned_items(
    findings: Sequence[Finding], tables: Mapping[str, Table], first: date, last: date, most: int
) -> tuple[str, ...]:
    """Items that findings are about, and those whose upstream column changed on these days, a few.

    Raises:
        SchemaError, SourceError: if an upstream table cannot be read.
    """
    found = dict.fromkeys(one.subject.id for one in findings if one.subject.kind == "item")
    for finding in findings:
        if finding.table in UPSTREAM and finding.column and len(found) < most:
            changed = changed_items(tables[finding.table], finding.column, first, last)
            found |= dict.fromkeys(changed if len(changed) <= FEW else ())
    return tuple(found)[:most]
