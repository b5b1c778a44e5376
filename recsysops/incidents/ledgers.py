"""Where each tier writes what it judged: days, and hours. Incidents are seen on the days of either."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, func, select, union

from recsysops.incidents.schema import finding_days, finding_hours, judged_days, judged_hours


@dataclass(frozen=True)
class Ledger:
    """The two tables of a tier, and their column of time: ISO text, so that it sorts."""

    judged: Table
    found: Table
    at: str

    @property
    def judged_at(self) -> Any:
        """When, of what was judged."""
        return self.judged.c[self.at]

    @property
    def found_at(self) -> Any:
        """When, of what was found."""
        return self.found.c[self.at]


DAYS = Ledger(judged_days, finding_days, "day")
HOURS = Ledger(judged_hours, finding_hours, "hour")

_ON_DAYS = select(finding_days.c.finding, finding_days.c.day, finding_days.c.incident)
_ON_DAYS_OF_HOURS = select(
    finding_hours.c.finding, func.substr(finding_hours.c.hour, 1, 10).label("day"), finding_hours.c.incident
)
SEEN = union(
    _ON_DAYS.where(finding_days.c.incident.is_not(None)), _ON_DAYS_OF_HOURS.where(finding_hours.c.incident.is_not(None))
).subquery("seen")
"""(finding, day, incident): each day on which an incident's finding was there, by whichever tier."""
