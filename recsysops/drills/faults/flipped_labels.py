"""Fault 27. Seen by the share of the surface's plays that count, ordinarily nine in ten; it falls by 0.8 × severity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.draws import draws
from recsysops.drills.planting.required import require, require_roles
from recsysops.drills.power import rate_fall
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site

PLAY_MINUTES = 2.0
ORDINARY_RATE = 0.9


@dataclass(frozen=True)
class FlippedLabels:
    """Some labels of one surface are flipped.

    What was played counts as given up, and the other way round. A surface with at most half of the requests is chosen.
    What was never played has no label that could be flipped.
    """

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="flipped_labels",
        stage="label",
        cause="input",
        entity="the value of outcomes",
        knob="share of one surface's labels",
        target=0.1,
        symptom="one surface seems to play less than was predicted",
        cure="repair the labeller, and label the days again",
        deadline_days=2,
    )
    severity: float
    pick: int
    surface: str
    share: float
    """Of the requests, that the surface has."""

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        require_roles(cls.meta.name, site, "value", table="outcomes")
        shares = {name: share for name, share in site.slices.get("surface", {}).items() if share <= 0.5}
        require(cls.meta.name, "no surface", "one with at most half of the requests", is_there=shares)
        surface = str(rng.choice(list(shares)))
        return cls(min(severity, cls.meta.most), int(rng.integers(2**31)), surface, shares[surface])

    def truth(self) -> Truth:
        counts = ("plays_1d", "plays_7d", "play_rate_7d", "completion_28d")
        items = [name for one in counts for name in (f"item_features.{one}", f"candidates.item_{one}")]
        return Truth(("outcomes.value", "outcomes"), ("outcomes.value", *items), {"surface": self.surface})

    def visible(self, site: Site) -> float:
        fall = rate_fall(ORDINARY_RATE, self.share * site.n_outcomes, site)
        return min(self.meta.most, fall / (2 * ORDINARY_RATE - 1))

    def labels(self, rows: Rows, moment: Moment) -> Rows:
        is_hit = draws(rows["request_id"], f"flipped:{self.pick}") < self.severity
        is_flipped = rows.where(surface=self.surface) & is_hit
        minutes = rows["value"][is_flipped]
        given_up = np.minimum(np.round(minutes / 60, 1), PLAY_MINUTES - 0.1)
        flipped = np.where(minutes >= PLAY_MINUTES, given_up, minutes + 10 * PLAY_MINUTES)
        return rows.with_value("value", is_flipped, flipped)
