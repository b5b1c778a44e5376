"""Fault 2. Theory sees it by the missing rate within the one slice, whose members count once each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import CannotPlantError, FaultMeta, Moment, Truth
from recsysops.drills.planting.column_changes import blanked
from recsysops.drills.planting.draws import is_hit, salt_of
from recsysops.drills.planting.feature_place import FeaturePlace, drawn_place, varying_numbers, within
from recsysops.drills.power import rate_rise
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site

LEAST_SHARE, LARGEST_SHARE = 0.005, 0.25
"""A small slice, as a region is, but one that is there every day."""


@dataclass(frozen=True)
class MarketNulls:
    """The feed of one small market stops delivering a value for many of its members."""

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="market_nulls",
        stage="upstream",
        cause="input",
        entity="a column of one market's feed",
        knob="share of the market's members without the value",
        target=0.5,
        symptom="missing values, or defaults, in one market",
        cure="have the region's feed repaired and read again",
    )
    severity: float
    place: FeaturePlace
    dimension: str
    value: str
    salt: str

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        """A column and a small market; on own logs a small slice of any dimension."""
        names = ("member_account_age_days", "lang_match") if site.is_simulated else varying_numbers(site)
        place = drawn_place(names, site, rng, cls.meta.name, "a numeric feature that varies")
        if place.feature == "lang_match" and site.is_simulated:
            place = FeaturePlace("lang_match", "member_features.languages", "member_id")
        dimensions = ("market",) if site.is_simulated else tuple(site.slices)
        small = [(name, value) for name in dimensions for value, share in site.slices.get(name, {}).items()
                 if LEAST_SHARE <= share <= LARGEST_SHARE]  # fmt: skip
        if not small:
            found, expected = "no slice of 0.5 % to 25 % of the rows", "a small market or other slice"
            raise CannotPlantError(cls.meta.name, found=found, expected=expected, next_step="name slices of candidates")
        chosen = small[int(rng.integers(len(small)))]
        return cls(within(severity, cls.meta.most), place, *chosen, salt_of(cls.meta.name, rng))

    def profiles(self, rows: Rows, moment: Moment) -> Rows:
        """The upstream profiles of the market's members hit lack the value."""
        is_there = rows.where(market=self.value)
        return blanked(rows, self.place.column, is_there & is_hit(rows["member_id"], self.severity, self.salt))

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        """NULL in the slice's rows of the units hit."""
        is_there = rows.where(**{self.dimension: self.value})
        return rows.with_null(self.place.feature, is_there & is_hit(rows[self.place.unit], self.severity, self.salt))

    def truth(self) -> Truth:
        """The column, in the market."""
        place = self.place
        return Truth(place.entities, place.touches, slice={self.dimension: self.value}, stages=place.stages)

    def visible(self, site: Site) -> float:
        """A rise of the missing rate among the units of the slice."""
        n_units = self.place.n_units(site) * site.slices[self.dimension][self.value]
        return within(rate_rise(self.place.facts(site).missing_rate, n_units, site), self.meta.most)
