"""What a workspace remembers between runs: runs, judged days, findings and incidents."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

from sqlalchemy import Connection, insert, select, update

from recsysops import __version__
from recsysops.incidents.database import FILE_NAME, open_database, speaking_of
from recsysops.incidents.incident import Incident, Status
from recsysops.incidents.judged_day import JudgedDay
from recsysops.incidents.schema import finding_days, findings, incidents, judged_days, runs
from recsysops.incidents.stored import from_text
from recsysops.incidents.write_day import write_day
from recsysops.triage.findings import Finding


class State:
    """The state database of one workspace. Every method raises ``StateError`` when the file is damaged."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._engine = open_database(folder)

    @classmethod
    @contextmanager
    def scratch(cls, folder: Path) -> Iterator[State]:
        """A copy of what is remembered, thrown away at the end of the block: for looking without keeping."""
        with TemporaryDirectory(prefix="recsysops-") as copy:
            if (folder / FILE_NAME).exists():
                cls(folder).close()  # refuses what is damaged or newer
                with (
                    closing(sqlite3.connect(folder / FILE_NAME)) as source,
                    closing(sqlite3.connect(Path(copy) / FILE_NAME)) as target,
                ):
                    source.backup(target)
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

    def write_day(self, run: int, judged: JudgedDay) -> None:
        """Put a judged day in place of whatever was known of it, all of it or nothing."""
        with self._writing() as connection:
            write_day(connection, run, judged)

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
        query = select(incidents).order_by(incidents.c.id)
        if statuses:
            query = query.where(incidents.c.status.in_(statuses))
        with self._reading() as connection:
            return tuple(_incident(dict(row)) for row in connection.execute(query).mappings())

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

    def days_of_incidents(self, before: date) -> frozenset[date]:
        """Days on which something was found; not fit as a reference for ``before``, or a fault would become the normal.

        What was judged later does not count, so that judging a day again finds what it found the first time.
        """
        found = (finding_days.c.incident.is_not(None), finding_days.c.day < before.isoformat())
        with self._reading() as connection:
            days = connection.execute(select(finding_days.c.day).where(*found).distinct()).scalars()
            return frozenset(date.fromisoformat(day) for day in days)

    def transaction(self) -> AbstractContextManager[Connection]:
        """A transaction for the rooms above that keep tables of their own here: all of it is written or nothing."""
        return self._writing()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with speaking_of(self._path), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with speaking_of(self._path), self._engine.connect() as connection:
            yield connection


def _incident(row: dict[str, object]) -> Incident:
    days = {name: date.fromisoformat(str(row[name])) for name in ("onset", "last_seen", "opened")}
    ids = tuple(json.loads(str(row.pop("findings"))))
    return Incident(**{**row, **days, "finding_ids": ids})  # type: ignore[arg-type]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
