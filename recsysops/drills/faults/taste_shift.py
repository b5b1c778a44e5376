"""Row 56. The mean of a taste among the plays shifts by as many standard deviations as severity says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.power import mean_shift
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site


@dataclass(frozen=True)
class TasteShift:
    """Members truly come to like something else.

    Nothing is broken: titles with more of one taste are played more than before.
    """

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="taste_shift",
        stage="world",
        cause="legitimate",
        entity="the members' taste",
        knob="log-odds per standard deviation of a taste",
        target=0.5,
        most=3.0,
        symptom="other items are played, all inputs are sane",
        cure="none: the next training learns it",
        deadline_days=7,
        is_fault=False,
    )
    severity: float
    pick: int
    sign: int

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        return cls(min(severity, cls.meta.most), int(rng.integers(2**31)), int(rng.choice([-1, 1])))

    def truth(self) -> Truth:
        counts = ("plays_1d", "plays_7d", "play_rate_7d", "completion_28d")
        items = [name for one in counts for name in (f"item_features.{one}", f"candidates.item_{one}")]
        members = ("member_features.affinity_*", "member_features.emb_*", "candidates.genre_affinity")
        return Truth(
            ("world", "the members' taste"),
            ("outcomes.[*]", "outcomes.item_id", "outcomes.value", *items, *members, "candidates.taste_match"),
        )

    def visible(self, site: Site) -> float:
        return min(self.meta.most, mean_shift(site.n_outcomes, site))

    def liking(self, rows: Rows, moment: Moment) -> Rows:
        tastes = sorted(name for name in rows if name.startswith("taste_"))
        taste = rows[tastes[self.pick % len(tastes)]]
        shift = self.sign * self.severity * (taste - taste.mean()) / taste.std()
        return rows.with_columns(quality=rows["quality"] + shift)
