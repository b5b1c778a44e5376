"""Copy the last days of a workspace's logs of events into a workspace of their own; the originals are only read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from recsysops.config.dump import dump_settings
from recsysops.config.load import FILE_NAME
from recsysops.config.settings import SourceSettings, StateSettings, TableSettings, WorkspaceSettings
from recsysops.drills.own_logs.names import used_columns
from recsysops.drills.sites.site_of import candidates_of, complete_days_of
from recsysops.drills.sites.table_days import TableDays
from recsysops.engines.progress import SILENT, Progress
from recsysops.tables.atomic import write_atomically
from recsysops.workspace import CHANGES, Workspace

if TYPE_CHECKING:
    import pyarrow as pa

    from recsysops.tables.table import Table

EVENT_TABLES = ("candidates", "outcomes")
LOGS = "logs"
MANIFEST = "own_logs.json"
JUDGED_DAYS = 28
"""Days that are judged after those that only serve as their reference."""
MAX_DAY_ROWS = 500_000
"""Of candidates; longer days are sampled by whole requests, all days at the same rate."""


@dataclass(frozen=True)
class Copied:
    """What was copied."""

    name: str
    """Of the workspace."""
    days: tuple[date, ...]
    """Every day from the first to the last, also those without rows."""
    rate: float
    """Share of the requests that was copied."""

    def to_text(self) -> str:
        """As JSON."""
        return json.dumps({"name": self.name, "days": [day.isoformat() for day in self.days], "rate": self.rate})

    @classmethod
    def from_text(cls, text: str) -> Copied:
        """The inverse of ``to_text``."""
        said = json.loads(text)
        return cls(str(said["name"]), tuple(map(date.fromisoformat, said["days"])), float(said["rate"]))


def copy_logs(
    workspace: Workspace, folder: Path, *, max_day_rows: int = MAX_DAY_ROWS, progress: Progress = SILENT
) -> Copied:
    """Make ``folder`` a workspace with the last days of candidates and outcomes, a Parquet file per day.

    Values are canonical, slates unnested, columns keep their names; columns that nothing reads are left out. Other tables
    are read where they are. One day is held in memory at a time.

    Args:
        workspace: whose logs.
        folder: replaced if it is there.
        max_day_rows: of candidates.
        progress: told of days copied.

    Raises:
        ConfigError, NotEnoughDataError, SchemaError, SourceError: if the logs cannot be read or have no complete day.
    """
    candidates = candidates_of(workspace)
    logs = {"candidates": candidates}
    if "outcomes" in workspace.tables:
        logs["outcomes"] = TableDays(workspace.tables["outcomes"])
    complete = complete_days_of(workspace, candidates)
    last = complete[-1]
    first = max(complete[0], last - timedelta(days=workspace.settings.detect.reference_days + JUDGED_DAYS - 1))
    days = tuple(first + timedelta(days=number) for number in range((last - first).days + 1))
    rate = min(1.0, max_day_rows / max(candidates.days.get(day, 0) for day in days))
    shutil.rmtree(folder, ignore_errors=True)
    progress.start("copying days", len(days) * len(logs))
    for log in logs.values():
        _copy_table(log, days, rate, folder, progress)
    progress.finish()
    copied = Copied(workspace.settings.name, days, rate)
    _write(folder / FILE_NAME, dump_settings(_settings(workspace, {name: log.table for name, log in logs.items()})))
    changes = workspace.state / CHANGES
    if changes.is_file():
        _write(folder / ".recsysops" / CHANGES, changes.read_text(encoding="utf-8"))
    _write(folder / MANIFEST, copied.to_text())
    return copied


def _copy_table(log: TableDays, days: Sequence[date], rate: float, folder: Path, progress: Progress) -> None:
    """One pass over the table, whatever its partitions hold: pieces go to disk, then each day is put together."""
    from pyarrow import feather

    columns = used_columns(log.table.schema, log.table.settings.columns)
    pieces: dict[date, list[Path]] = {day: [] for day in days}
    spill = folder / "pieces"
    spill.mkdir(parents=True)
    for number, (day, piece) in enumerate(log.pieces(days, columns, rate)):
        pieces[day].append(spill / str(number))
        feather.write_feather(piece, pieces[day][-1], compression="uncompressed")
    for day in days:
        rows = log.joined([feather.read_table(path, memory_map=False) for path in pieces[day]], columns)
        write_day(rows, folder, log.table.name, day)
        for path in pieces[day]:
            path.unlink()
        progress.advance()
    spill.rmdir()


def day_path(folder: Path, table: str, day: date) -> Path:
    """Where a day of a table is in the copy, and in every fork of it."""
    return folder / LOGS / table / f"day={day.isoformat()}" / "part-0.parquet"


def write_day(rows: pa.Table, folder: Path, table: str, day: date) -> None:
    """Put a day in place, whole; another file of that day is replaced, links to it are not written through."""
    import pyarrow.parquet as pq

    write_atomically(day_path(folder, table, day), lambda path: pq.write_table(rows, path))


def _settings(workspace: Workspace, copied: Mapping[str, Table]) -> WorkspaceSettings:
    """The same settings over the copy: what was unnested is no array any more, globs have become names."""
    tables = {}
    for name, settings in workspace.settings.tables.items():
        if name in copied:
            features = [column.name for column in copied[name].schema.features]
            tables[name] = settings.model_copy(
                update={"source": _copy_source(name), "unnest": [], "features": features}
            )
        else:
            tables[name] = _in_place(settings, workspace.root)
    return workspace.settings.model_copy(update={"tables": tables, "clock": "archive", "state": StateSettings()})


def _copy_source(name: str) -> SourceSettings:
    return SourceSettings.model_validate({"path": f"{LOGS}/{name}", "format": "parquet"})


def _in_place(settings: TableSettings, root: Path) -> TableSettings:
    path = str(root.resolve() / settings.source.path)
    return settings.model_copy(update={"source": settings.source.model_copy(update={"path": path})})


def _write(path: Path, text: str) -> None:
    write_atomically(path, lambda target: target.write_text(text, encoding="utf-8"))
