"""Fault 32. Theory sees the slope of the score's log-odds on log popularity, estimated over the items of a day."""

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

NOISE = 0.5
"""Standard deviation of an item's mean log-odds around the line, beside that of its log popularity, which is about 1.

A slope of 0.2 raises the Gini coefficient of exposure by some 5 % within two weeks."""


@dataclass(frozen=True)
class PopularityRunaway:
    """Training counts plays of popular items more.

    Plays are weighted by a power of the item's plays in the last week; a logistic model then adds the severity, times the
    logarithm of those plays, to the log-odds.
    """

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="popularity_runaway",
        stage="training",
        cause="training",
        entity="the weights of the training rows",
        knob="log-odds added per e-fold of popularity",
        target=0.2,
        symptom="exposure concentrates on few items, more from week to week",
        cure="weight plays by their propensity, and explore",
        most=3.0,
        deadline_days=14,
    )
    severity: float

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        require(cls.meta.name, "no training to see", "the service's trainer", is_there=site.is_simulated)
        return cls(within(severity, cls.meta.most))

    def training(self, rows: Rows, moment: Moment) -> Rows:
        """A model is trained when it begins."""
        return due_at_onset(rows, moment)

    def training_rows(self, rows: Rows, moment: Moment) -> Rows:
        """Plays of an item of average popularity keep their weight."""
        plays = 1 + np.nan_to_num(rows["item_plays_7d"].astype(np.float64))
        times = (plays / np.exp(np.log(plays).mean())) ** self.severity
        return rows.with_columns(weight=rows["weight"] * np.where(rows["label"] > 0, times, 1.0))

    def truth(self) -> Truth:
        """The model; who is shown follows, and by that what is popular."""
        popularity = ("plays_1d", "plays_7d", "play_rate_7d", "completion_28d")
        counted = [name for one in popularity for name in (f"item_features.{one}", f"candidates.item_{one}")]
        return Truth(
            ("models", "models.training_rows", "candidates.item_plays_7d", "item_plays_7d"),
            (*MODELS, *SCORES, *EXPOSURE, "candidates.item_id", "outcomes.item_id", *counted),
        )

    def visible(self, site: Site) -> float:
        """A rise of the slope, with as many independent rows as there are items."""
        return within(NOISE * mean_shift(max(site.n_items, 1.0), site), self.meta.most)
