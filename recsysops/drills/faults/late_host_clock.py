"""A clock that is off. Seen by the time from request to outcome on that host, ordinarily 90 seconds give or take 90."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.drawn_names import drawn_names
from recsysops.drills.planting.required import require_roles
from recsysops.drills.power import mean_shift
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site

LEAST_SHARE = 0.05
DELAY_MINUTES = 1.5
"""Standard deviation of the time from request to outcome."""


@dataclass(frozen=True)
class LateHostClock:
    """The clock of one host is some minutes late.

    So are the times it logs. A host with at least a twentieth of the rows is chosen, or the largest.
    """

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="late_host_clock",
        stage="logging",
        cause="serving",
        entity="a host",
        knob="minutes",
        target=10.0,
        most=720.0,
        symptom="outcomes come later after the requests of one host",
        cure="set the host's clock",
    )
    severity: float
    pick: int

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        require_roles(cls.meta.name, site, "host")
        return cls(min(severity, cls.meta.most), int(rng.integers(2**31)))

    def truth(self) -> Truth:
        return Truth(
            ("candidates.host", "candidates.ts"),
            ("candidates.host", "candidates.ts", "outcomes.ts", "outcomes.request_id"),
        )

    def visible(self, site: Site) -> float:
        n_followed = LEAST_SHARE * (site.n_outcomes if site.has("request_id", table="outcomes") else 0.0)
        return min(self.meta.most, DELAY_MINUTES * mean_shift(n_followed, site))

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        names = drawn_names(rows["host"], f"clock:{self.pick}", LEAST_SHARE)
        is_its = np.isin(rows["host"].astype(str), names[:1])
        late = np.timedelta64(round(60e6 * self.severity), "us")
        return rows.with_columns(ts=np.where(is_its, rows["ts"] - late, rows["ts"]))

    log = own_candidates
