"""Fault 19. Seen by the share of the release among all requests: a rate of independent requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.drawn_names import drawn_names
from recsysops.drills.planting.draws import draws
from recsysops.drills.planting.required import require_roles
from recsysops.drills.power import rate_fall
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site


@dataclass(frozen=True)
class ClientStopsLogging:
    """A client release stops logging for some members.

    A release with at least 15 % of the rows is chosen, or the largest. What is lost is never more than all of it.
    """

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="client_stops_logging",
        stage="logging",
        cause="input",
        entity="a client release",
        knob="share of the log's rows",
        target=0.005,
        most=0.15,
        symptom="rows of one client are missing",
        cure="roll the client release back",
    )
    severity: float
    pick: int

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        require_roles(cls.meta.name, site, "client_version")
        return cls(min(severity, cls.meta.most), int(rng.integers(2**31)))

    def truth(self) -> Truth:
        names = ("client_version", "device", "request_id", "member_id")
        return Truth(
            ("candidates.client_version", "candidates.device", "candidates"),
            (*(f"candidates.{name}" for name in names), "candidates.[*]", "outcomes.request_id"),
        )

    def visible(self, site: Site) -> float:
        return min(self.meta.most, rate_fall(self.meta.most, site.n_requests, site))

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        names = drawn_names(rows["client_version"], f"client:{self.pick}", self.meta.most)
        is_its = np.isin(rows["client_version"].astype(str), names[:1])
        who = rows["member_id" if "member_id" in rows else "request_id"]
        is_lost = is_its & (draws(who, f"stops:{self.pick}") < self.severity / max(is_its.mean(), 1e-9))
        return rows.take(~is_lost)

    log = own_candidates
