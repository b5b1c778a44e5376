"""Fault 4. Theory sees a single value: sixty (or a thousand) times the usual lies in an order of magnitude never seen before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.column_changes import changed_numbers
from recsysops.drills.planting.draws import is_hit, salt_of
from recsysops.drills.planting.feature_place import FeaturePlace, drawn_place, varying_numbers, within
from recsysops.drills.power import any_of
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site

SECONDS_PER_MINUTE, MILLI = 60.0, 1000.0


@dataclass(frozen=True)
class UnitChange:
    """A producer sends a number in another unit, for some of the members or items."""

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="unit_change",
        stage="feature",
        cause="input",
        entity="a numeric feature",
        knob="share of members (or items) in the new unit",
        target=0.01,
        symptom="values sixty or a thousand times too large",
        cure="agree on the unit in the producer's schema and convert",
    )
    severity: float
    place: FeaturePlace
    factor: float
    salt: str

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        """Minutes that become seconds; on own logs any numeric feature, a thousandfold."""
        names = ("member_minutes_7d", "item_runtime_minutes") if site.is_simulated else _mostly_not_zero(site)
        place = drawn_place(names, site, rng, cls.meta.name, "a numeric feature that varies and is mostly not 0")
        factor = SECONDS_PER_MINUTE if site.is_simulated else MILLI
        return cls(within(severity, cls.meta.most), place, factor, salt_of(cls.meta.name, rng))

    def member_features(self, rows: Rows, moment: Moment) -> Rows:
        """Members hit have the value in the new unit."""
        return self._converted(rows, self.place.column, "key") if self.place.is_in("member_features") else rows

    def item_features(self, rows: Rows, moment: Moment) -> Rows:
        """Items hit have the value in the new unit."""
        return self._converted(rows, self.place.column, "key") if self.place.is_in("item_features") else rows

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        """All rows of the units hit have the value in the new unit."""
        return self._converted(rows, self.place.feature, self.place.unit)

    def _converted(self, rows: Rows, name: str, ids: str) -> Rows:
        where = is_hit(rows[ids], self.severity, self.salt)
        return changed_numbers(rows, name, where, rows[name].astype(np.float64) * self.factor)

    def truth(self) -> Truth:
        """The column in the feature store."""
        return Truth(self.place.entities, self.place.touches, stages=self.place.stages)

    def visible(self, site: Site) -> float:
        """Any one unit whose value is not zero."""
        share_not_zero = max(1 - self.place.facts(site).zero_rate, 0.1)
        return within(any_of(self.place.n_units(site)) / share_not_zero, self.meta.most)


def _mostly_not_zero(site: Site) -> tuple[str, ...]:
    return tuple(name for name in varying_numbers(site) if site.columns[name].zero_rate < 0.5)
