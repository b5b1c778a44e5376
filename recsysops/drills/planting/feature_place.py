"""A feature to break: its upstream column in the simulated service, its name and whole units on somebody's own logs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from recsysops.drills.fault import CannotPlantError
from recsysops.drills.planting.upstream_of import synonyms, touched_by, upstream_of
from recsysops.drills.site import ColumnFacts, Site
from recsysops.triage.findings import Stage

_UNITS = {"member": "member_id", "item": "item_id"}


@dataclass(frozen=True)
class FeaturePlace:
    """One feature of a site."""

    feature: str
    source: str
    """Column of the feature store, ``member_features.minutes_7d``; "" where the log is all there is."""
    unit: str
    """Role whose values are hit whole: ``member_id``, ``item_id`` or ``request_id``."""

    @property
    def column(self) -> str:
        """Name of the upstream column without its table."""
        return self.source.partition(".")[2]

    def is_in(self, table: str) -> bool:
        """Whether the upstream column belongs to this table."""
        return self.source.startswith(f"{table}.")

    @property
    def entities(self) -> tuple[str, ...]:
        """The column at fault and its synonyms."""
        return synonyms(self.source) if self.source else (f"candidates.{self.feature}", self.feature)

    @property
    def touches(self) -> tuple[str, ...]:
        """Where it may rightly show."""
        return touched_by(self.source) if self.source else (f"candidates.{self.feature}",)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Where its trouble may be said to be: its table is upstream to who reads it, and a log shows features alone."""
        return ("feature", "upstream") if self.source else ("feature",)

    def facts(self, site: Site) -> ColumnFacts:
        """Of the feature."""
        return site.columns[self.feature]

    def n_units(self, site: Site) -> float:
        """Members, items or requests of an ordinary day; at least one."""
        counts = {"member_id": site.n_members, "item_id": site.n_items}
        return max(counts.get(self.unit, site.n_requests), 1.0)


def place_of(feature: str, site: Site) -> FeaturePlace:
    """The feature with what it belongs to: in the service by lineage, on own logs by what its values do."""
    source = upstream_of(feature) if site.is_simulated else ""
    if source:
        return FeaturePlace(feature, source, "member_id" if source.startswith("member_") else "item_id")
    unit = _UNITS.get(site.columns[feature].per, "request_id")
    return FeaturePlace(feature, "", unit if site.has(unit) else "request_id")


def drawn_place(names: Iterable[str], site: Site, rng: np.random.Generator, fault: str, expected: str) -> FeaturePlace:
    """A feature drawn from those named that the site has.

    Raises:
        CannotPlantError: if it has none of them.
    """
    known = [name for name in names if name in site.columns]
    if not known:
        found = f"none among the {len(site.columns)} columns of the candidates"
        raise CannotPlantError(fault, found=found, expected=expected, next_step="map features in recsysops.yaml")
    return place_of(known[int(rng.integers(len(known)))], site)


def varying_numbers(site: Site, per: str = "") -> tuple[str, ...]:
    """Numeric features that are not constant, of members (or of items) where there are any, else of whatever there are."""
    return tuple(
        name for name in site.features("numeric", per) or site.features("numeric") if site.columns[name].sd > 0
    )


def within(severity: float, most: float) -> float:
    """A severity kept above zero and at most ``most``."""
    return float(min(max(severity, 1e-9), most))
