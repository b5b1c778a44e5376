"""What benign events are planned from, and how a good team records them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from recsysops.drills.fault import Moment
from recsysops.drills.rows import Rows
from recsysops.drills.world.catalogue import Items
from recsysops.drills.world.change_log import change
from recsysops.drills.world.population import Population
from recsysops.drills.world.size import WorldSize
from recsysops.drills.world.vocabulary import MARKETS


@dataclass(frozen=True)
class Setting:
    """The service in which an event will happen on a day."""

    size: WorldSize
    members: Population
    items: Items
    number: int
    """Day number of its beginning."""

    @property
    def day(self) -> date:
        """Its first day."""
        return self.size.begin + timedelta(days=self.number)

    def latest_launch(self) -> int:
        """The item that launched last before the day."""
        launch = np.where(self.items.launch <= self.number, self.items.launch, -np.inf)
        return int(np.argmax(launch))

    def next_launch(self) -> int:
        """The item that launches first on the day or after it; the last of all if none does."""
        later = np.flatnonzero(self.items.launch >= self.number)
        return int(later[np.argmin(self.items.launch[later])]) if len(later) else int(np.argmax(self.items.launch))

    def large_market(self, rng: np.random.Generator) -> int:
        """One of the three large markets."""
        return int(rng.integers(0, 3))


def noted(
    rows: Rows, moment: Moment, kind: str, scope: str, description: str, *, rollout: float = 1.0, hour: int = 0
) -> Rows:
    """The day's changes with one more."""
    at = np.datetime64(moment.day, "us") + np.timedelta64(hour, "h")
    return rows.followed_by(change(at, kind, scope, rollout, description))


def market_scope(market: int) -> str:
    """A scope in the words of the change log."""
    return f"market={MARKETS[market]}"


def ramp(steps: tuple[float, ...], n_days: int) -> float:
    """Rollout after some days: a step a day, then the last one."""
    return steps[min(n_days, len(steps) - 1)]
