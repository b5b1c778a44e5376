"""Fault 18. Theory sees it at once: a column that was known is missing in every row, so one size is all sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.column_changes import blanked
from recsysops.drills.planting.required import require
from recsysops.drills.planting.touched import EXPOSURE, SCORES
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site

MOST_MISSING = 0.5
READ_BY_POLICY = "item_maturity_rating"


@dataclass(frozen=True)
class DroppedFeature:
    """A feature is dropped from the contract, and the model falls back to its path for missing values."""

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="dropped_feature",
        stage="schema",
        cause="input",
        entity="a feature",
        knob="there or not",
        target=1.0,
        symptom="one feature is missing everywhere, and scores shift",
        cure="deliver the feature again, or retrain without it",
        is_graded=False,
    )
    severity: float
    feature: str
    is_simulated: bool

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        """A feature that is mostly known and says something: it varies."""
        names = [
            name
            for name in (*site.features("numeric"), *site.features("categorical"))
            if site.columns[name].missing_rate < MOST_MISSING
            and (site.columns[name].sd > 0 or len(site.columns[name].values) > 1)
            and not (site.is_simulated and name == READ_BY_POLICY)
        ]
        require(cls.meta.name, "no feature that varies and is mostly known", "one or more", is_there=names)
        return cls(cls.meta.target, names[int(rng.integers(len(names)))], site.is_simulated)

    def features(self, rows: Rows, moment: Moment) -> Rows:
        """The vector lacks the feature."""
        return blanked(rows, self.feature, np.ones(len(rows), bool))

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        """NULL in every row."""
        return rows.with_null(self.feature, np.ones(len(rows), bool))

    def truth(self) -> Truth:
        """The feature in the log; its sources are right."""
        name = f"candidates.{self.feature}"
        downstream = (*SCORES, *EXPOSURE) if self.is_simulated else ()
        return Truth((name, self.feature), (name, *downstream), stages=("feature",))

    def visible(self, site: Site) -> float:
        """There or not."""
        return self.meta.target
