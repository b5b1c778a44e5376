"""Fault 16. A vector of zeros never happens otherwise, so theory sees a single item, in the feature store."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.feature_place import within
from recsysops.drills.planting.required import require
from recsysops.drills.planting.touched import EXPOSURE, SCORES
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site

PREFIX = "emb_"
N_NEAREST = 24
"""Items whose launch is this near have been encoded."""


@dataclass(frozen=True)
class ZeroVectors:
    """The encoder writes zeros for some new items."""

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="zero_vectors",
        stage="feature",
        cause="input",
        entity="vectors of new items",
        knob="share of the launches, at least one",
        target=0.01,
        symptom="norms of zero; ties among new items",
        cure="run the encoder again for these items",
        deadline_days=2,
    )
    severity: float
    items: tuple[str, ...]
    n_near: int

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        """Items whose launch is near."""
        require(cls.meta.name, "no vectors of items", "the service's feature store", is_there=site.is_simulated)
        near = site.launched_ids[:N_NEAREST]
        require(cls.meta.name, "no launch in these weeks", "an item that is launched", is_there=near)
        severity = within(severity, cls.meta.most)
        order = [str(one) for one in rng.permutation(near)]
        return cls(severity, tuple(order[: ceil(severity * len(near))]), len(near))

    def item_features(self, rows: Rows, moment: Moment) -> Rows:
        """All numbers of the vectors that there are."""
        hit = np.isin(rows["key"], self.items)
        zeroed = {
            name: np.where(hit & np.isfinite(rows[name]), 0.0, rows[name]) for name in rows if name.startswith(PREFIX)
        }
        return rows.with_columns(**zeroed)

    def truth(self) -> Truth:
        """The vectors of these items."""
        names = tuple(f"{PREFIX}{k}" for k in range(8))
        items = tuple(f"item {item}" for item in self.items)
        entities = (
            *(f"item_features.{name}" for name in names),
            *names,
            "candidates.taste_match",
            "taste_match",
            *items,
        )
        touches = ("item_features.emb_*", "candidates.taste_match", *SCORES, *EXPOSURE)
        return Truth(entities, touches, items=self.items)

    def visible(self, site: Site) -> float:
        """One item."""
        return within(1 / self.n_near, self.meta.most)
