"""Fault 35. No rank changes; theory sees the mean of the score, whose relative change is that of expected plays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.feature_place import within
from recsysops.drills.planting.required import require, require_roles
from recsysops.drills.power import mean_shift
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site


@dataclass(frozen=True)
class CalibrationMissing:
    """Without calibration, scores promise too much."""

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="calibration_missing",
        stage="artifact",
        cause="model",
        entity="the calibration of a model",
        knob="expected plays too high, as a share",
        target=0.05,
        symptom="higher scores in the same order; fewer plays than expected",
        cure="package the calibration with the model, and refuse models without one",
        most=2.0,
    )
    severity: float

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        require_roles(cls.meta.name, site, "score")
        facts = site.columns.get("score")
        is_there = facts is not None and facts.mean > 0 and facts.sd > 0
        require(cls.meta.name, "scores that are constant or below zero", "scores above zero", is_there=is_there)
        return cls(within(severity, cls.meta.most))

    def deployment(self, rows: Rows, moment: Moment) -> Rows:
        """Every model's intercept is off by the logarithm of the error: for rare plays, the odds are the probability."""
        return rows.with_columns(calibration_b=rows["calibration_b"] + np.log1p(self.severity))

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        """Scores that are probabilities have their odds multiplied, all others themselves."""
        score = rows["score"]
        known = np.isfinite(score) & ~rows.nulls.get("score", np.zeros(len(rows), bool))
        before, times = score[known], 1 + self.severity
        is_probability = bool(((before > 0) & (before < 1)).all())
        after = times * before / (1 + self.severity * before) if is_probability else times * before
        return rows.with_value("score", known, after)

    def truth(self) -> Truth:
        """The calibration, or the model it belongs to; nothing but the score shows it."""
        return Truth(("models.calibration", "calibration", "models", "models.model_id"), ("candidates.score",))

    def visible(self, site: Site) -> float:
        """A shift of the mean score, as a share of it."""
        facts = site.columns["score"]
        shift = mean_shift(site.n_rows, site, facts.design_effect)
        return within(shift * facts.sd / facts.mean, self.meta.most)
