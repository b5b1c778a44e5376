"""Fault 6. Theory sees it at once: of hundreds of numbers that change every night none has changed, so one size is all sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import CannotPlantError, FaultMeta, Moment, Truth
from recsysops.drills.planting.touched import CANDIDATE_MIX, EXPOSURE, SCORES
from recsysops.drills.planting.upstream_of import FEATURES_FROM
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site

TABLES = ("item_features", "member_features")


@dataclass(frozen=True)
class StaleSnapshot:
    """A table of the feature store is stuck on the values of the night before."""

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="stale_snapshot",
        stage="feature",
        cause="input",
        entity="a table of the feature store",
        knob="nights without new values",
        target=1.0,
        symptom="values that change every night stay as they were",
        cure="rerun the materialisation, and alert on the age of its values",
        deadline_days=2,
        is_graded=False,
    )
    severity: float
    table: str

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        """One of the two tables."""
        if not site.is_simulated:
            found, step = "logs alone", "leave this fault out here"
            raise CannotPlantError(cls.meta.name, found=found, expected="a feature store", next_step=step)
        return cls(cls.meta.target, TABLES[int(rng.integers(len(TABLES)))])

    def materialisation(self, rows: Rows, moment: Moment) -> Rows:
        """The table's new values are not taken."""
        return rows.with_value("is_new", rows.where(table=self.table), False)

    def truth(self) -> Truth:
        """The table as such, and all that is computed from it."""
        features = {
            f"candidates.{name}"
            for source, names in FEATURES_FROM.items() if source.startswith(self.table) for name in names
        }  # fmt: skip
        touches = (f"{self.table}.*", *sorted(features), "candidates.taste_match", "candidates.genre_affinity")
        entities = (self.table, f"{self.table}.*", f"{self.table}.as_of")
        return Truth(entities, (*touches, *SCORES, *EXPOSURE, *CANDIDATE_MIX), stages=("upstream",))

    def visible(self, site: Site) -> float:
        """There or not."""
        return self.meta.target
