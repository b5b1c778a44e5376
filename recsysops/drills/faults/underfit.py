"""Fault 31. Theory sees the spread of the raw score: n trees leave (1 - learning rate)^n of what there is to learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.feature_place import within
from recsysops.drills.planting.required import require
from recsysops.drills.planting.retraining import due_at_onset
from recsysops.drills.planting.touched import EXPOSURE, MODELS, SCORES
from recsysops.drills.power import mean_shift
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site

N_TREES, LEARNING_RATE = 80, 0.08
"""As the service's trainer has them; a tenth of these trees costs about 0.005 of AUC."""


@dataclass(frozen=True)
class Underfit:
    """A model with far too few trees goes live."""

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="underfit",
        stage="training",
        cause="training",
        entity="the parameters of the trainer",
        knob="share of the trees that are missing",
        target=0.9,
        symptom="a lower AUC; raw scores spread less",
        cure="put the parameters back, and train again",
        most=0.99,
        deadline_days=3,
    )
    severity: float

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        require(cls.meta.name, "no training to see", "the service's trainer", is_there=site.is_simulated)
        return cls(within(severity, cls.meta.most))

    def training(self, rows: Rows, moment: Moment) -> Rows:
        """Fewer trees; a model is trained when it begins."""
        n_trees = np.maximum(np.rint(rows["n_trees"] * (1 - self.severity)), 1).astype(np.int64)
        return due_at_onset(rows.with_columns(n_trees=n_trees), moment)

    def truth(self) -> Truth:
        """The model; its scores follow, and with them who is shown."""
        return Truth(("models", "models.model_id", "models.auc"), (*MODELS, *SCORES, *EXPOSURE))

    def visible(self, site: Site) -> float:
        """A fall of the logarithm of the spread, whose error is that of a mean over the root of two."""
        facts = site.columns.get("score")
        effect = facts.design_effect if facts is not None else 1.0
        fall = min(mean_shift(max(site.n_rows, 1.0), site, effect) / np.sqrt(2), 0.99)
        return within(1 - np.log(fall) / np.log(1 - LEARNING_RATE) / N_TREES, self.meta.most)
