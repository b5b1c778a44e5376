"""How large the simulated service is, and the seeds of its draws."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np


@dataclass(frozen=True)
class WorldSize:
    """The knobs. A day of the log has about ``requests_per_day × log_rate × 42`` candidates."""

    n_members: int = 3_000
    n_titles: int = 420
    """Items in the catalogue on the first day."""
    launches_per_day: float = 3.0
    requests_per_day: int = 1_200
    log_rate: float = 0.5
    """Share of ordinary requests that are logged; randomised and failed ones always are."""
    warm_up_days: int = 21
    """Days before the log begins: popularity alone ranks, then the first model is trained."""
    n_days: int = 70
    """Days of the log; launches are planned to 30 days beyond."""
    first_day: date = date(2026, 8, 31)
    """First day of the log, a Monday."""
    first_launch: int = 1
    """Item number of the first launch after the warm-up began; items that were there before have numbers from 10,001."""
    logged_items: tuple[str, ...] = ()
    """Items whose requests are logged at rate 1 in the last ``logged_days`` days."""
    logged_days: int = 7
    has_benign_events: bool = True

    @classmethod
    def drill(cls) -> WorldSize:
        """The size that drills are run at."""
        return cls()

    @classmethod
    def quick(cls) -> WorldSize:
        """A small service for quick drills and tests of the whole."""
        return cls(n_members=1_500, n_titles=300, requests_per_day=600, n_days=46)

    @property
    def begin(self) -> date:
        """First simulated day, a Monday too when the warm-up is whole weeks."""
        return self.first_day - timedelta(days=self.warm_up_days)

    @property
    def end(self) -> date:
        """First day after the log."""
        return self.first_day + timedelta(days=self.n_days)

    def number(self, day: date) -> int:
        """Days since the beginning of the simulation."""
        return (day - self.begin).days


STREAMS = (
    "members", "items", "calendar", "upstream", "demand", "retrieval", "canary", "slates", "plays", "search",
    "labels", "logging", "truth", "benign", "features", "embeddings",
)  # fmt: skip


def stream(seed: int, name: str, number: int = 0) -> np.random.Generator:
    """Random numbers of one stage on one day: what another stage draws never moves them."""
    return np.random.default_rng((seed, STREAMS.index(name), number))
