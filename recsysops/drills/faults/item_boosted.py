"""Fault 42. Theory sees the item's count of impressions, which varies by a fifth from day to day, against its own past."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.draws import request_draws
from recsysops.drills.planting.feature_place import within
from recsysops.drills.planting.on_top import impressions, led_by, replaced_on_top
from recsysops.drills.planting.required import require
from recsysops.drills.planting.touched import EXPOSURE, SCORES
from recsysops.drills.power import count_change
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site

DAY_NOISE = 0.2


@dataclass(frozen=True)
class ItemBoosted:
    """One item is pushed to the top for many members."""

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="item_boosted",
        stage="ranking",
        cause="serving",
        entity="an item",
        knob="times its usual impressions",
        target=3.0,
        symptom="one item's share of impressions and its reach",
        cure="cap the item's exposure, then mend what scores it so high",
        most=12.0,
    )
    severity: float
    item: str
    item_columns: tuple[str, ...] = ()
    """What belongs to the item on own logs."""

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        """An item that is shown well enough to be known, but not among the first twenty."""
        items = site.item_ids[20:] or site.item_ids
        require(cls.meta.name, "no item with impressions", "an item that is shown", is_there=items)
        columns = (*site.features("numeric", "item"), *site.features("categorical", "item"), "price")
        return cls(within(severity, cls.meta.most), str(rng.choice(items)), columns)

    def ranked(self, rows: Rows, moment: Moment) -> Rows:
        """Where it might be shown and is not, it comes first in as many requests as the severity asks for."""
        mine = (rows["item_id"] == self.item) & np.isfinite(rows["raw_score"]) & ~rows["is_randomised"]
        low = mine & ~rows["is_shown"] & (rows["filtered_by"] == None)  # noqa: E711  (elementwise)
        more = (self.severity - 1) * max(int((mine & rows["is_shown"]).sum()), 1)
        draw = request_draws(rows, moment, self.meta.name)
        return led_by(rows, low & (draw < more / max(int(low.sum()), 1)))

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        """It takes the first place of as many requests that lack it."""
        mine = rows["item_id"].astype(str) == self.item
        if not mine.any():
            return rows
        requests = rows["request_id"].astype(str)
        n_others = len(np.unique(requests)) - len(np.unique(requests[mine]))
        more = (self.severity - 1) * max(int((mine & impressions(rows)).sum()), 1)
        hit = request_draws(rows, moment, self.meta.name) < more / max(n_others, 1)
        return replaced_on_top(rows, int(np.argmax(mine)), hit, self.item_columns)

    def truth(self) -> Truth:
        """The item; of the columns its own may move, and the scores."""
        own = tuple(f"candidates.{name}" for name in self.item_columns)
        return Truth(
            (f"item {self.item}", self.item), (*EXPOSURE, "candidates.item_id", *SCORES, *own), items=(self.item,)
        )

    def visible(self, site: Site) -> float:
        """A change of the count of a well-shown item, which has about a third of the largest share."""
        n = site.n_outcomes / site.outcome_rate if site.outcome_rate > 0 else site.n_rows
        return within(1 + count_change(site.top_item_share * n / 3, site, DAY_NOISE), self.meta.most)
