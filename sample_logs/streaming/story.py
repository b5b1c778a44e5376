"""The story of the sample: its size, its seed, and what went wrong upstream four days before its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from recsysops.drills.fault import Moment, Planted
from recsysops.drills.faults.wrong_tag import wrong_tag_of
from recsysops.drills.rows import Rows
from recsysops.drills.world.change_log import change
from recsysops.drills.world.service import Service
from recsysops.drills.world.size import WorldSize

SEED = 12_647
"""Of the seeds for which item 123 is a Norwegian title that is launched about ten days before the end, and liked."""
ITEM = "123"
LANGUAGE = "fo"
"""What is configured instead of the title's own ``nb``: Faroese, which few members speak."""
DAYS_WRONG = 4
SIZE = WorldSize(
    n_members=1_000,
    n_titles=250,
    launches_per_day=1.75,
    requests_per_day=380,
    log_rate=0.5,
    n_days=62,
    logged_items=(ITEM,),
    logged_days=7,
)
"""Launches are so few that the 123rd falls into the last days; the last day lies between two weekly deploys."""


@dataclass(frozen=True)
class AllLogged:
    """Whoever had all requests of an item logged wrote it down."""

    item: str

    def changes(self, rows: Rows, moment: Moment) -> Rows:
        """One event, on the first of the days."""
        scope = f"logging.item={self.item}"
        at = np.datetime64(moment.day, "us")
        noted = change(at, "config", scope, 1.0, f"requests with item {self.item} are logged at rate 1")
        return rows if moment.n_days else rows.followed_by(noted)


def onset(size: WorldSize = SIZE) -> date:
    """First day on which the export of the catalogue is wrong."""
    return size.end - timedelta(days=DAYS_WRONG)


def simulate(folder: Path, size: WorldSize = SIZE, seed: int = SEED, *, is_clean: bool = False) -> None:
    """Run the service from its warm-up to its last day; ``is_clean`` leaves the wrong language out."""
    logged = Planted(AllLogged(ITEM), size.end - timedelta(days=size.logged_days), seed)
    wrong = Planted(wrong_tag_of(ITEM, LANGUAGE), onset(size), seed)
    planted = (logged,) if is_clean else (logged, wrong)
    service = Service.begin(folder, size, seed)
    while service.next_day < size.end:
        service.run_day(planted)
