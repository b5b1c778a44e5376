"""Fault 49. Members of two arms are counted against an even split: a rate of independent members."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.drawn_names import drawn_names
from recsysops.drills.planting.draws import draws
from recsysops.drills.planting.required import require_roles
from recsysops.drills.power import rate_rise
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site

LEAST_SHARE = 0.05


@dataclass(frozen=True)
class SampleRatio:
    """Some members count to the wrong experiment arm.

    Two arms with at least a twentieth of the traffic each are concerned. Without a second arm nothing happens.
    """

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="sample_ratio",
        stage="experiment",
        cause="serving",
        entity="an experiment",
        knob="share of the traffic that changes arms",
        target=0.003,
        most=0.5,
        symptom="the arms are not split as planned",
        cure="repair the assignment, and start the experiment again",
    )
    severity: float
    pick: int

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        require_roles(cls.meta.name, site, "experiment_arm")
        return cls(min(severity, cls.meta.most), int(rng.integers(2**31)))

    def truth(self) -> Truth:
        return Truth(("candidates.experiment_arm", "experiment"), ("candidates.experiment_arm",))

    def visible(self, site: Site) -> float:
        return min(self.meta.most, rate_rise(0.5, site.n_members, site))

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        arms = drawn_names(rows["experiment_arm"], f"arms:{self.pick}", LEAST_SHARE)
        if len(arms) < 2:
            return rows
        is_from = rows["experiment_arm"].astype(str) == arms[0]
        unit = rows["member_id" if "member_id" in rows else "request_id"]
        is_moved = is_from & (draws(unit, f"moved:{self.pick}") < self.severity / is_from.mean())
        return rows.with_value("experiment_arm", is_moved, arms[1])

    requests = own_candidates
