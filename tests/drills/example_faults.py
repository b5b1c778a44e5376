"""A fault as somebody else would write it, for tests of the contract and of own logs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import CannotPlantError, FaultMeta, Moment, Truth
from recsysops.drills.power import rate_rise
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site


@dataclass(frozen=True)
class Moths:
    """Moths have eaten values of a numeric feature."""

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="moths",
        stage="feature",
        cause="input",
        entity="a numeric feature",
        knob="share of rows",
        target=0.05,
        symptom="NULLs in a feature",
        cure="camphor",
    )
    severity: float
    column: str

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        columns = site.features("numeric")
        if not columns:
            raise CannotPlantError("moths", found="no numeric feature", expected="one to eat")
        return cls(min(severity, cls.meta.most), str(rng.choice(columns)))

    def truth(self) -> Truth:
        return Truth((self.column, f"candidates.{self.column}"), (f"candidates.{self.column}",))

    def visible(self, site: Site) -> float:
        facts = site.columns.get(self.column)
        return max(1e-6, rate_rise(facts.missing_rate if facts else 0.0, max(site.n_rows, 1.0), site))

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        return rows.with_null(self.column, moment.rng.random(len(rows)) < self.severity)

    def features(self, rows: Rows, moment: Moment) -> Rows:
        return self.own_candidates(rows, moment)
