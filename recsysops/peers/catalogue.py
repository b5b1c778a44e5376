"""The catalogue as it was known at a moment: attributes of items, their launches, the markets they may be shown in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from recsysops.errors import ConfigError
from recsysops.peers.ages import ages, wide_age_cohort
from recsysops.peers.choosing import FOR_DISPLAY, Flags, Peers, choose_peers, same_code, shares_any
from recsysops.peers.known_rows import key_column, known_rows
from recsysops.peers.metadata import Floats, Metadata, metadata
from recsysops.tables.clocks import UTC_TYPE
from recsysops.tables.table import Table

TYPES = ("kind", "type", "item_type", "content_type")
"""Attributes that say what sort of thing an item is, by the names they usually have: peers share them."""
_AVAILABILITY = ("item_id", "market", "from", "to")
_PRE_EXPOSURE = ("launch_at", "expected_audience", "tier")
"""Roles of the items' table that are attributes; the owner is who answers for an item, not what it is."""


@dataclass(frozen=True)
class Catalogue:
    """Items as known at a moment."""

    at: datetime
    metadata: Metadata
    age_days: Floats
    """(n,), NaN where no launch is known."""
    markets: tuple[frozenset[str], ...] | None
    """Where each item may be shown at that moment; None without a table of availability."""

    @property
    def is_live(self) -> Flags:
        """Launched and to be shown somewhere, (n,); what is not known counts as yes."""
        launched = np.isnan(self.age_days) | (self.age_days >= 0)
        if self.markets is None:
            return launched
        return np.asarray(launched & np.array([bool(where) for where in self.markets], bool))


def read_catalogue(tables: Mapping[str, Table], at: datetime, *, leave_out: Sequence[str] = ()) -> Catalogue:
    """The newest entry of every item that was known by a moment.

    Args:
        tables: the workspace's, with items, and availability where there is one.
        at: the moment, with a zone.
        leave_out: attributes not to compare by, such as the feature under test.

    Raises:
        ConfigError: if the workspace has no items table.
        SchemaError, SourceError: as ``Table.batches``.
    """
    if "items" not in tables:
        raise ConfigError(
            "peers", found="no items table", expected="the catalogue", next_step="add the table to recsysops.yaml"
        )
    items = tables["items"]
    launch = items.schema.role("launch_at")
    rows = known_rows(items, at)
    skipped = {column.name for column in items.schema.columns if column.role and column.role not in _PRE_EXPOSURE}
    attributes = {name: rows[name] for name in rows.column_names if name not in skipped}
    known = metadata(rows[key_column(items)], attributes, leave_out=leave_out)
    moment = np.datetime64(at.astimezone(UTC).replace(tzinfo=None), "us")
    days = np.full(rows.num_rows, np.nan)
    if launch is not None:
        days = ages(rows[launch.name].cast(UTC_TYPE).to_numpy(), moment)
    return Catalogue(at, known, days, _markets(tables, at, known.keys))


def item_peers(
    catalogue: Catalogue, item: str, *, k: int = FOR_DISPLAY, weights: Mapping[str, float] | None = None
) -> Peers:
    """The peers of an item: live, of its type, in one of its markets, about as old; then the nearest by metadata.

    A filter that would leave nobody is not applied, and not named in the result.

    Raises:
        NotEnoughDataError: if the item was not known at that moment.

    """
    of = catalogue.metadata.place(item)
    applied: dict[str, Flags] = {}
    left = np.arange(len(catalogue.age_days)) != of
    for name, flags in _wanted(catalogue, of):
        if np.any(left & flags):
            applied[name] = flags
            left = left & flags
    if catalogue.age_days[of] >= 0:
        cohort, low, high = wide_age_cohort(catalogue.age_days, of, left)
        if len(cohort):
            applied[f"age {low:.0f} to {high:.0f} d"] = np.isin(np.arange(len(left)), cohort)
    return choose_peers(catalogue.metadata, of, applied, k=k, weights=weights)


def _wanted(catalogue: Catalogue, of: int) -> Iterator[tuple[str, Flags]]:
    """The hard filters but for age, by name."""
    yield "live", catalogue.is_live
    for name in TYPES:
        if name in catalogue.metadata.code_names:
            yield f"same {name}", same_code(catalogue.metadata, name, of)
    if catalogue.markets is not None:
        yield "a market in common", shares_any(catalogue.markets, of)


def _markets(tables: Mapping[str, Table], at: datetime, keys: Sequence[str]) -> tuple[frozenset[str], ...] | None:
    """Markets in which each item may be shown at the moment; a limit that is not kept does not bind."""
    table = tables.get("availability")
    if table is None or table.schema.role("market") is None:
        return None
    columns = {role: column.name for role in _AVAILABILITY if (column := table.schema.role(role)) is not None}
    found: dict[str, set[str]] = {}
    for partition in table.partitions():
        for batch in table.batches(partition, list(columns.values())):
            values = {role: batch.column(name).to_pylist() for role, name in columns.items()}
            nothing = [None] * batch.num_rows
            for item, where, since, until in zip(*(values.get(role, nothing) for role in _AVAILABILITY), strict=True):
                if where is not None and (since is None or since <= at) and (until is None or until > at):
                    found.setdefault(str(item), set()).add(str(where))
    return tuple(frozenset(found.get(key, ())) for key in keys)
