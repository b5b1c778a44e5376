"""What changes over weeks: a market opens, a device spreads, taste drifts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import Moment
from recsysops.drills.rows import Rows
from recsysops.drills.world.benign.setting import Setting, market_scope, noted
from recsysops.drills.world.population import Population
from recsysops.drills.world.vocabulary import CLIENTS, GENRES, LANGUAGES, LOCAL_LANGUAGE, MARKETS

MARKET = MARKETS.index("IS")
JOINING_DAYS = 14


@dataclass(frozen=True)
class MarketOpening:
    """The smallest market opens to everybody: new members join for two weeks, and requests there triple."""

    members: tuple[int, ...]
    """Those who join."""
    joined: tuple[int, ...]
    """Their days."""
    lift: float
    n_days: ClassVar[int | None] = None

    @classmethod
    def planned(cls, setting: Setting, rng: np.random.Generator) -> Self:
        """Twice as many members as the market has, who would else have joined elsewhere or never."""
        there = int((setting.members.market == MARKET).sum())
        elsewhere = np.flatnonzero(setting.members.market != MARKET)
        coming = rng.choice(elsewhere, min(2 * there, len(elsewhere) // 4), replace=False)
        days = setting.number + (JOINING_DAYS * rng.beta(1, 1.7, len(coming))).astype(np.int64)
        return cls(tuple(coming.tolist()), tuple(days.tolist()), 1 + len(coming) / max(there, 1))

    def of_members(self, members: Population) -> Population:
        """The members with the new ones in their market; they speak its language beside what they spoke."""
        who = list(self.members)
        market, joined, speaks = members.market.copy(), members.joined.copy(), members.speaks.copy()
        market[who], joined[who] = MARKET, self.joined
        speaks[who, LANGUAGES.index(LOCAL_LANGUAGE[MARKETS[MARKET]])] = True
        return replace(members, market=market, joined=joined, speaks=speaks)

    def demand(self, rows: Rows, moment: Moment) -> Rows:
        """Requests grow with the members."""
        share = 1 - (1 - min(1.0, (moment.n_days + 1) / JOINING_DAYS)) ** 1.7
        factor = np.where(rows["market"] == MARKETS[MARKET], 1 + (self.lift - 1) * share, 1.0)
        return rows.with_columns(n_requests=rows["n_requests"] * factor)

    def changes(self, rows: Rows, moment: Moment) -> Rows:
        """A launch of the market."""
        return rows if moment.n_days else noted(rows, moment, "launch", market_scope(MARKET), "open to everybody")


@dataclass(frozen=True)
class DeviceGrowth:
    """A cheap television stick spreads: month by month, requests move from phones to televisions. Nobody records it."""

    salt: int
    per_day: float
    """Share of the phone requests that moves, more every day."""
    n_days: ClassVar[int | None] = None

    @classmethod
    def planned(cls, setting: Setting, rng: np.random.Generator) -> Self:
        """Some tenths of a percent a day, to an eighth in the end."""
        del setting
        return cls(int(rng.integers(0, 2**31)), float(rng.uniform(0.002, 0.004)))

    def requests(self, rows: Rows, moment: Moment) -> Rows:
        """The members who have one ask on it half the time."""
        owns = np.random.default_rng(self.salt).random(int(rows["member"].max(initial=0)) + 1)[rows["member"]]
        share = min(0.125, self.per_day * (moment.n_days + 1))
        moves = rows.where(device="phone") & (owns < 2 * share) & (moment.rng.random(len(rows)) < 0.5)
        return rows.with_value("device", moves, "tv").with_value("client_version", moves, CLIENTS["tv"][1])


@dataclass(frozen=True)
class TasteDrift:
    """Taste drifts: one genre is liked a little more every day for six weeks, another less."""

    more: tuple[int, ...]
    less: tuple[int, ...]
    per_day: float
    """Log-odds."""
    n_days: ClassVar[int | None] = None

    @classmethod
    def planned(cls, setting: Setting, rng: np.random.Generator) -> Self:
        """Two of the larger genres."""
        up, down = rng.choice(len(GENRES) // 2, 2, replace=False)
        genre = setting.items.genre
        items = [tuple(np.flatnonzero(genre == one).tolist()) for one in (up, down)]
        return cls(items[0], items[1], float(rng.uniform(0.008, 0.015)))

    def liking(self, rows: Rows, moment: Moment) -> Rows:
        """After six weeks it stays."""
        drift = self.per_day * min(moment.n_days + 1, 42)
        direction = np.isin(rows["item"], self.more) * 1.0 - np.isin(rows["item"], self.less)
        return rows.with_columns(quality=rows["quality"] + drift * direction)
