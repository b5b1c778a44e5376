"""``retrieved``: candidates by the source that found them, so that a source is counted item by item."""

from __future__ import annotations

from recsysops.tables.contract import Kind
from recsysops.tables.schema import Column, Schema, TableSchema
from recsysops.tables.views.contracts import RETRIEVED
from recsysops.tables.views.view import Lookup

SEPARATOR = "\x1f"
COLUMNS: dict[str, Kind] = {
    "request_id": "categorical",
    "ts": "timestamp",
    "item_id": "categorical",
    "found_as": "categorical",
}
"""``found_as``: the source, a unit separator, the item."""


class Retrieved:
    """Candidates with their source; needs candidate_source. It has no slices: items of a source and a slice are few."""

    contract = RETRIEVED
    base = "candidates"
    version = 1

    def schema(self, tables: Schema) -> TableSchema | None:
        base = tables.table("candidates")
        if base is None or base.role("candidate_source") is None or base.role("item_id") is None:
            return None
        roles = {role.name for role in RETRIEVED.roles}
        columns = (Column(name, kind, name if name in roles else None) for name, kind in COLUMNS.items())
        return TableSchema(RETRIEVED.name, tuple(columns))

    def lookups(self, _tables: Schema) -> tuple[Lookup, ...]:
        return ()

    def sql(self, _tables: Schema) -> str:
        return (
            f"SELECT request_id, ts, item_id, candidate_source || chr({ord(SEPARATOR)}) || item_id AS found_as "
            "FROM candidates WHERE request_id IS NOT NULL AND candidate_source IS NOT NULL"
        )


def source_of(found_as: str) -> str:
    """The source of a value of ``found_as``.

    Example:
        >>> source_of(f"taste{SEPARATOR}item_03")
        'taste'
    """
    return found_as.partition(SEPARATOR)[0]
