"""Every view, and the schema of a workspace with those that its tables allow."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from recsysops.tables.schema import Schema
from recsysops.tables.views.attributed import Attributed
from recsysops.tables.views.contenders import Contenders
from recsysops.tables.views.impressions import Impressions
from recsysops.tables.views.labels import Labels
from recsysops.tables.views.ranked_requests import RankedRequests
from recsysops.tables.views.replayed import Replayed
from recsysops.tables.views.requests import Requests
from recsysops.tables.views.retrieved import Retrieved
from recsysops.tables.views.steps import ItemSteps, MemberSteps
from recsysops.tables.views.told_twice import ItemFacts, ServedFacts
from recsysops.tables.views.traced import TracedFeatures
from recsysops.tables.views.view import View

VIEWS: Mapping[str, View] = MappingProxyType(
    {
        view.contract.name: view
        for view in (
            Requests(),
            Impressions(),
            Contenders(),
            Retrieved(),
            Labels(),
            RankedRequests(),
            Attributed(),
            Replayed(),
            TracedFeatures(),
            ItemSteps(),
            MemberSteps(),
            ServedFacts(),
            ItemFacts(),
        )
    }
)
"""By name."""


def with_views(tables: Schema) -> Schema:
    """The schema with every view that the tables allow."""
    found = {name: schema for name, view in VIEWS.items() if (schema := view.schema(tables)) is not None}
    return Schema(MappingProxyType({**tables.tables, **found}))
