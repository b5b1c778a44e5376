"""Fault 21. Otherwise no slate has a gap in its positions; without positions impressions are counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.draws import draws
from recsysops.drills.planting.reordering import shown_of
from recsysops.drills.power import any_of, count_change
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site


@dataclass(frozen=True)
class LostImpressions:
    """Impressions are lost, and their plays are kept.

    Where the log keeps candidates that were not shown, a lost impression looks like one of them;
    else its row is missing.
    """

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="lost_impressions",
        stage="logging",
        cause="input",
        entity="the beacon of impressions",
        knob="share of impressions",
        target=0.01,
        symptom="outcomes of what was not shown, more of them per impression",
        cure="repair the beacon, leave its days out of training",
    )
    severity: float
    pick: int

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        return cls(min(severity, cls.meta.most), int(rng.integers(2**31)))

    def truth(self) -> Truth:
        return Truth(
            ("candidates.shown", "candidates.position", "candidates"),
            ("candidates.shown", "candidates.position", "candidates.[*]", "outcomes.request_id", "outcomes.[*]"),
        )

    def visible(self, site: Site) -> float:
        return any_of(site.n_requests) if site.has("position") else min(1.0, count_change(site.n_rows, site))

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        ids = np.array([f"{request} {item}" for request, item in zip(rows["request_id"], rows["item_id"], strict=True)])
        is_lost = draws(ids, f"beacon:{self.pick}") < self.severity
        if "shown" in rows or "position" in rows:
            is_lost &= shown_of(rows)
        if "shown" not in rows:
            return rows.take(~is_lost)
        rows = rows.with_value("shown", is_lost, False)
        return rows.with_null("position", is_lost) if "position" in rows else rows

    log = own_candidates
