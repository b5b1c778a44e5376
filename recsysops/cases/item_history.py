"""What upstream tables said of one item over time: which facts of it changed, when, and from what to what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import duckdb
import pyarrow as pa

from recsysops.peers.known_rows import key_column
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.relation import partition_view
from recsysops.tables.table import Table

UPSTREAM = ("items", "item_features")
"""Tables that speak of items, the most upstream first."""
MOST_CHANGES = 3
"""A column that changes more often is no fact about the item."""


@dataclass(frozen=True)
class Version:
    """A fact's change: at ``since`` the value ``before`` became ``after``."""

    table: str
    column: str
    before: Any
    after: Any
    since: datetime
    """When serving could see it: the later of the as-of time and the time it could be read."""

    @property
    def entity(self) -> str:
        """``items.original_language``."""
        return f"{self.table}.{self.column}"


@dataclass(frozen=True)
class ItemHistory:
    """The facts as they are now, by table and column, and their changes, oldest first."""

    now: Mapping[str, Any]
    """By ``table.column``; None where the newest row has no value."""
    changes: tuple[Version, ...]


def read_item_history(tables: Mapping[str, Table], item: str, until: datetime) -> ItemHistory:
    """Every version of an item's rows in the catalogue and in the feature tables.

    Raises:
        SchemaError, SourceError: as ``Table.batches``.
    """
    now: dict[str, Any] = {}
    changes: list[Version] = []
    for name in UPSTREAM:
        if name in tables and tables[name].schema.role("as_of") is not None:
            rows, clock = _rows(tables[name], item, until)
            columns = [column.name for column in tables[name].schema.columns if _is_fact(column.role)]
            now |= {f"{name}.{column}": rows[-1][column] for column in columns if rows}
            catalogued = {key.partition(".")[2] for key in now if key.startswith("items.")}
            for column in columns:
                found = list(_changes(name, column, rows, clock))
                if len(found) <= MOST_CHANGES:
                    changes += [one for one in found if name == "items" or column in catalogued or _is_told(one)]
    return ItemHistory(now, tuple(sorted(changes, key=lambda one: (one.since, UPSTREAM.index(one.table), one.column))))


def _is_fact(role: str | None) -> bool:
    return role not in {"key", "item_id", "as_of", "available_at", "owner"}


def _rows(table: Table, item: str, until: datetime) -> tuple[list[dict[str, Any]], Sequence[str]]:
    key = key_column(table)
    clocks = [column.name for role in ("as_of", "available_at") if (column := table.schema.role(role)) is not None]
    columns = [column.name for column in table.schema.columns]
    parts = []
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for partition in table.partitions():
            with partition_view(connection, table, partition, columns, "v") as view:
                query = f"FROM {view} WHERE {quote_identifier(key)}::VARCHAR = $item AND {quote_identifier(clocks[0])} <= $until"
                parts.append(connection.sql(query, params={"item": item, "until": until}).to_arrow_table())
    if not parts:
        return [], clocks
    merged = pa.concat_tables(parts, promote_options="permissive").sort_by(clocks[0])
    return merged.to_pylist(), clocks


def _changes(table: str, column: str, rows: Sequence[Mapping[str, Any]], clocks: Sequence[str]) -> Iterator[Version]:
    for one, other in pairwise(rows):
        if one[column] != other[column] and not (_is_nan(one[column]) and _is_nan(other[column])):
            since = max(other[clock] for clock in clocks if other[clock] is not None)
            yield Version(table, column, one[column], other[column], since)


def _is_told(one: Version) -> bool:
    """Of a feature table: a word that changed, or a number that went missing; other numbers count what happens."""
    return isinstance(one.before, str) or one.after is None or _is_nan(one.after)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and value != value
