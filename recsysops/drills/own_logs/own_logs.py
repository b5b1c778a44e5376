"""A copy of a team's own logs, and faults planted in days of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from recsysops.drills.fault import Planted
from recsysops.drills.own_logs.copying import (
    EVENT_TABLES,
    MANIFEST,
    MAX_DAY_ROWS,
    Copied,
    copy_logs,
    day_path,
    write_day,
)
from recsysops.drills.own_logs.names import Seen, seen_columns
from recsysops.drills.own_logs.own_rows import rows_of, table_of
from recsysops.drills.site import Site
from recsysops.drills.sites.site_of import site_of
from recsysops.engines.progress import SILENT, Progress
from recsysops.errors import StateError
from recsysops.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class OwnLogs:
    """The clean copy: a workspace that nobody writes to once it is made."""

    folder: Path

    @classmethod
    def prepare(
        cls,
        workspace: Workspace | Path,
        folder: Path,
        *,
        max_day_rows: int = MAX_DAY_ROWS,
        progress: Progress = SILENT,
    ) -> OwnLogs:
        """Copy the last days of the workspace into ``folder``; errors as for ``copying.copy_logs``."""
        opened = workspace if isinstance(workspace, Workspace) else Workspace(workspace)
        copy_logs(opened, folder, max_day_rows=max_day_rows, progress=progress)
        return cls(folder)

    @cached_property
    def copied(self) -> Copied:
        """What was copied.

        Raises:
            StateError: if the folder holds no finished copy.
        """
        try:
            return Copied.from_text((self.folder / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StateError(
                str(self.folder),
                found=f"no readable {MANIFEST} ({type(error).__name__})",
                expected="a finished copy of the logs",
                next_step="delete the folder; the next drill copies them again",
            ) from error

    @property
    def days(self) -> tuple[date, ...]:
        """The days of the copy, oldest first, without gaps."""
        return self.copied.days

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """The tables of events that there are."""
        return tuple(name for name in EVENT_TABLES if day_path(self.folder, name, self.days[0]).exists())

    @cached_property
    def site(self) -> Site:
        """The facts of the copy's last days."""
        return site_of(self.folder)

    @cached_property
    def _seen(self) -> Mapping[str, tuple[Seen, ...]]:
        opened = Workspace(self.folder).tables
        return {name: seen_columns(opened[name].schema) for name in self.tables}

    def plant(self, planted: Planted, fork: Path, day: date) -> None:
        """Write the tables of a day that the fault changes, changed, into a fork of the copy.

        Raises:
            PluginError: if the fault does not give back the rows it was given.
        """
        for table, rows in self._changed(planted, day):
            write_day(rows, fork, table, day)

    def shows(self, planted: Planted, day: date) -> bool:
        """Whether anything in the logs of a day would be different; errors as for ``plant``."""
        return any(True for _ in self._changed(planted, day))

    def _changed(self, planted: Planted, day: date) -> Iterator[tuple[str, pa.Table]]:
        import pyarrow.parquet as pq

        for table in self.tables:
            seam = f"own_{table}"
            if planted.acts_at(seam, day):
                original = pq.ParquetFile(day_path(self.folder, table, day)).read()
                given = rows_of(original, self._seen[table])
                changed = table_of(
                    getattr(planted.acting, seam)(given, planted.moment(seam, day)), original, self._seen[table]
                )
                if changed is not original:
                    yield table, changed

    def lay(self, fork: Path, day: date) -> None:
        """Put a day of the copy, as it is, into another workspace: as links where the file system has them."""
        for table in self.tables:
            source, target = day_path(self.folder, table, day), day_path(fork, table, day)
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(source, target)
            except OSError:
                shutil.copy2(source, target)
