"""Fault 36. Theory sees requests without a single candidate of the source, of which one in fifty is ordinary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.drawn_names import drawn_names
from recsysops.drills.planting.draws import request_draws, salt_of
from recsysops.drills.planting.feature_place import within
from recsysops.drills.planting.on_top import closed_up
from recsysops.drills.planting.required import require_roles
from recsysops.drills.planting.touched import CANDIDATE_MIX, EXPOSURE
from recsysops.drills.power import rate_rise
from recsysops.drills.rows import Column, Mask, Rows
from recsysops.drills.site import Site

ORDINARY_RATE = 0.02
LEAST_SHARE = 0.02
"""Of the candidates, for a source to count as one."""


@dataclass(frozen=True)
class SourceEmpty:
    """One source finds nothing for some requests."""

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="source_empty",
        stage="retrieval",
        cause="retrieval",
        entity="a candidate source",
        knob="share of requests",
        target=0.05,
        symptom="no candidates of a source in some requests; fewer candidates",
        cure="find out whether the source times out or its index is gone, and restore it",
    )
    severity: float
    salt: str
    """Draws the source: a log says only when it is read which it has."""

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        require_roles(cls.meta.name, site, "candidate_source")
        return cls(within(severity, cls.meta.most), salt_of(cls.meta.name, rng))

    def retrieved(self, rows: Rows, moment: Moment) -> Rows:
        """The requests hit lose the source's candidates."""
        return rows.take(~self._lost(rows, rows["source"], moment))

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        """The same; those below move up."""
        lost = self._lost(rows, rows["candidate_source"], moment)
        kept = rows.take(~lost)
        return closed_up(kept, np.isin(kept["request_id"].astype(str), rows["request_id"][lost].astype(str)))

    def _lost(self, rows: Rows, source: Column, moment: Moment) -> Mask:
        chosen = drawn_names(source, self.salt, LEAST_SHARE)[:1]
        is_its = np.isin(source.astype(str), chosen)
        return np.asarray(is_its & (request_draws(rows, moment, self.salt) < self.severity))

    def truth(self) -> Truth:
        """The source; which items are candidates, and what they score, follows."""
        return Truth(("candidates.candidate_source", "candidate_source"), (*CANDIDATE_MIX, *EXPOSURE))

    def visible(self, site: Site) -> float:
        """A rise of the rate of requests without the source."""
        return within(rate_rise(ORDINARY_RATE, max(site.n_requests, 1.0), site), self.meta.most)
