"""Outcomes of some requests, or of some members, read from their table."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa

from recsysops.cases.subject import Window
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.relation import partition_view
from recsysops.tables.table import Table

OWN_DOING = "slate"
"""The origin of outcomes that a slate brought about; others (search, external) are what members looked for themselves."""
_ROLES = ("ts", "item_id", "member_id", "request_id", "kind", "origin", "value")


@dataclass(frozen=True)
class Outcome:
    """Something a member did; what the table does not say is None."""

    ts: datetime
    item_id: str
    member_id: str | None
    request_id: str | None
    kind: str | None
    origin: str | None
    value: float | None

    @property
    def is_own_demand(self) -> bool:
        """Whether the member looked for it without a slate."""
        return self.origin is not None and self.origin.lower() != OWN_DOING


def read_outcomes(table: Table, role: str, ids: Collection[str], window: Window | None = None) -> tuple[Outcome, ...]:
    """Outcomes with one of the ids, by time.

    Args:
        table: outcomes, which have that role.
        role: ``request_id`` or ``member_id``.
        ids: wanted.
        window: of their times; all when None.

    Raises:
        SchemaError, SourceError: as ``Table.batches``.
    """
    names = {one: column.name for one in _ROLES if (column := table.schema.role(one)) is not None}
    sql = {one: quote_identifier(name) for one, name in names.items()}
    times = f"AND {sql['ts']} >= $start AND {sql['ts']} < $end" if window is not None else ""
    bound = {"start": window.start, "end": window.end} if window is not None else None
    columns = ", ".join(_selected(one, sql.get(one)) for one in _ROLES)
    found: list[dict[str, Any]] = []
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("asked", pa.table({"id": pa.array(sorted(ids), pa.string())}))
        for partition in table.partitions():
            with partition_view(connection, table, partition, list(dict.fromkeys(names.values())), "o") as view:
                query = f"SELECT {columns} FROM {view} WHERE {sql[role]}::VARCHAR IN (SELECT id FROM asked) {times}"
                found += connection.sql(query, params=bound).to_arrow_table().to_pylist()
    known = (row for row in found if row["ts"] is not None and row["item_id"] is not None)
    return tuple(sorted((Outcome(**row) for row in known), key=lambda one: (one.ts, one.item_id)))


def _selected(role: str, sql: str | None) -> str:
    if role == "ts":
        return f"{sql} AS ts"
    kind = "DOUBLE" if role == "value" else "VARCHAR"
    return f"{sql or 'NULL'}::{kind} AS {role}"
