"""Fault 1. Theory sees it when the missing rate rises by more than that of as many independent members would by chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.column_changes import blanked
from recsysops.drills.planting.draws import is_hit, salt_of
from recsysops.drills.planting.feature_place import FeaturePlace, drawn_place, varying_numbers, within
from recsysops.drills.planting.upstream_of import features_of_table
from recsysops.drills.power import rate_rise
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site


@dataclass(frozen=True)
class NullSpike:
    """A numeric member feature goes missing for some members."""

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="null_spike",
        stage="feature",
        cause="input",
        entity="a numeric member feature",
        knob="share of members without the value",
        target=0.005,
        symptom="missing rate of one feature rises",
        cure="rerun the upstream job, or hold the last good values",
    )
    severity: float
    place: FeaturePlace
    salt: str

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        """A feature of members; on own logs of whatever there is, and then of whole requests."""
        names = features_of_table("member_features") if site.is_simulated else varying_numbers(site, "member")
        names = tuple(name for name in names if name in site.columns and site.columns[name].kind == "numeric")
        place = drawn_place(names, site, rng, cls.meta.name, "a numeric feature that varies")
        return cls(within(severity, cls.meta.most), place, salt_of(cls.meta.name, rng))

    def member_features(self, rows: Rows, moment: Moment) -> Rows:
        """The snapshot lacks the value of the members hit."""
        return blanked(rows, self.place.column, is_hit(rows["key"], self.severity, self.salt))

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        """NULL in all rows of the members (or requests) hit."""
        return rows.with_null(self.place.feature, is_hit(rows[self.place.unit], self.severity, self.salt))

    def truth(self) -> Truth:
        """The column in the feature store."""
        return Truth(self.place.entities, self.place.touches, stages=self.place.stages)

    def visible(self, site: Site) -> float:
        """A rise of the missing rate, where the rows of a member count once."""
        rise = rate_rise(self.place.facts(site).missing_rate, self.place.n_units(site), site)
        return within(rise, self.meta.most)
