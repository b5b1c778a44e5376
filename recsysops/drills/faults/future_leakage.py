"""Fault 12. The model leans on what it will not have: theory sees scores fall by the share of plays explained away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.draws import is_hit, salt_of
from recsysops.drills.planting.feature_place import within
from recsysops.drills.planting.required import require
from recsysops.drills.planting.retraining import due_at_onset
from recsysops.drills.planting.touched import EXPOSURE, MODELS, SCORES
from recsysops.drills.power import mean_shift
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site

OF_PAIRS = ("genre_affinity", "taste_match")
"""Features of a member and an item that a play of the item itself would raise."""
ROOM = 0.3
"""What a feature that knows the outcome adds to the AUC of an honest model, which is about 0.7."""


@dataclass(frozen=True)
class FutureLeakage:
    """In training, a feature knows what gets played.

    For a share of the requests it is joined as of a moment after the play: played items have the highest value there is.
    """

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="future_leakage",
        stage="feature",
        cause="training",
        entity="a feature in the training set",
        knob="gain in offline AUC",
        target=0.01,
        symptom="a better model offline; lower scores and fewer plays online",
        cure="join features as of the request, and train again",
        most=0.25,
        deadline_days=3,
    )
    severity: float
    feature: str
    salt: str

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        known = [name for name in OF_PAIRS if name in site.columns and site.is_simulated]
        require(cls.meta.name, "no training to see", "the service's trainer", is_there=known)
        feature = str(rng.choice(known))
        return cls(within(severity, cls.meta.most), feature, salt_of(cls.meta.name, rng))

    def training(self, rows: Rows, moment: Moment) -> Rows:
        """A model is trained when it begins."""
        return due_at_onset(rows, moment)

    def training_rows(self, rows: Rows, moment: Moment) -> Rows:
        """What was played in the requests hit."""
        leaks = (rows["label"] > 0) & is_hit(rows["request_id"], self.severity / ROOM, self.salt)
        return rows.with_value(self.feature, leaks, np.nanmax(rows[self.feature]))

    def truth(self) -> Truth:
        """The feature, whose logged values are right; the model and its scores follow."""
        entities = (f"candidates.{self.feature}", self.feature, "models", "models.auc")
        return Truth(entities, (*MODELS, *SCORES, *EXPOSURE))

    def visible(self, site: Site) -> float:
        """A fall of the mean score, as a share of it, of what the AUC can gain."""
        facts = site.columns.get("score")
        if facts is None or facts.mean <= 0:
            return self.meta.most
        fall = mean_shift(max(site.n_rows, 1.0), site, facts.design_effect) * facts.sd / facts.mean
        return within(ROOM * fall, self.meta.most)
