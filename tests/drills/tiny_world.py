"""A tiny simulated service to plant faults in: a checkpoint after some days, and forks of it, clean or faulted."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq

from recsysops.drills.fault import SEAMS, Planted
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site
from recsysops.drills.sites.site_of import site_of
from recsysops.drills.world.service import Service
from recsysops.drills.world.size import WorldSize

if TYPE_CHECKING:
    import pandas as pd

SIZE = WorldSize(
    n_members=400, n_titles=150, requests_per_day=200, log_rate=1.0, warm_up_days=21, n_days=10, has_benign_events=False
)
SEED = 11
N_LOG_DAYS = 3


@dataclass(frozen=True)
class Ran:
    """A folder in which days were run after the checkpoint."""

    folder: Path
    days: tuple[date, ...]

    def part(self, name: str, day: int = -1, root: str = "logs") -> Path:
        """The file of one day of a table: the last day run, unless told another (0 is the first)."""
        return self.folder / root / name / f"day={self.days[day].isoformat()}" / "part-0.parquet"

    def table(self, name: str, day: int = -1, root: str = "logs") -> pd.DataFrame:
        """The rows of one day of a table; NULL and NaN look alike."""
        rows: pd.DataFrame = self.rows(name, day, root).to_pandas()
        return rows

    def rows(self, name: str, day: int = -1, root: str = "logs") -> Any:
        """The same as an arrow table, in which NULL and NaN differ."""
        return pq.ParquetFile(self.part(name, day, root)).read()


class Eavesdropper:
    """Stands at every seam, changes nothing and remembers what passed."""

    def __init__(self) -> None:
        self.heard: dict[str, Rows] = {}

    def __getattr__(self, seam: str) -> Callable[[Rows, object], Rows]:
        if seam not in SEAMS:
            raise AttributeError(seam)

        def listen(rows: Rows, _: object) -> Rows:
            self.heard[seam] = rows
            return rows

        return listen


@dataclass
class TinyWorld:
    """The service at its checkpoint. What is run from it leaves it as it is."""

    folder: Path
    checkpoint: Path
    scratch: Path
    next_day: date
    """The day on which faults begin."""
    _clean: dict[int, Ran] = field(default_factory=dict)
    _n_forks: int = 0

    @classmethod
    def begin(cls, root: Path) -> TinyWorld:
        """Run warm-up and a few days of the log."""
        service = Service.begin(root / "world", SIZE, SEED)
        for _ in range(N_LOG_DAYS):
            service.run_day()
        service.save(root / "checkpoint")
        return cls(root / "world", root / "checkpoint", root, service.next_day)

    def clean(self, n_days: int = 1) -> Ran:
        """The days after the checkpoint without a fault; run once."""
        if n_days not in self._clean:
            self._clean[n_days] = self.run(n_days=n_days)
        return self._clean[n_days]

    def faulted(self, fault: Any, n_days: int = 1, seed: int = 5) -> Ran:
        """The same days with a fault planted from the first of them on."""
        return self.run(Planted(fault, self.next_day, seed), n_days=n_days)

    def run(self, *planted: Planted, n_days: int = 1) -> Ran:
        """Days in a fork of the world, with whatever is planted."""
        self._n_forks += 1
        folder = self.scratch / f"fork-{self._n_forks}"
        shutil.copytree(self.folder, folder, copy_function=os.link)
        service = Service.resume(self.checkpoint, folder)
        for _ in range(n_days):
            service.run_day(planted)
        return Ran(folder, tuple(self.next_day + timedelta(days=k) for k in range(n_days)))

    @cached_property
    def site(self) -> Site:
        """The facts of the days before the checkpoint."""
        return site_of(self.folder, is_simulated=True)

    @cached_property
    def seam_rows(self) -> dict[str, Rows]:
        """What passes every seam on the first day after the checkpoint (no training: that day is no Monday)."""
        ears = Eavesdropper()
        self.run(Planted(ears, self.next_day, 0))
        return ears.heard


def rng(seed: int = 0) -> np.random.Generator:
    """Random numbers to choose a fault with."""
    return np.random.default_rng(seed)
