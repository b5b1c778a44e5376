"""Fault 3. Theory sees the share of zeros rise; members that had zero before do not count, and rows of a member count once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.draws import is_hit, salt_of
from recsysops.drills.planting.feature_place import FeaturePlace, drawn_place, varying_numbers, within
from recsysops.drills.power import rate_rise
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site

MOST_ZEROS = 0.5
"""A feature that is zero more often hides another zero."""


@dataclass(frozen=True)
class SilentDefault:
    """A failed join writes 0 where the value of some members is not known."""

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="silent_default",
        stage="feature",
        cause="input",
        entity="a numeric member feature",
        knob="share of members with 0 in place of their value",
        target=0.01,
        symptom="an atom at 0, and no more missing values than before",
        cure="repair the join and write NULL where it finds nothing",
    )
    severity: float
    place: FeaturePlace
    salt: str

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        """A feature of members that is mostly not zero."""
        names = ("member_plays_7d", "member_minutes_7d") if site.is_simulated else varying_numbers(site, "member")
        names = tuple(name for name in names if name in site.columns and site.columns[name].zero_rate < MOST_ZEROS)
        place = drawn_place(names, site, rng, cls.meta.name, "a numeric feature that is mostly not 0")
        return cls(within(severity, cls.meta.most), place, salt_of(cls.meta.name, rng))

    def member_features(self, rows: Rows, moment: Moment) -> Rows:
        """The snapshot has 0 for the members hit, known or not."""
        return rows.with_value(self.place.column, is_hit(rows["key"], self.severity, self.salt), 0)

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        """0 in all rows of the members (or requests) hit, also where there was NULL."""
        return rows.with_value(self.place.feature, is_hit(rows[self.place.unit], self.severity, self.salt), 0)

    def truth(self) -> Truth:
        """The column in the feature store."""
        return Truth(self.place.entities, self.place.touches, stages=self.place.stages)

    def visible(self, site: Site) -> float:
        """A rise of the share of zeros."""
        zeros = self.place.facts(site).zero_rate
        return within(rate_rise(zeros, self.place.n_units(site), site) / max(1 - zeros, 0.1), self.meta.most)
