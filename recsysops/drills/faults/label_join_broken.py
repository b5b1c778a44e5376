"""Fault 26. An outcome whose request id has another form than all before gives it away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.draws import draws
from recsysops.drills.planting.required import require, require_roles
from recsysops.drills.power import any_of
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site


@dataclass(frozen=True)
class LabelJoinBroken:
    """Outcomes of one surface no longer join.

    They carry request ids in another form than the requests. A surface with at least a tenth of the requests is chosen.
    Outcomes of somebody's own logs do not say their surface: there any outcome may be hit.
    """

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="label_join_broken",
        stage="label",
        cause="input",
        entity="the join key of outcomes",
        knob="share of labels",
        target=0.01,
        most=0.1,
        symptom="outcomes without a request, fewer per impression",
        cure="repair the key, and join the days again",
    )
    severity: float
    pick: int
    surface: str = ""
    """Empty for all of them."""

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        require_roles(cls.meta.name, site, "request_id", table="outcomes")
        kept, pick = min(severity, cls.meta.most), int(rng.integers(2**31))
        if not site.is_simulated:
            return cls(kept, pick)
        large = [name for name, share in site.slices.get("surface", {}).items() if share >= cls.meta.most]
        require(cls.meta.name, "no surface", "one with a tenth of the requests", is_there=large)
        return cls(kept, pick, str(rng.choice(large)))

    def truth(self) -> Truth:
        where = {"surface": self.surface} if self.surface else {}
        return Truth(("outcomes.request_id", "outcomes"), ("outcomes.request_id", "outcomes.surface"), where)

    def visible(self, site: Site) -> float:
        return min(self.meta.most, any_of(site.n_outcomes))

    def own_outcomes(self, rows: Rows, moment: Moment) -> Rows:
        known = rows["request_id"] != None  # noqa: E711  (elementwise)
        if "request_id" in rows.nulls:
            known = known & ~rows.nulls["request_id"]
        is_there = known & (rows.where(surface=self.surface) if self.surface else True)
        share = self.severity * known.sum() / max(is_there.sum(), 1)
        is_broken = is_there & (draws(rows["request_id"], f"join:{self.pick}") < share)
        broken = np.array([f"{self.surface or 'slate'}/{one}" for one in rows["request_id"][is_broken]], object)
        return rows.with_value("request_id", is_broken, broken)

    labels = own_outcomes
