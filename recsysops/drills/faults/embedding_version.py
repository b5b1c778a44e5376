"""Fault 15. Theory sees the mean match of taste, which falls to nothing for the items whose vectors are in another space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.draws import is_hit, salt_of
from recsysops.drills.planting.feature_place import within
from recsysops.drills.planting.required import require
from recsysops.drills.planting.touched import CANDIDATE_MIX, EMBEDDINGS, EXPOSURE
from recsysops.drills.power import mixture_shift
from recsysops.drills.rows import Column, Mask, Rows
from recsysops.drills.site import Site

PREFIX = "emb_"


@dataclass(frozen=True)
class EmbeddingVersion:
    """Vectors of some items are of a new version.

    The index and the vectors of other items and of members do not match them.
    """

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="embedding_version",
        stage="feature",
        cause="input",
        entity="vectors of items",
        knob="share of items",
        target=0.05,
        symptom="tastes no longer match; good items are found less",
        cure="compute all vectors and the index with one version",
    )
    severity: float
    salt: str
    turn: int
    """Seed of the rotation between the two spaces."""

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        is_there = site.is_simulated and "taste_match" in site.columns
        require(cls.meta.name, "no vectors of items", "the service's feature store", is_there=is_there)
        return cls(within(severity, cls.meta.most), salt_of(cls.meta.name, rng), int(rng.integers(2**31)))

    def item_features(self, rows: Rows, moment: Moment) -> Rows:
        """The items hit are in the new space."""
        return self._turned(rows, self._hit(rows["key"]), is_back=False)

    def index(self, rows: Rows, moment: Moment) -> Rows:
        """The index still holds the vectors of the old one."""
        return self._turned(rows, self._hit(rows["item_id"]), is_back=True)

    def _hit(self, ids: Column) -> Mask:
        return is_hit(ids, self.severity, self.salt)

    def _turned(self, rows: Rows, hit: Mask, *, is_back: bool) -> Rows:
        names = [name for name in rows if name.startswith(PREFIX)]
        matrix = np.stack([rows[name] for name in names], axis=1)
        turn = np.linalg.qr(np.random.default_rng(self.turn).normal(size=(len(names), len(names))))[0]
        turned = matrix @ (turn.T if is_back else turn)
        return rows.with_columns(**{name: np.where(hit, turned[:, k], rows[name]) for k, name in enumerate(names)})

    def truth(self) -> Truth:
        """The vectors; tastes of members are learned from them, and all that is found by taste follows."""
        names = tuple(f"{PREFIX}{k}" for k in range(8))
        entities = (*(f"item_features.{name}" for name in names), "candidates.taste_match", "taste_match", "index")
        return Truth((*entities, *names), (*EMBEDDINGS, *CANDIDATE_MIX, *EXPOSURE))

    def visible(self, site: Site) -> float:
        """A fall of the mean match, by as many standard deviations as it is above nothing."""
        facts = site.columns["taste_match"]
        away = facts.mean / facts.sd if facts.sd > 0 else 0.0
        return within(mixture_shift(away, max(site.n_rows, 1.0), site, facts.design_effect), self.meta.most)
