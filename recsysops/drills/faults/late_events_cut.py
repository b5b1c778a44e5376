"""Fault 10. Theory sees yesterday's plays in the features fall short of the usual count, which varies as Poisson and by the day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import CannotPlantError, FaultMeta, Moment, Truth
from recsysops.drills.planting.feature_place import within
from recsysops.drills.planting.touched import CANDIDATE_MIX, EXPOSURE, SCORES
from recsysops.drills.power import count_change
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site

_ITEM = ("plays_1d", "plays_7d", "play_rate_7d", "completion_28d")
_MEMBER = ("plays_7d", "minutes_7d", "usual_price", "last_play_at")
_FEATURES = ("member_plays_7d", "member_minutes_7d", "member_usual_price", "member_seconds_since_play", "price_gap")


@dataclass(frozen=True)
class LateEventsCut:
    """The window of the feature pipeline closes too early: the last plays of the day are not counted."""

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="late_events_cut",
        stage="feature",
        cause="input",
        entity="the play counts of the last day",
        knob="share of the last day's plays cut",
        target=0.1,
        symptom="counts of the last day are low, and nothing is newer than the cut",
        cure="move the watermark behind the arrival of the events, and rebuild",
        most=0.95,
        deadline_days=2,
    )
    severity: float

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        """Everywhere alike; the counts are made from events, which logs alone do not have."""
        if not site.is_simulated:
            found, step = "logs alone", "leave this fault out here"
            raise CannotPlantError(cls.meta.name, found=found, expected="a feature pipeline", next_step=step)
        return cls(within(severity, cls.meta.most))

    def events(self, rows: Rows, moment: Moment) -> Rows:
        """Plays after the cut are missing this night; by the next they have arrived."""
        midnight = np.datetime64(moment.day, "us")
        times = rows["ts"].astype(np.int64)
        is_last_day = rows["ts"] >= midnight - np.timedelta64(1, "D")
        if not is_last_day.any():
            return rows
        cut = np.quantile(times[is_last_day], 1 - self.severity, method="lower")
        return rows.take(~is_last_day | (times <= cut))

    def truth(self) -> Truth:
        """The count of the last day is hit most."""
        entities = ("item_features.plays_1d", "plays_1d", "candidates.item_plays_1d", "item_plays_1d")
        touches = (
            *(f"item_features.{name}" for name in _ITEM),
            *(f"member_features.{name}" for name in _MEMBER),
            *(f"candidates.{name}" for name in (*(f"item_{name}" for name in _ITEM), *_FEATURES)),
        )
        counts = ("item_features.plays_7d", "item_features", "member_features.last_play_at", "member_features")
        downstream = (*touches, *SCORES, *EXPOSURE, *CANDIDATE_MIX)
        return Truth((*entities, *counts), downstream, stages=("upstream",))

    def visible(self, site: Site) -> float:
        """A fall of the day's count of plays."""
        return within(count_change(site.n_outcomes, site), self.meta.most)
