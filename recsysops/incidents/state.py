"""What a workspace remembers between runs: runs, judged days, findings and incidents."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Literal

from sqlalchemy import Connection, insert, or_, select, update

from recsysops import __version__
from recsysops.incidents.acts import Actor, incident_of
from recsysops.incidents.calendar import end_of
from recsysops.incidents.copying import copy_state
from recsysops.incidents.database import open_database, speaking_of
from recsysops.incidents.incident import Incident, read_incidents
from recsysops.incidents.judged_day import JudgedDay
from recsysops.incidents.ledgers import SEEN
from recsysops.incidents.location import StateLocation
from recsysops.incidents.own_steps import own_steps
from recsysops.incidents.past_findings import past_findings
from recsysops.incidents.rebaselines import Rebaseline, read_rebaselines
from recsysops.incidents.run_log import Run, first_run, read_runs
from recsysops.incidents.schema import finding_days, findings, incident_lives, judged_days, runs
from recsysops.incidents.statuses import CLEAN, Status
from recsysops.incidents.stored import from_text
from recsysops.incidents.trail import Entry, append, broken_at, lock_head, read_trail
from recsysops.incidents.write_day import write_day
from recsysops.triage.findings import Finding
from recsysops.triage.replayed_limits import PastFinding


class State:
    """The state database of one workspace. Every method raises ``StateError`` when it is damaged or out of reach.

    Args:
        place: the state folder, or where else the state is.
        clock: of the workspace; in an archive it is always the end of the last judged day.
        now: the wall clock.
    """

    def __init__(
        self,
        place: Path | StateLocation,
        *,
        clock: Literal["wall", "archive"] = "wall",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._location = place if isinstance(place, StateLocation) else StateLocation(place)
        self._clock = clock
        self._now = now
        self._engine = open_database(self._location)

    @classmethod
    @contextmanager
    def scratch(cls, place: Path | StateLocation) -> Iterator[State]:
        """A copy of what is remembered, thrown away at the end of the block: for looking without keeping."""
        location = place if isinstance(place, StateLocation) else StateLocation(place)
        with TemporaryDirectory(prefix="recsysops-") as copy:
            copy_state(location, Path(copy))
            with cls(Path(copy)) as state:
                yield state

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def __enter__(self) -> State:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def begin_run(self, verb: str) -> int:
        """Note that a run has started; its number."""
        with self._writing() as connection:
            values = {"started": _now(), "verb": verb, "version": __version__}
            result = connection.execute(insert(runs).values(**values))
            assert result.inserted_primary_key is not None
            return int(result.inserted_primary_key[0])

    def finish_run(self, run: int, outcome: str) -> None:
        """Note that a run has ended; one without an end was killed."""
        with self._writing() as connection:
            connection.execute(update(runs).where(runs.c.id == run).values(finished=_now(), outcome=outcome))

    def runs(self, verb: str) -> tuple[Run, ...]:
        """The newest runs of a verb, newest first."""
        with self._reading() as connection:
            return read_runs(connection, verb)

    def first_run(self) -> date | None:
        """The day of the workspace's first run."""
        with self._reading() as connection:
            return first_run(connection)

    def write_day(self, run: int, judged: JudgedDay) -> None:
        """Put a judged day, or hour, in place of whatever was known of it, all of it or nothing."""
        with self._writing() as connection:
            before = read_incidents(connection)
            write_day(connection, run, judged)
            at = self._now()
            moment = judged.end if self._clock == "archive" else at
            append(connection, own_steps(before, read_incidents(connection), judged, run=run, at=at, moment=moment))

    def judged_days(self) -> dict[date, str]:
        """Every judged day with the digest of the data it was judged on, oldest first."""
        with self._reading() as connection:
            query = select(judged_days.c.day, judged_days.c.data).order_by(judged_days.c.day)
            return {date.fromisoformat(day): data for day, data in connection.execute(query)}

    def found_on(self, day: date) -> frozenset[str]:
        """Ids of the findings of that day, near misses included."""
        with self._reading() as connection:
            query = select(finding_days.c.finding).where(finding_days.c.day == day.isoformat())
            return frozenset(connection.execute(query).scalars())

    def days_of(self, ids: Collection[str]) -> dict[str, frozenset[date]]:
        """For each finding the days on which it was there, near misses included."""
        days: dict[str, set[date]] = {finding: set() for finding in ids}
        with self._reading() as connection:
            query = select(finding_days.c.finding, finding_days.c.day).where(finding_days.c.finding.in_(sorted(days)))
            for finding, day in connection.execute(query):
                days[finding].add(date.fromisoformat(day))
        return {finding: frozenset(seen) for finding, seen in days.items()}

    def incidents(self, *statuses: Status) -> tuple[Incident, ...]:
        """Incidents of these statuses (all when none is named), by number."""
        with self._reading() as connection:
            return tuple(one for one in read_incidents(connection) if not statuses or one.status in statuses)

    def incident(self, number: int) -> Incident:
        """The incident of that number.

        Raises:
            ConfigError: if there is none.
        """
        with self._reading() as connection:
            return incident_of(connection, number)

    def rebaselines(self) -> tuple[Rebaseline, ...]:
        """What counts as normal from some day on, because a person resolved an incident as expected."""
        with self._reading() as connection:
            return read_rebaselines(connection)

    def trail(self, incident: int | None = None) -> tuple[Entry, ...]:
        """The audit trail, of one incident or whole, oldest first."""
        with self._reading() as connection:
            return read_trail(connection, incident)

    def trail_broken_at(self) -> int | None:
        """Number of the first entry of the trail that was altered or lost; None when it is whole."""
        with self._reading() as connection:
            return broken_at(connection)

    def actor(self, who: str) -> Actor:
        """Somebody who acts now, by the wall clock and by the workspace's."""
        at = self._now()
        days = list(self.judged_days()) if self._clock == "archive" else []
        return Actor(who, at, end_of(days[-1]) if days else at)

    def incidents_on(self, days: Collection[date]) -> frozenset[int]:
        """Numbers of the incidents that were there on any of these days."""
        wanted = [day.isoformat() for day in days]
        query = select(finding_days.c.incident).where(finding_days.c.day.in_(wanted), finding_days.c.is_kept)
        with self._reading() as connection:
            return frozenset(connection.execute(query.distinct()).scalars())

    def findings(self, ids: Collection[str]) -> dict[str, Finding]:
        """The latest words on each of these findings."""
        query = select(findings.c.id, findings.c.latest).where(findings.c.id.in_(sorted(ids)))
        with self._reading() as connection:
            return {name: from_text(latest) for name, latest in connection.execute(query)}

    def past_findings(self, first: date, before: date) -> tuple[PastFinding, ...]:
        """What had a p-value from ``first`` to the day before ``before``, near misses included."""
        with self._reading() as connection:
            return past_findings(connection, first.isoformat(), before.isoformat())

    def days_of_incidents(self, before: date) -> frozenset[date]:
        """Days on which something was found; not fit as a reference for ``before``, or a fault would become the normal.

        What was judged later does not count, so that judging a day again finds what it found the first time. Days of an
        incident that a person resolved as expected or as a false alarm are clean, up to the day they said so.
        """
        lives = incident_lives.c
        is_unfit = or_(lives.resolution.is_(None), lives.resolution.not_in(CLEAN), SEEN.c.day > lives.through)
        query = (
            select(SEEN.c.day)
            .outerjoin(incident_lives, lives.incident == SEEN.c.incident)
            .where(SEEN.c.day < before.isoformat(), is_unfit)
        )
        with self._reading() as connection:
            return frozenset(date.fromisoformat(day) for day in connection.execute(query.distinct()).scalars())

    def transaction(self) -> AbstractContextManager[Connection]:
        """A transaction for the rooms above that keep tables of their own here: all of it is written or nothing."""
        return self._writing()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with speaking_of(self._location), self._engine.begin() as connection:
            lock_head(connection)
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with speaking_of(self._location), self._engine.connect() as connection:
            yield connection


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
