"""What the verbs of incidents answer, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from recsysops.incidents.incident import Incident
from recsysops.incidents.milestones import Milestones
from recsysops.incidents.rebaselines import Rebaseline
from recsysops.incidents.response_times import ResponseTimes
from recsysops.incidents.trail import Entry
from recsysops.triage.findings import Finding

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class IncidentList:
    """Incidents, the worst first, and how long they took."""

    workspace: str
    incidents: tuple[Incident, ...]
    n_all: int
    """Incidents of any status that the workspace has."""
    last_judged: date | None
    now: datetime
    times: ResponseTimes | None = None
    """With the summary only."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "schema_version": 1,
            "workspace": self.workspace,
            "last_judged": self.last_judged.isoformat() if self.last_judged else None,
            "n_all": self.n_all,
            "incidents": [{**one.to_dict(), "muted": one.is_muted(self.now)} for one in self.incidents],
            "summary": self.times.to_dict() if self.times is not None else None,
        }

    def to_pandas(self) -> pd.DataFrame:
        """One row per incident."""
        import pandas as pd

        return pd.DataFrame([one.to_dict() for one in self.incidents])


@dataclass(frozen=True)
class IncidentCard:
    """One incident with everything that is known of it."""

    incident: Incident
    findings: tuple[Finding, ...]
    """Headline first."""
    entries: tuple[Entry, ...]
    milestones: Milestones
    rebaselines: tuple[Rebaseline, ...]
    followed_by: tuple[int, ...]
    merged: tuple[int, ...]
    last_judged: date | None
    now: datetime
    broken_at: int | None
    """Number of the first entry of the whole trail that was altered or lost."""
    did: str = ""
    """What was just done to it, in words."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "schema_version": 1,
            "incident": {**self.incident.to_dict(), "muted": self.incident.is_muted(self.now)},
            "findings": [finding.to_dict() for finding in self.findings],
            "trail": [entry.to_dict() for entry in self.entries],
            "trail_broken_at": self.broken_at,
            "milestones": self.milestones.to_dict(),
            "rebaselines": [one.to_dict() for one in self.rebaselines],
            "followed_by": list(self.followed_by),
            "merged": list(self.merged),
            "did": self.did or None,
        }


def ordered(findings: Mapping[str, Finding], incident: Incident) -> tuple[Finding, ...]:
    """The incident's findings, headline first."""
    return tuple(findings[name] for name in incident.finding_ids if name in findings)
