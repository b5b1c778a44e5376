"""Runs as the state remembers them: what was asked, when, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, select

from recsysops.incidents.schema import runs

N_REMEMBERED = 50
"""Newest runs that are looked at for the last good one."""


@dataclass(frozen=True)
class Run:
    """One run; without ``finished`` it was killed, or is still running."""

    id: int
    verb: str
    started: datetime
    finished: datetime | None
    outcome: str
    version: str

    @property
    def is_good(self) -> bool:
        """Whether it did all it set out to do."""
        return self.outcome.startswith("judged")

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "id": self.id,
            "verb": self.verb,
            "started": self.started.isoformat(),
            "finished": self.finished.isoformat() if self.finished else None,
            "outcome": self.outcome or None,
            "is_good": self.is_good,
            "version": self.version,
        }


def read_runs(connection: Connection, verb: str) -> tuple[Run, ...]:
    """The newest runs of a verb, newest first."""
    query = select(runs).where(runs.c.verb == verb).order_by(runs.c.id.desc()).limit(N_REMEMBERED)
    return tuple(
        Run(
            row.id,
            row.verb,
            datetime.fromisoformat(row.started),
            datetime.fromisoformat(row.finished) if row.finished else None,
            row.outcome or "",
            row.version,
        )
        for row in connection.execute(query)
    )


def first_run(connection: Connection) -> date | None:
    """The UTC day on which the first run of any verb began; None before it."""
    started = connection.execute(select(func.min(runs.c.started))).scalar()
    return datetime.fromisoformat(started).date() if started else None
