"""Fault 40. A request whose scores are all NaN, or all alike, never happens otherwise: a single one is a sign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.draws import request_draws
from recsysops.drills.planting.feature_place import within
from recsysops.drills.planting.required import require_roles
from recsysops.drills.planting.slice_of_site import Place, some_slice
from recsysops.drills.planting.touched import EXPOSURE, SCORES
from recsysops.drills.power import rate_rise
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site


@dataclass(frozen=True)
class ConstantScores:
    """Scores of some requests are NaN or all alike.

    The requests are of one slice.
    """

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="constant_scores",
        stage="ranking",
        cause="serving",
        entity="the score",
        knob="share of requests",
        target=0.001,
        symptom="NaN scores, or ties of whole requests",
        cure="mend the division in the ranker, and roll it out to the slice",
        most=0.05,
    )
    severity: float
    place: Place
    constant: float | None
    """The one score that all candidates get; None for NaN."""

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        """A slice large enough for the worst, and one of the two ways to fail."""
        require_roles(cls.meta.name, site, "score")
        place = some_slice(site, rng, least=cls.meta.most)
        usual = site.columns["score"].mean if "score" in site.columns else 0.5
        return cls(within(severity, cls.meta.most), place, None if rng.random() < 0.5 else usual)

    def scores(self, rows: Rows, moment: Moment) -> Rows:
        """All candidates of the requests hit."""
        draw = request_draws(rows, moment, self.meta.name)
        hit = self.place.rows(rows) & (draw < self.severity / self.place.share)
        value = np.nan if self.constant is None else self.constant
        for name in ("raw_score", "score"):
            rows = rows.with_value(name, hit, value) if name in rows else rows
        return rows

    own_candidates = scores

    def truth(self) -> Truth:
        """The score, in the slice."""
        return Truth(("candidates.score", "score", "candidates.raw_score"), (*SCORES, *EXPOSURE), self.place.slice)

    def visible(self, site: Site) -> float:
        """A request among all of them."""
        return within(rate_rise(0.0, max(site.n_requests, 1.0), site), self.meta.most)
