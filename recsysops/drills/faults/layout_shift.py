"""Fault 51. Some four in ten plays come from position four and below; theory counts them against those from above."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.required import require
from recsysops.drills.power import count_change
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site

FROM_POSITION = 4
SHARE_BELOW = 0.4
LEAST_SHARE = 0.1


@dataclass(frozen=True)
class LayoutShift:
    """A layout hides the lower half of slates.

    It is that of one kind of device, which has at least a tenth of the rows; positions from
    the fourth on are looked at less.
    """

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="layout_shift",
        stage="client",
        cause="serving",
        entity="a client",
        knob="fall of examination, relative",
        target=0.05,
        most=0.95,
        symptom="lower positions are played less",
        cure="put the layout back, or learn the position curve again",
        deadline_days=3,
    )
    severity: float
    device: str
    share: float

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        large = {name: share for name, share in site.slices.get("device", {}).items() if share >= LEAST_SHARE}
        require(cls.meta.name, "no device", "one with a tenth of the rows", is_there=large)
        device = str(rng.choice(list(large)))
        return cls(min(severity, cls.meta.most), device, large[device])

    def truth(self) -> Truth:
        counts = ("plays_1d", "plays_7d", "play_rate_7d")
        items = [name for one in counts for name in (f"item_features.{one}", f"candidates.item_{one}")]
        return Truth(
            ("candidates.position", "candidates.device", "candidates.client_version", "outcomes"),
            ("candidates.position", "outcomes.[*]", "outcomes.request_id", "outcomes.origin", *items),
            {"device": self.device},
        )

    def visible(self, site: Site) -> float:
        n_below = SHARE_BELOW * self.share * site.n_outcomes
        return min(self.meta.most, count_change(n_below, site, day_noise=0.0))

    def layout(self, rows: Rows, moment: Moment) -> Rows:
        is_hidden = rows.where(device=self.device) & (rows["position"] >= FROM_POSITION)
        return rows.with_value("examined", is_hidden, rows["examined"][is_hidden] * (1 - self.severity))
