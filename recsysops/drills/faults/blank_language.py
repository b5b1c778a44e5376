"""A fault in the spirit of 1 to 3. Theory sees a single item whose language is missing: it never is after the launch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import CannotPlantError, FaultMeta, Moment, Truth
from recsysops.drills.planting.column_changes import blanked
from recsysops.drills.planting.draws import is_hit, salt_of
from recsysops.drills.planting.feature_place import FeaturePlace, place_of, within
from recsysops.drills.planting.upstream_of import CATALOGUE_OF
from recsysops.drills.planting.word_features import small_words, word_features
from recsysops.drills.power import rate_rise
from recsysops.drills.rows import Mask, Rows
from recsysops.drills.site import Site

LEAST_SHARE, LARGEST_SHARE = 0.003, 0.3


@dataclass(frozen=True)
class BlankLanguage:
    """The language goes blank upstream for items of one language."""

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="blank_language",
        stage="upstream",
        cause="input",
        entity="the language of items",
        knob="share of the language's items",
        target=0.2,
        symptom="the language is missing and its match with the member is a default",
        cure="have the catalogue filled in again; until then impute the language from peers",
    )
    severity: float
    place: FeaturePlace
    word: str
    salt: str

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        """A language that is there every day but is not the main one; on own logs a word of any category of items."""
        names = [name for name in word_features(site) if name == "item_language" or not site.is_simulated]
        pairs = [(name, word) for name in names for word in small_words(name, site, LEAST_SHARE, LARGEST_SHARE)]
        if not pairs:
            found, step = "no word of 0.3 % to 30 % of the rows", "leave this fault out here"
            raise CannotPlantError(
                cls.meta.name, found=found, expected="a categorical feature of items", next_step=step
            )
        feature, word = pairs[int(rng.integers(len(pairs)))]
        return cls(within(severity, cls.meta.most), place_of(feature, site), word, salt_of(cls.meta.name, rng))

    def catalogue(self, rows: Rows, moment: Moment) -> Rows:
        """The upstream export lacks the language of the items hit."""
        name = CATALOGUE_OF[self.place.source]
        return blanked(rows, name, self._hit(rows, name, "item_id"))

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        """NULL in all rows of the items (or requests) hit."""
        return rows.with_null(self.place.feature, self._hit(rows, self.place.feature, self.place.unit))

    def _hit(self, rows: Rows, name: str, ids: str) -> Mask:
        return np.asarray(rows.where(**{name: self.word}) & is_hit(rows[ids], self.severity, self.salt))

    def truth(self) -> Truth:
        """The column of the catalogue; its copies are synonyms."""
        source = self.place.source
        if not source:
            return Truth(self.place.entities, self.place.touches, stages=self.place.stages)
        name = f"items.{CATALOGUE_OF[source]}"
        entities = dict.fromkeys((name, CATALOGUE_OF[source], *self.place.entities))
        return Truth(tuple(entities), (name, *self.place.touches), stages=self.place.stages)

    def visible(self, site: Site) -> float:
        """A rise of the missing rate over all items, as a share of those of the language."""
        facts = self.place.facts(site)
        rise = rate_rise(facts.missing_rate, self.place.n_units(site), site)
        return within(rise / facts.values[self.word], self.meta.most)
