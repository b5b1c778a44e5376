"""Fault 24. Seen by the mean delay of the day's outcomes, which ordinarily varies by about a quarter of an hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.required import require_roles
from recsysops.drills.power import mean_shift
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site

ORDINARY_HOURS = 0.25
"""Standard deviation of ordinary delays."""


@dataclass(frozen=True)
class LabelDelay:
    """Outcomes reach the log hours late."""

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="label_delay",
        stage="label",
        cause="input",
        entity="the label pipeline",
        knob="hours",
        target=3.0,
        most=48.0,
        symptom="outcomes come late, so that newest days seem poor",
        cure="wait longer before training, and repair the pipeline",
        deadline_days=2,
    )
    severity: float

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        require_roles(cls.meta.name, site, "ingested_at", table="outcomes")
        return cls(min(severity, cls.meta.most))

    def truth(self) -> Truth:
        plays = [f"item_features.{name}" for name in ("plays_1d", "plays_7d", "play_rate_7d")]
        seen = [f"candidates.item_{name}" for name in ("plays_1d", "plays_7d", "play_rate_7d")]
        recent = ("member_features.last_play_at", "candidates.member_seconds_since_play")
        return Truth(
            ("outcomes.ingested_at", "outcomes"),
            ("outcomes.ingested_at", "outcomes.ts", "outcomes.[*]", *plays, *seen, *recent),
        )

    def visible(self, site: Site) -> float:
        return min(self.meta.most, ORDINARY_HOURS * mean_shift(site.n_outcomes, site))

    def own_outcomes(self, rows: Rows, moment: Moment) -> Rows:
        late = np.timedelta64(round(3600e6 * self.severity), "us")
        return rows.with_columns(ingested_at=rows["ingested_at"] + late)

    labels = own_outcomes
