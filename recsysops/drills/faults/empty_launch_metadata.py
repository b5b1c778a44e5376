"""Fault 53. Theory sees more launches without the field, a week ahead, than the one in fifty that is late with it anyway."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.column_changes import blanked
from recsysops.drills.planting.draws import is_hit, salt_of
from recsysops.drills.planting.feature_place import within
from recsysops.drills.planting.required import require
from recsysops.drills.planting.upstream_of import CATALOGUE_OF, synonyms, touched_by
from recsysops.drills.power import rate_rise
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site

CRITICAL = (
    "item_features.genre",
    "item_features.language",
    "item_features.maturity_rating",
    "item_features.runtime_minutes",
)
AHEAD = np.timedelta64(7, "D")
USUALLY_LATE = 0.02
WEEKS_LISTED = 4
"""A site lists the launches of two weeks before and after."""


@dataclass(frozen=True)
class EmptyLaunchMetadata:
    """A critical field of upcoming launches is empty a week before they go live."""

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="empty_launch_metadata",
        stage="launch",
        cause="input",
        entity="a field of the catalogue",
        knob="share of the coming week's launches without the field",
        target=0.1,
        symptom="launches are not ready: a field is empty, and then its feature",
        cure="have the content team fill in the field before the launch",
        deadline_days=7,
    )
    severity: float
    source: str
    salt: str

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        """One of the fields that are usually known a week ahead."""
        is_there = site.is_simulated and site.launched_ids
        require(cls.meta.name, "no catalogue with launches that can be changed", "upcoming launches", is_there=is_there)
        return cls(
            within(severity, cls.meta.most), CRITICAL[int(rng.integers(len(CRITICAL)))], salt_of(cls.meta.name, rng)
        )

    def catalogue(self, rows: Rows, moment: Moment) -> Rows:
        """Launches of the coming week, and those of the days since the onset, lack the field if they are hit."""
        today = np.datetime64(moment.day, "us")
        onset = today - np.timedelta64(moment.n_days, "D")
        is_launch = (rows["launch_at"] >= onset) & (rows["launch_at"] < today + AHEAD)
        return blanked(rows, CATALOGUE_OF[self.source], is_launch & is_hit(rows["item_id"], self.severity, self.salt))

    def truth(self) -> Truth:
        """The catalogue's field; its copies are synonyms."""
        name = f"items.{CATALOGUE_OF[self.source]}"
        entities = dict.fromkeys((name, CATALOGUE_OF[self.source], *synonyms(self.source), "items"))
        return Truth(tuple(entities), (name, *touched_by(self.source)), stages=("upstream",))

    def visible(self, site: Site) -> float:
        """A rise of the missing rate among the launches of a week."""
        return within(rate_rise(USUALLY_LATE, len(site.launched_ids) / WEEKS_LISTED, site), self.meta.most)
