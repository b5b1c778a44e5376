"""Fault 45. There or not: an item above the rank its score earned, at the same place of every slate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.reordering import order_of, reordered
from recsysops.drills.planting.required import require, require_roles
from recsysops.drills.planting.rules import with_rule
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site

SLOT = 1
DAYS_EXPIRED = 2


@dataclass(frozen=True)
class ExpiredPin:
    """An expired pin still puts its item at the top.

    The item is one of the well exposed ones, wherever it is a candidate.
    Nobody records a change: the rule was there before.
    """

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="expired_pin",
        stage="policy",
        cause="policy",
        entity="a pin",
        knob="items",
        target=1.0,
        symptom="final rank above the raw rank, one item at the top",
        cure="remove the pin, and let rules end by themselves",
        is_graded=False,
    )
    item: str
    severity: float = 1.0

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        require_roles(cls.meta.name, site, "position")
        require(cls.meta.name, "no well exposed item", "one to pin", is_there=site.item_ids)
        return cls(str(rng.choice(site.item_ids)))

    @property
    def rule(self) -> str:
        """Its id, as the service names its rules."""
        return f"pin-{self.item}-"

    def truth(self) -> Truth:
        names = ("final_rank", "raw_rank", "position", "shown", "item_id", "propensity")
        return Truth(
            (f"rule {self.rule}", self.rule, f"policy.{self.rule}", f"item {self.item}", "candidates.final_rank"),
            (*(f"candidates.{name}" for name in names), "candidates.[*]", "outcomes.item_id", "outcomes.[*]"),
            items=(self.item,),
        )

    def visible(self, site: Site) -> float:
        return self.meta.target

    def policy(self, rows: Rows, moment: Moment) -> Rows:
        ended = np.datetime64(moment.day, "us") - np.timedelta64(DAYS_EXPIRED + moment.n_days, "D")
        return with_rule(rows, self.rule, "pin", self.item, ended, slot=SLOT)

    def changes(self, rows: Rows, moment: Moment) -> Rows:
        return rows.take(rows["scope"] != f"policy.{self.rule}")

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        is_it = rows["item_id"].astype(str) == self.item
        return reordered(rows, np.where(is_it, SLOT - 0.5, order_of(rows)))
