"""Fault 43. Theory sees the mean price of the slice's impressions; one place of eight, dearer by about three sd, is moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.draws import request_draws
from recsysops.drills.planting.feature_place import within
from recsysops.drills.planting.on_top import best_of, impressions, raised, replaced_on_top
from recsysops.drills.planting.required import require, require_roles
from recsysops.drills.planting.slice_of_site import Place, some_slice
from recsysops.drills.planting.touched import EXPOSURE, SCORES
from recsysops.drills.power import mixture_shift
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site

SLATE, DEARER = 8, 3.0
"""In a quarter of the requests, one place of eight brings the dear ones to more than 5 % of impressions: p95 moves."""
LEAST_SHARE = 0.05


@dataclass(frozen=True)
class ExpensiveItem:
    """The dearest candidate leads in many requests.

    The requests are of one slice.
    """

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="expensive_item",
        stage="ranking",
        cause="serving",
        entity="the price in the ranking of one slice",
        knob="share of the slice's requests",
        target=0.25,
        symptom="higher prices among the impressions of a slice",
        cure="give the ranker prices in the unit that it was trained with",
    )
    severity: float
    place: Place
    item_columns: tuple[str, ...] = ()
    """What belongs to the item on own logs."""

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        """A slice that is not too small."""
        require_roles(cls.meta.name, site, "price")
        spread = site.columns["price"].sd if "price" in site.columns else 0.0
        require(cls.meta.name, "prices that are all the same", "prices that differ", is_there=spread > 0)
        columns = (*site.features("numeric", "item"), *site.features("categorical", "item"), "price")
        return cls(within(severity, cls.meta.most), some_slice(site, rng, LEAST_SHARE), columns)

    def scores(self, rows: Rows, moment: Moment) -> Rows:
        """In the requests hit, the dearest candidate scores best; of equally dear ones the first."""
        price = np.nan_to_num(rows["item_price"].astype(np.float64), nan=-np.inf)
        is_dearest = (price == best_of(rows["request"], price)[rows["request"]]) & (price > 0)
        first = np.zeros(len(rows), bool)
        dearest = np.flatnonzero(is_dearest)
        first[dearest[np.diff(rows["request"][dearest], prepend=-1) != 0]] = True
        return raised(rows, first & self._hit(rows, moment))

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        """In the requests hit, the dearest item that the slice was shown that day takes the first place."""
        seen = self.place.rows(rows) & impressions(rows)
        price = np.where(seen, np.nan_to_num(rows["price"].astype(np.float64), nan=-np.inf), -np.inf)
        if not seen.any():
            return rows
        return replaced_on_top(rows, int(np.argmax(price)), self._hit(rows, moment), self.item_columns)

    def _hit(self, rows: Rows, moment: Moment) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        return np.asarray(self.place.rows(rows) & (request_draws(rows, moment, self.meta.name) < self.severity))

    def truth(self) -> Truth:
        """The price, in the slice."""
        own = tuple(f"candidates.{name}" for name in self.item_columns)
        touches = ("candidates.item_price", "candidates.price*", *own, *SCORES, *EXPOSURE)
        return Truth(("candidates.price", "price", "candidates.item_price", "item_price"), touches, self.place.slice)

    def visible(self, site: Site) -> float:
        """A shift of the mean price over the slice's impressions."""
        n = site.n_outcomes / site.outcome_rate if site.outcome_rate > 0 else site.n_rows
        effect = site.columns["price"].design_effect
        return within(SLATE * mixture_shift(DEARER, self.place.share * n, site, effect), self.meta.most)
