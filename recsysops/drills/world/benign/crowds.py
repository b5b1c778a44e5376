"""More or fewer members than on an ordinary day, for honest reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import Moment
from recsysops.drills.rows import Rows
from recsysops.drills.world.benign.setting import Setting, market_scope, noted
from recsysops.drills.world.vocabulary import MARKETS


@dataclass(frozen=True)
class Holiday:
    """A public holiday in one market: a fifth to a third more requests for a day."""

    market: int
    lift: float
    n_days: ClassVar[int | None] = 1

    @classmethod
    def planned(cls, setting: Setting, rng: np.random.Generator) -> Self:
        """In one of the large markets."""
        return cls(setting.large_market(rng), float(rng.uniform(1.2, 1.34)))

    def demand(self, rows: Rows, _: Moment) -> Rows:
        """More requests in the market."""
        return _scaled(rows, MARKETS[self.market], self.lift)

    def changes(self, rows: Rows, moment: Moment) -> Rows:
        """It is in the team's calendar."""
        return noted(rows, moment, "calendar", market_scope(self.market), "public holiday")


@dataclass(frozen=True)
class Surge:
    """A surge of real members everywhere for two days: bad weather. No bots, and nobody records it."""

    lift: float
    n_days: ClassVar[int | None] = 2

    @classmethod
    def planned(cls, setting: Setting, rng: np.random.Generator) -> Self:
        """A quarter to two fifths more."""
        del setting
        return cls(float(rng.uniform(1.25, 1.4)))

    def demand(self, rows: Rows, _: Moment) -> Rows:
        """More requests in every market."""
        return rows.with_columns(n_requests=rows["n_requests"] * self.lift)


@dataclass(frozen=True)
class BigMatch:
    """A big match on another channel: a third of one market's evening is missing. Nobody records it."""

    market: int
    n_days: ClassVar[int | None] = 1

    @classmethod
    def planned(cls, setting: Setting, rng: np.random.Generator) -> Self:
        """In one of the large markets."""
        return cls(setting.large_market(rng))

    def requests(self, rows: Rows, moment: Moment) -> Rows:
        """Fewer requests between 18 and 21 UTC."""
        hour = (rows["ts"] - np.datetime64(moment.day, "us")) / np.timedelta64(1, "h")
        is_match = rows.where(market=MARKETS[self.market]) & (hour >= 18) & (hour < 21)
        return rows.take(~(is_match & (moment.rng.random(len(rows)) < 1 / 3)))


def _scaled(rows: Rows, market: str, factor: float) -> Rows:
    """Demand with one market's requests multiplied."""
    return rows.with_columns(n_requests=rows["n_requests"] * np.where(rows["market"] == market, factor, 1.0))
