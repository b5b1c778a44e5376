"""Fault 38. Theory sees the rate of items that the source never finds, one in twenty of which is ordinary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.draws import is_hit, salt_of
from recsysops.drills.planting.feature_place import within
from recsysops.drills.planting.required import require
from recsysops.drills.planting.touched import CANDIDATE_MIX, EXPOSURE
from recsysops.drills.power import rate_rise
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site

ORDINARY_RATE = 0.05


@dataclass(frozen=True)
class RecallDecay:
    """Some items that fit are never reached.

    The index is searched too hastily: each item is out of reach with the probability that recall falls by; the next best
    take their places, so that every request has as many candidates as before.
    """

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="recall_decay",
        stage="retrieval",
        cause="retrieval",
        entity="the retrieval index",
        knob="loss of recall",
        target=0.03,
        symptom="later plays of items that were no candidates",
        cure="search more of the index, or build it with more links",
        deadline_days=3,
    )
    severity: float
    salt: str

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        require(cls.meta.name, "logs alone", "the service's index", is_there=site.is_simulated)
        return cls(within(severity, cls.meta.most), salt_of(cls.meta.name, rng))

    def index(self, rows: Rows, moment: Moment) -> Rows:
        """Items out of reach are as good as not in."""
        return rows.with_columns(is_in=rows["is_in"] & ~is_hit(rows["item_id"], self.severity, self.salt))

    def truth(self) -> Truth:
        """The index; which items are candidates follows."""
        return Truth(("index", "candidates.candidate_source", "candidate_source"), (*CANDIDATE_MIX, *EXPOSURE))

    def visible(self, site: Site) -> float:
        """A rise of the rate of items without candidates from the index."""
        return within(rate_rise(ORDINARY_RATE, max(site.n_items, 1.0), site), self.meta.most)
