"""Fault 25. Seen by the share of plays that count, ordinarily nine in ten, among the plays of a day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.draws import draws
from recsysops.drills.planting.required import require_roles
from recsysops.drills.power import rate_rise
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site

PLAY_MINUTES = 2.0
"""What counts as a play."""
ORDINARY_RATE = 0.9


@dataclass(frozen=True)
class LabelDefinition:
    """Plays given up early count as plays, too.

    For some members the label pipeline adds the minutes of the trailer to plays of less than two minutes.
    """

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="label_definition",
        stage="label",
        cause="input",
        entity="the value of outcomes",
        knob="rise of the base rate, relative",
        target=0.05,
        most=0.1,
        symptom="more outcomes count, calibration is off",
        cure="put the definition back, and label the days again",
        deadline_days=3,
    )
    severity: float
    pick: int

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        require_roles(cls.meta.name, site, "value", table="outcomes")
        return cls(min(severity, cls.meta.most), int(rng.integers(2**31)))

    def truth(self) -> Truth:
        counts = ("plays_1d", "plays_7d", "play_rate_7d", "completion_28d")
        items = [name for one in counts for name in (f"item_features.{one}", f"candidates.item_{one}")]
        return Truth(
            ("outcomes.value", "outcomes"),
            ("outcomes.value", *items, "candidates.member_plays_7d", "member_features.plays_7d"),
        )

    def visible(self, site: Site) -> float:
        return min(self.meta.most, rate_rise(ORDINARY_RATE, site.n_outcomes, site) / ORDINARY_RATE)

    def labels(self, rows: Rows, moment: Moment) -> Rows:
        is_short = rows["value"] < PLAY_MINUTES
        share = self.severity * (~is_short).sum() / max(is_short.sum(), 1)
        is_raised = is_short & (draws(rows["member_id"], f"definition:{self.pick}") < share)
        return rows.with_value("value", is_raised, rows["value"][is_raised] + PLAY_MINUTES)
