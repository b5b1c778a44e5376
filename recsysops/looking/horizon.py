"""How far the data of each table reaches: what has been counted, what lies there uncounted. Lists files, reads no rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from recsysops.config.settings import WorkspaceSettings
from recsysops.errors import RecSysOpsError
from recsysops.incidents.calendar import end_of
from recsysops.profiles.manifest import read_manifest
from recsysops.tables.open_tables import open_table


@dataclass(frozen=True)
class Horizon:
    """One table. ``last_day`` is the newest event day that has been counted, None before the first count."""

    table: str
    last_day: date | None = None
    n_files: int = 0
    n_uncounted: int = 0
    """Files that are new or changed since they were last counted."""
    last_file: str = ""
    last_written: datetime | None = None
    problem: str = ""
    """Why the table cannot be read, "" when it can."""

    def age_hours(self, now: datetime) -> float | None:
        """Hours from the end of the last counted day to ``now``, at least 0."""
        return None if self.last_day is None else max(0.0, (now - end_of(self.last_day)).total_seconds() / 3600)

    def to_dict(self, now: datetime) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "table": self.table,
            "last_day": self.last_day.isoformat() if self.last_day else None,
            "age_hours": self.age_hours(now),
            "n_files": self.n_files,
            "n_uncounted": self.n_uncounted,
            "last_file": self.last_file or None,
            "last_written": self.last_written.isoformat() if self.last_written else None,
            "problem": self.problem or None,
        }


def horizons(settings: WorkspaceSettings, root: Path, state: Path) -> tuple[Horizon, ...]:
    """Every table of the workspace, in its order; a table that cannot be read says why.

    Args:
        settings: of the workspace.
        root: its folder.
        state: the folder of its state.

    Raises:
        StateError: if the list of counted files is damaged.
    """
    return tuple(_horizon(name, settings, root, state) for name in settings.tables)


def _horizon(name: str, settings: WorkspaceSettings, root: Path, state: Path) -> Horizon:
    own = settings.tables[name]
    try:
        table = open_table(name, own, own.timezone or settings.timezone, root)
        partitions = table.partitions()
    except RecSysOpsError as error:
        return Horizon(name, problem=str(error))
    manifest = read_manifest(state / "manifests" / f"{name}-{table.binding[:12]}.json")
    known = {(one.key, one.fingerprint) for one in manifest.known.values()}
    newest = max(partitions, key=lambda one: (one.modified_at, one.key), default=None)
    latest = max((day for one in manifest.live for day in one.days), default=None)
    return Horizon(
        name,
        latest,
        len(partitions),
        sum((one.key, one.fingerprint) not in known for one in partitions),
        newest.key if newest else "",
        datetime.fromtimestamp(newest.modified_at, UTC) if newest and newest.modified_at else None,
    )
