"""A team's own logs played again, day by day: to trials it is a service like the simulated one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from recsysops.config.load import FILE_NAME
from recsysops.drills.fault import Planted
from recsysops.drills.own_logs.own_logs import OwnLogs
from recsysops.tables.atomic import write_atomically
from recsysops.workspace import CHANGES

CHECKPOINT = "replay.json"


@dataclass
class Replay:
    """The days of ``logs`` up to ``next_day`` have been laid into ``folder``, which is a workspace."""

    logs: OwnLogs
    folder: Path
    next_day: date
    benign: tuple[Planted, ...] = ()
    """Nobody knows which true events a real log has seen."""

    @classmethod
    def begin(cls, folder: Path, size: Path, seed: int) -> Replay:
        """A workspace with the copy's settings and no day yet.

        Args:
            folder: of the new workspace.
            size: folder of the copied logs.
            seed: of no use here; the days are what they were.
        """
        logs = OwnLogs(size)
        for name in (FILE_NAME, f".recsysops/{CHANGES}"):
            if (logs.folder / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(logs.folder / name, folder / name)
        return cls(logs, folder, logs.days[0])

    @classmethod
    def resume(cls, checkpoint: Path, folder: Path) -> Replay:
        """Go on in a folder that has the days before the checkpoint."""
        said = json.loads((checkpoint / CHECKPOINT).read_text(encoding="utf-8"))
        return cls(OwnLogs(Path(said["logs"])), folder, date.fromisoformat(said["next_day"]))

    def save(self, checkpoint: Path) -> None:
        """Keep where it stands."""
        text = json.dumps({"logs": str(self.logs.folder), "next_day": self.next_day.isoformat()})
        write_atomically(checkpoint / CHECKPOINT, lambda path: path.write_text(text, encoding="utf-8"))

    def run_day(self, planted: Sequence[Planted] = ()) -> date:
        """Lay the next day, as it was or with what is planted; the day."""
        day = self.next_day
        self.logs.lay(self.folder, day)
        for one in planted:
            self.logs.plant(one, self.folder, day)
        self.next_day = day + timedelta(days=1)
        return day
