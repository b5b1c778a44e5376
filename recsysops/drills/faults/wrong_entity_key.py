"""Fault 8. Theory sees a single member: what never changes of a member, like the day they joined, has changed overnight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.column_changes import taken_from
from recsysops.drills.planting.draws import draws, salt_of
from recsysops.drills.planting.feature_place import within
from recsysops.drills.planting.required import require, require_roles
from recsysops.drills.planting.touched import CANDIDATE_MIX, EXPOSURE, SCORES
from recsysops.drills.power import any_of
from recsysops.drills.rows import Column, Rows
from recsysops.drills.site import Site

KEYS = frozenset({"member", "key"})
PAIRS = ("taste_match", "genre_affinity", "lang_match", "lang_match_is_default", "price_gap")


@dataclass(frozen=True)
class WrongEntityKey:
    """Some members get the features of another member, because keys are mapped wrongly."""

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="wrong_entity_key",
        stage="feature",
        cause="input",
        entity="the key of the member features",
        knob="share of members with another's features",
        target=0.005,
        symptom="features jump together and disagree with a recomputation",
        cure="repair the key mapping and rebuild the snapshot",
    )
    severity: float
    features: tuple[str, ...]
    """Features of members, by their names in the log."""
    salt: str

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        """Any member may be hit; needs to know whose request it was, and a feature of members."""
        require_roles(cls.meta.name, site, "member_id")
        features = (*site.features("numeric", "member"), *site.features("categorical", "member"))
        require(cls.meta.name, "no feature that belongs to members", "one or more", is_there=features)
        return cls(within(severity, cls.meta.most), features, salt_of(cls.meta.name, rng))

    def member_features(self, rows: Rows, moment: Moment) -> Rows:
        """The snapshot's rows of the members hit hold everything that is another's, but for the key."""
        names = [name for name in rows if name not in KEYS]
        return taken_from(rows, names, self._source(rows["key"]))

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        """All member features in the rows of the members hit come from another member's rows of that day."""
        names = [name for name in self.features if name in rows]
        return taken_from(rows, names, self._source(rows["member_id"]))

    def _source(self, ids: Column) -> npt.NDArray[np.int64]:
        """For each row the row it is read from: itself, or one of the next member in the order of the draws."""
        known, first, which = np.unique(ids.astype(str), return_index=True, return_inverse=True)
        of_member = draws(known, self.salt)
        order = np.argsort(of_member, kind="stable")
        following = np.empty(len(known), np.int64)
        following[order] = np.roll(order, -1)
        return np.where((of_member < self.severity)[which], first[following[which]], np.arange(len(ids)))

    def truth(self) -> Truth:
        """The key, not the columns."""
        entities = ("member_features.key", "member_features", "member_features.*", "candidates.member_id", "member_id")
        features = tuple(f"candidates.{name}" for name in (*self.features, *PAIRS))
        touches = ("member_features.*", *features, *SCORES, *EXPOSURE, *CANDIDATE_MIX)
        return Truth(entities, touches, stages=("upstream",))

    def visible(self, site: Site) -> float:
        """Any one member of a day."""
        return within(any_of(site.n_members), self.meta.most)
