"""Fault 30. Theory sees the number of rows that a model is trained on, which varies by some 1 % from week to week."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.draws import draws, salt_of
from recsysops.drills.planting.feature_place import within
from recsysops.drills.planting.required import require
from recsysops.drills.planting.retraining import due_at_onset
from recsysops.drills.planting.touched import EXPOSURE, MODELS, SCORES
from recsysops.drills.power import count_change
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site

WINDOW_DAYS = 14
NOISE = 0.01
"""Relative standard deviation of the rows of two weeks, beside that of counting."""


@dataclass(frozen=True)
class StaleTrainingDay:
    """Training starts before the newest days are in.

    Of the last of them, some requests are missing when the severity is no whole number.
    """

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="stale_training_day",
        stage="training",
        cause="training",
        entity="the training window of a model",
        knob="days of the log",
        target=1.0,
        symptom="fewer rows and an older window in the registry; scores shift",
        cure="let training wait for the log, and train again",
        most=10.0,
        deadline_days=3,
    )
    severity: float
    salt: str

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        require(cls.meta.name, "no training to see", "the service's trainer", is_there=site.is_simulated)
        return cls(within(severity, cls.meta.most), salt_of(cls.meta.name, rng))

    def training(self, rows: Rows, moment: Moment) -> Rows:
        """A model is trained when it begins."""
        return due_at_onset(rows, moment)

    def training_rows(self, rows: Rows, moment: Moment) -> Rows:
        """The newest days are missing."""
        n_days_old = (rows["day"].max() - rows["day"]).astype(np.int64)
        return rows.take(n_days_old + draws(rows["request_id"], self.salt) >= self.severity)

    def truth(self) -> Truth:
        """The window of training in the registry; the model's scores follow."""
        return Truth(("models.training_rows", "models.training_end", "models"), (*MODELS, *SCORES, *EXPOSURE))

    def visible(self, site: Site) -> float:
        """A fall of the number of rows, in days."""
        n = WINDOW_DAYS * max(site.n_outcomes / site.outcome_rate if site.outcome_rate > 0 else site.n_rows, 1.0)
        return within(WINDOW_DAYS * count_change(n, site, NOISE), self.meta.most)
