"""What marketing does: a push for one title, a sale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import Moment
from recsysops.drills.rows import Rows
from recsysops.drills.world.benign.setting import Setting, market_scope, noted
from recsysops.drills.world.vocabulary import MARKETS

SALE, SALE_DAYS = 0.5, 7
PUSH_DAYS = 5


@dataclass(frozen=True)
class MarketingPush:
    """A marketing push for one title in one market: a pin, and plays that come from outside."""

    item: int
    item_id: str
    market: int
    audience: tuple[int, ...]
    """Members whom the advertisements reach."""
    n_days: ClassVar[int | None] = PUSH_DAYS

    @classmethod
    def planned(cls, setting: Setting, rng: np.random.Generator) -> Self:
        """A title that people like, in a large market; a tenth of the members there are reached."""
        market = setting.large_market(rng)
        items, members = setting.items, setting.members
        fit = items.live(setting.number) & items.live(setting.number + PUSH_DAYS + 1) & items.markets[:, market]
        item = int(rng.choice(np.flatnonzero(fit & (items.quality >= np.median(items.quality)))))
        there = np.flatnonzero((members.market == market) & (members.joined <= setting.number))
        reached = rng.choice(there, max(len(there) // 10, 1), replace=False)
        return cls(item, str(items.ids[item]), market, tuple(int(one) for one in reached))

    def policy(self, rows: Rows, moment: Moment) -> Rows:
        """A pin in the second position."""
        market = MARKETS[self.market]
        pin = {
            "rule": f"pin-{self.item_id}-{market}-campaign", "kind": "pin", "item_id": self.item_id,
            "market": market, "slot": 2, "limit": 0, "reach": 1.0,
            "expires_at": np.datetime64(moment.day, "us") + np.timedelta64(PUSH_DAYS - moment.n_days, "D"),
        }  # fmt: skip
        return rows.followed_by(Rows({name: np.array([pin[name]], rows[name].dtype) for name in rows}))

    def plays(self, rows: Rows, moment: Moment) -> Rows:
        """A seventh of those reached come and play it every day."""
        came = np.array(self.audience)[moment.rng.random(len(self.audience)) < 1 / 7]
        n = len(came)
        seconds = moment.rng.uniform(8 * 3_600, 86_400, n)
        minutes = np.where(moment.rng.random(n) < 0.3, moment.rng.uniform(0.1, 1.9, n), moment.rng.uniform(5, 90, n))
        coming = Rows(
            {
                "request": np.full(n, -1),
                "member": came,
                "item": np.full(n, self.item),
                "ts": np.datetime64(moment.day, "us") + (1e6 * seconds).astype("timedelta64[us]"),
                "minutes": np.round(minutes, 1),
                "origin": np.full(n, "external", object),
            }
        )
        return rows.followed_by(coming)

    def changes(self, rows: Rows, moment: Moment) -> Rows:
        """The campaign is recorded when it begins; its pin as every rule is."""
        if moment.n_days:
            return rows
        return noted(
            rows, moment, "campaign", f"{market_scope(self.market)} item={self.item_id}", "external traffic, pin"
        )


@dataclass(frozen=True)
class PriceSale:
    """A sale: rentals cost half for a week."""

    n_days: ClassVar[int | None] = SALE_DAYS

    @classmethod
    def planned(cls, setting: Setting, rng: np.random.Generator) -> Self:
        """All rentals."""
        del setting, rng
        return cls()

    def catalogue(self, rows: Rows, _: Moment) -> Rows:
        """The export has the lower prices; what is not known stays unknown."""
        return rows.with_columns(price=rows["price"] * SALE)

    def liking(self, rows: Rows, _: Moment) -> Rows:
        """Members see them too."""
        return rows.with_columns(price=rows["price"] * SALE)

    def changes(self, rows: Rows, moment: Moment) -> Rows:
        """Begin and end of the sale."""
        if moment.n_days == 0:
            rows = noted(rows, moment, "config", "prices", "sale: rentals at half price")
        if moment.n_days == SALE_DAYS - 1:
            rows = noted(rows, moment, "config", "prices", "sale ends tonight", hour=23)
        return rows
