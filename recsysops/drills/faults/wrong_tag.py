"""Fault 54. One item has a tag or not: theory sees it as soon as the item is compared with its source, so one size is all sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.column_changes import changed_words
from recsysops.drills.planting.feature_place import FeaturePlace, place_of
from recsysops.drills.planting.required import require
from recsysops.drills.planting.touched import EXPOSURE, SCORES
from recsysops.drills.planting.upstream_of import CATALOGUE_OF, FEATURES_FROM, upstream_of
from recsysops.drills.planting.word_features import rare_words, word_features
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site

TAGS = ("item_language", "item_genre")


@dataclass(frozen=True)
class WrongTag:
    """The language or genre of one item is configured wrongly upstream."""

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="wrong_tag",
        stage="launch",
        cause="input",
        entity="a tag of one item",
        knob="there or not",
        target=1.0,
        symptom="the item scores and plays unlike its peers, for the members its tag speaks to",
        cure="correct the tag upstream; until then impute it from peers",
        deadline_days=3,
        is_graded=False,
    )
    severity: float
    item: str
    place: FeaturePlace
    words: tuple[str, ...]
    """The first that the item does not have already is written."""

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        """A well-exposed item, a recent launch where there is one, and one of the rarest words."""
        names = [name for name in word_features(site) if name in TAGS or not site.is_simulated]
        items = [one for one in site.item_ids if one in site.launched_ids] or list(site.item_ids)
        require(cls.meta.name, "no categorical feature of items", "one or more", is_there=names)
        require(cls.meta.name, "no item that is shown often", "one or more", is_there=items)
        feature, item = names[int(rng.integers(len(names)))], items[int(rng.integers(len(items)))]
        words = [str(word) for word in rng.permutation(np.array(rare_words(feature, site)))]
        return cls(cls.meta.target, item, place_of(feature, site), tuple(words))

    def catalogue(self, rows: Rows, moment: Moment) -> Rows:
        """The upstream export has the wrong word for the item."""
        return self._tagged(rows, CATALOGUE_OF[self.place.source])

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        """All rows of the item have the wrong word."""
        return self._tagged(rows, self.place.feature)

    def _tagged(self, rows: Rows, name: str) -> Rows:
        where = rows["item_id"].astype(str) == self.item
        right = set(rows[name][where].astype(str).tolist())
        wrong = next((word for word in self.words if word not in right), self.words[0])
        return changed_words(rows, name, where, np.full(len(rows), wrong, object))

    def truth(self) -> Truth:
        """The tag; or the item, by which one would look for it."""
        source, named = self.place.source, (f"item {self.item}", self.item)
        items, stages = (self.item,), self.place.stages
        if not source:
            return Truth((*self.place.entities, *named), self.place.touches, items=items, stages=stages)
        name = f"items.{CATALOGUE_OF[source]}"
        entities = dict.fromkeys((name, CATALOGUE_OF[source], *self.place.entities, *named))
        features = tuple(f"candidates.{one}" for one in FEATURES_FROM[source])
        touches = (name, source, *features, *SCORES, *EXPOSURE, "outcomes.[*]")
        return Truth(tuple(entities), touches, items=items, stages=stages)

    def visible(self, site: Site) -> float:
        """There or not."""
        return self.meta.target


def wrong_tag_of(item: str, word: str, feature: str = "item_language") -> WrongTag:
    """For the simulated service: this item gets this word for its language, or its genre (``item_genre``)."""
    place = FeaturePlace(feature, upstream_of(feature), "item_id")
    return WrongTag(WrongTag.meta.target, item, place, (word,))
