"""Fault 11. Theory sees the feature's mean shift, where rows of one request (or item) count as the log's clusters do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.column_changes import changed_numbers
from recsysops.drills.planting.feature_place import varying_numbers, within
from recsysops.drills.planting.required import require
from recsysops.drills.planting.touched import EXPOSURE, SCORES
from recsysops.drills.power import mean_shift
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site

COMPUTED = (
    "item_days_since_launch", "item_release_age_years", "member_account_age_days", "member_seconds_since_play",
    "taste_match", "genre_affinity", "price_gap",
)  # fmt: skip
"""What the serving code of the simulated service computes itself rather than reads."""


@dataclass(frozen=True)
class TrainingServingDifference:
    """Serving computes a feature by other code than training did, so all its values are shifted."""

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="training_serving_difference",
        stage="feature",
        cause="serving",
        entity="a computed numeric feature",
        knob="shift in standard deviations",
        target=0.03,
        symptom="a feature and the scores shift, with the upstream values as ever",
        cure="compute the feature by one piece of code in both places",
        most=3.0,
    )
    severity: float
    feature: str
    sd: float

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        """A feature that serving computes; on own logs any that varies."""
        names = [name for name in varying_numbers(site) if name in COMPUTED or not site.is_simulated]
        require(cls.meta.name, "no numeric feature that varies", "one or more", is_there=names)
        feature = names[int(rng.integers(len(names)))]
        return cls(within(severity, cls.meta.most), feature, site.columns[feature].sd)

    def features(self, rows: Rows, moment: Moment) -> Rows:
        """All values are larger by the severity."""
        shifted = rows[self.feature].astype(np.float64) + self.severity * self.sd
        return changed_numbers(rows, self.feature, np.ones(len(rows), bool), shifted)

    own_candidates = features

    def truth(self) -> Truth:
        """The feature in the log; its sources are right."""
        name = f"candidates.{self.feature}"
        return Truth((name, self.feature), (name, *SCORES, *EXPOSURE))

    def visible(self, site: Site) -> float:
        """A shift of the mean."""
        shift = mean_shift(site.n_rows, site, site.columns[self.feature].design_effect)
        return within(shift, self.meta.most)
