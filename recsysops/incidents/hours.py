"""What a workspace remembers of judged hours."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import select

from recsysops.incidents.ledgers import HOURS
from recsysops.incidents.past_findings import past_findings
from recsysops.incidents.state import State
from recsysops.triage.replayed_limits import PastFinding


def hour_text(hour: datetime) -> str:
    """An hour as the state names it: ``2026-11-20T14``."""
    return hour.strftime("%Y-%m-%dT%H")


def hour_of(text: str) -> datetime:
    """The first moment of the hour that the state names so, UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass(frozen=True)
class JudgedHours:
    """The hours of a state."""

    state: State

    def judged(self, first: datetime) -> dict[datetime, str]:
        """Every judged hour from ``first`` on, with the digest of the data it was judged on, oldest first."""
        query = select(HOURS.judged_at, HOURS.judged.c.data).where(HOURS.judged_at >= hour_text(first))
        with self.state.transaction() as connection:
            return {hour_of(hour): data for hour, data in connection.execute(query.order_by(HOURS.judged_at))}

    def found_in(self, hour: datetime) -> frozenset[str]:
        """Ids of the findings of that hour, near misses included."""
        query = select(HOURS.found.c.finding).where(HOURS.found_at == hour_text(hour))
        with self.state.transaction() as connection:
            return frozenset(connection.execute(query).scalars())

    def hours_of(self, ids: Collection[str]) -> dict[str, frozenset[datetime]]:
        """For each finding the hours in which it was there, near misses included."""
        hours: dict[str, set[datetime]] = {finding: set() for finding in ids}
        query = select(HOURS.found.c.finding, HOURS.found_at).where(HOURS.found.c.finding.in_(sorted(hours)))
        with self.state.transaction() as connection:
            for finding, hour in connection.execute(query):
                hours[finding].add(hour_of(hour))
        return {finding: frozenset(seen) for finding, seen in hours.items()}

    def incidents_in(self, hours: Collection[datetime]) -> frozenset[int]:
        """Numbers of the incidents that were there in any of these hours."""
        wanted = [hour_text(hour) for hour in hours]
        query = select(HOURS.found.c.incident).where(HOURS.found_at.in_(wanted), HOURS.found.c.is_kept)
        with self.state.transaction() as connection:
            return frozenset(connection.execute(query.distinct()).scalars())

    def past_findings(self, first: datetime, before: datetime) -> tuple[PastFinding, ...]:
        """What had a p-value from the hour ``first`` to the one before ``before``; their ``day`` is the hour's moment."""
        with self.state.transaction() as connection:
            return past_findings(connection, hour_text(first), hour_text(before), HOURS, hour_of)

    def days(self) -> frozenset[date]:
        """Days of which some hour was judged."""
        with self.state.transaction() as connection:
            return frozenset(hour_of(hour).date() for hour in connection.execute(select(HOURS.judged_at)).scalars())
