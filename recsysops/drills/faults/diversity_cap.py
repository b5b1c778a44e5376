"""Fault 48. Slates of one title per genre hold some 1.7 standard deviations more genres than ordinary ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.draws import draws
from recsysops.drills.planting.reordering import numbered, order_of, reordered
from recsysops.drills.planting.required import require, require_roles
from recsysops.drills.planting.touched import EXPOSURE
from recsysops.drills.power import mixture_shift
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site

STRICT = 1
SHIFT = 1.7
BELOW = 1e7
"""Added to the place of what is beyond the cap."""


@dataclass(frozen=True)
class DiversityCap:
    """Some slates hold only one title per genre.

    Three are allowed. The cap is set wrong on a part of the serving hosts.
    In own logs the category is a text feature of items.
    """

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="diversity_cap",
        stage="policy",
        cause="policy",
        entity="a cap",
        knob="share of slates",
        target=0.1,
        symptom="slates are more mixed, better titles are left out",
        cure="put the cap back",
    )
    severity: float
    pick: int
    feature: str

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        require_roles(cls.meta.name, site, "position", "shown")
        names = site.features("categorical", "item")
        require(cls.meta.name, "no text feature of items", "one like a genre", is_there=names)
        feature = "item_genre" if site.is_simulated else str(rng.choice(names))
        return cls(min(severity, cls.meta.most), int(rng.integers(2**31)), feature)

    def truth(self) -> Truth:
        return Truth(
            ("rule cap-genre", "policy.cap-genre", "cap-genre", "candidates.final_rank", f"candidates.{self.feature}"),
            (*EXPOSURE, "candidates.item_id", f"candidates.{self.feature}"),
        )

    def visible(self, site: Site) -> float:
        return mixture_shift(SHIFT, site.n_requests, site)

    def policy(self, rows: Rows, moment: Moment) -> Rows:
        cap = rows.take(rows["kind"] == "cap")
        strict = cap.with_columns(limit=np.full(len(cap), STRICT), reach=np.full(len(cap), self.severity))
        return rows.followed_by(strict)

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        is_hit = draws(rows["request_id"], f"cap:{self.pick}") < self.severity
        is_out = rows["filtered_by"] != None if "filtered_by" in rows else np.zeros(len(rows), bool)  # noqa: E711
        place = np.minimum(order_of(rows), BELOW)
        pairs = zip(rows["request_id"], rows[self.feature], is_out, strict=True)
        group = np.array([f"{request}\x1f{word}\x1f{out}" for request, word, out in pairs], object)
        is_beyond = is_hit & (numbered(group, place) > STRICT)
        return reordered(rows, np.where(is_beyond, place + BELOW, place), np.asarray(is_out, bool))
