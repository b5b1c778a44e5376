"""Fault 47. There or not: a well exposed item that nobody is shown in one market."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.reordering import order_of, reordered
from recsysops.drills.planting.required import require
from recsysops.drills.planting.rules import with_rule
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site

LEAST_SHARE = 0.1


@dataclass(frozen=True)
class SuppressScope:
    """An item is suppressed in the wrong market.

    The market has at least a tenth of the rows; own logs without markets are hit in a value of another slice.
    """

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="suppress_scope",
        stage="policy",
        cause="policy",
        entity="a suppression",
        knob="items",
        target=1.0,
        symptom="one item is not shown in one market",
        cure="give the rule its right scope",
        is_graded=False,
    )
    item: str
    dimension: str
    value: str
    severity: float = 1.0

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        require(cls.meta.name, "no well exposed item", "one to suppress", is_there=site.item_ids)
        item = str(rng.choice(site.item_ids))
        dimensions = ["market"] if "market" in site.slices else list(site.slices)
        places = [(one, name) for one in dimensions for name, share in site.slices[one].items() if share >= LEAST_SHARE]
        require(cls.meta.name, "no slice", "one with a tenth of the rows", is_there=places)
        return cls(item, *places[int(rng.integers(len(places)))])

    @property
    def rule(self) -> str:
        """Its id, as the service names its rules."""
        return f"suppress-{self.item}-{self.value}"

    def truth(self) -> Truth:
        names = ("filtered_by", "final_rank", "position", "shown", "item_id", "propensity")
        return Truth(
            (f"rule {self.rule}", self.rule, f"policy.{self.rule}", f"item {self.item}", "candidates.filtered_by"),
            (*(f"candidates.{name}" for name in names), "candidates.[*]", "outcomes.item_id", "outcomes.[*]"),
            {self.dimension: self.value},
            (self.item,),
        )

    def visible(self, site: Site) -> float:
        return self.meta.target

    def policy(self, rows: Rows, moment: Moment) -> Rows:
        ends = np.datetime64(moment.day, "us") + np.timedelta64(365, "D")
        return with_rule(rows, self.rule, "suppress", self.item, ends, market=self.value)

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        is_out = (rows["item_id"].astype(str) == self.item) & rows.where(**{self.dimension: self.value})
        if "filtered_by" in rows:
            rows = rows.with_value("filtered_by", is_out, "suppressed")
        if "position" in rows:
            rows = reordered(rows, order_of(rows), is_out)
        elif "shown" in rows:
            rows = rows.with_value("shown", is_out, False)
        return rows if "shown" in rows else rows.take(~is_out)
