"""Fault 37. An item that ought to be among n candidates and is among none is a sign once exp(-n) is below the alarm level."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import CannotPlantError, FaultMeta, Moment, Truth
from recsysops.drills.planting.feature_place import within
from recsysops.drills.planting.required import require
from recsysops.drills.planting.touched import CANDIDATES_AS_SUCH, EXPOSURE
from recsysops.drills.power import level
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site

N_NEAREST = 10
"""Items whose launch is this near will be out within the deadline."""


@dataclass(frozen=True)
class IndexWithoutNew:
    """The index lacks some newly launched items.

    No source finds what is not in it.
    """

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="index_without_new",
        stage="retrieval",
        cause="retrieval",
        entity="the retrieval index",
        knob="launches left out",
        target=1.0,
        symptom="launched items that are no candidates",
        cure="build the index again, after the catalogue has arrived",
        most=float(N_NEAREST),
        deadline_days=3,
    )
    severity: float
    items: tuple[str, ...]

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        """Items whose launch is nearest."""
        if not site.is_simulated:
            raise CannotPlantError(cls.meta.name, found="logs alone", expected="the service's index")
        near = site.launched_ids[:N_NEAREST]
        require(cls.meta.name, "no launch in these weeks", "an item that is launched", is_there=near)
        order = [str(one) for one in rng.permutation(near)]
        severity = within(severity, cls.meta.most)
        return cls(severity, tuple(order[: ceil(severity)]))

    def index(self, rows: Rows, moment: Moment) -> Rows:
        """The items are not in."""
        return rows.with_columns(is_in=rows["is_in"] & ~np.isin(rows["item_id"], self.items))

    def retrieved(self, rows: Rows, moment: Moment) -> Rows:
        """No other source knows items that are not in the index."""
        return rows.take(~np.isin(rows["item_id"], self.items))

    def truth(self) -> Truth:
        """The index, or each of the items."""
        names = tuple(f"item {item}" for item in self.items)
        touches = (*EXPOSURE, CANDIDATES_AS_SUCH, "candidates.candidate_source", "candidates.item_id")
        return Truth(("index", *names, *self.items), touches, items=self.items)

    def visible(self, site: Site) -> float:
        """One item, if it would have had enough candidates in a day."""
        per_item = max(site.n_rows, 1.0) / max(site.n_items, 1.0)
        return within(max(1.0, -log(level(site)) / per_item), self.meta.most)
