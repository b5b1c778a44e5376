"""Fault 41. Theory sees the rate of requests that a fallback answered; two in a thousand are ordinary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import CannotPlantError, FaultMeta, Moment, Truth
from recsysops.drills.planting.draws import request_draws
from recsysops.drills.planting.feature_place import within
from recsysops.drills.planting.reordering import reordered
from recsysops.drills.planting.touched import EXPOSURE, SCORES
from recsysops.drills.power import rate_rise
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site

ORDINARY_RATE = 0.002
LIMIT_MS = 400.0
"""What the ranker is waited for, on top of what the request took."""


@dataclass(frozen=True)
class Timeouts:
    """Slow requests get popular items instead.

    The ranker is too slow for them.
    """

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="timeouts",
        stage="ranking",
        cause="serving",
        entity="the fallback",
        knob="share of requests",
        target=0.02,
        symptom="fallback answers, high latency, less personal slates",
        cure="give the ranker more capacity, or less work",
    )
    severity: float
    has_position: bool = True

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        if not any(site.has(role) for role in ("fallback", "latency_ms", "position")):
            raise CannotPlantError(
                f"drill {cls.meta.name}",
                found="candidates without the roles fallback, latency_ms and position",
                expected="one of them, in which it could show",
                next_step="map one in recsysops.yaml",
            )
        return cls(within(severity, cls.meta.most), site.has("position"))

    def requests(self, rows: Rows, moment: Moment) -> Rows:
        """The requests hit fail in the ranker, after a long wait."""
        hit = request_draws(rows, moment, self.meta.name) < self.severity
        return rows.with_columns(
            fails=rows["fails"] | hit, latency_ms=np.where(hit, rows["latency_ms"] + LIMIT_MS, rows["latency_ms"])
        )

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        """The requests hit are marked, late, without a model's score, and in the order of the day's most logged items."""
        hit = request_draws(rows, moment, self.meta.name) < self.severity
        if self.has_position:
            _, which, counts = np.unique(rows["item_id"].astype(str), return_inverse=True, return_counts=True)
            rows = reordered(rows, np.where(hit, -counts[which.ravel()].astype(np.float64), 0.0))
        rows = rows.with_value("fallback", hit, value=True) if "fallback" in rows else rows
        if "latency_ms" in rows:
            rows = rows.with_value("latency_ms", hit, rows["latency_ms"][hit] + LIMIT_MS)
        return rows.with_null("raw_score", hit) if "raw_score" in rows else rows

    def truth(self) -> Truth:
        """What is logged of a fallback, and everything that follows from its order and scores."""
        logged = tuple(f"candidates.{name}" for name in ("fallback", "latency_ms", "model_id", "sampling_rate"))
        return Truth(("candidates.fallback", "fallback", "candidates.latency_ms"), (*logged, *SCORES, *EXPOSURE))

    def visible(self, site: Site) -> float:
        """A rise of the rate of fallbacks."""
        return within(rate_rise(ORDINARY_RATE, max(site.n_requests, 1.0), site), self.meta.most)
