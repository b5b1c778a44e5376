"""Fault 5. Theory sees a single item: its word has never been in the dictionary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.column_changes import changed_words
from recsysops.drills.planting.draws import is_hit, salt_of
from recsysops.drills.planting.feature_place import FeaturePlace, drawn_place, within
from recsysops.drills.planting.word_features import word_features
from recsysops.drills.power import any_of
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site

NEW_CODE = "v2:"


@dataclass(frozen=True)
class CategoryRecoding:
    """A category of items is sent in a new coding that the model does not know, for some items."""

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="category_recoding",
        stage="feature",
        cause="input",
        entity="a categorical item feature",
        knob="share of items in the new coding",
        target=0.02,
        symptom="words never seen before take over a share of a category",
        cure="map the new coding to the old, or retrain with it",
    )
    severity: float
    place: FeaturePlace
    salt: str

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        """A category of items; on own logs of whatever there is."""
        place = drawn_place(
            word_features(site), site, rng, cls.meta.name, "a categorical feature with two or more words"
        )
        return cls(within(severity, cls.meta.most), place, salt_of(cls.meta.name, rng))

    def item_features(self, rows: Rows, moment: Moment) -> Rows:
        """The snapshot has the new words for the items hit."""
        return self._recoded(rows, self.place.column, "key")

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        """All rows of the units hit have the new words."""
        return self._recoded(rows, self.place.feature, self.place.unit)

    def _recoded(self, rows: Rows, name: str, ids: str) -> Rows:
        where = is_hit(rows[ids], self.severity, self.salt)
        return changed_words(rows, name, where, [f"{NEW_CODE}{word}" for word in rows[name]])

    def truth(self) -> Truth:
        """The column in the feature store."""
        return Truth(self.place.entities, self.place.touches, stages=self.place.stages)

    def visible(self, site: Site) -> float:
        """Any one item among those of a day."""
        return within(any_of(self.place.n_units(site)), self.meta.most)
