"""Upstream rows read from the workspace's tables, and what the settings say of lineage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa

from recsysops.replay.upstream import ENTITY, KEY, Upstream
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.relation import partition_view
from recsysops.tables.table import Table

MOST_ROWS = 2_000_000
"""Rows of an upstream table that are taken whole; of larger ones only those of the entities asked for (rows that belong to
another entity are then found among those alone)."""


def lineage_of(candidates: Table) -> Mapping[str, Mapping[str, str]]:
    """Per upstream table the logged features that come from it, with the upstream column of each."""
    found: dict[str, dict[str, str]] = {}
    for name, column in candidates.settings.columns.items():
        table, is_named, source = (column.lineage or "").partition(".")
        if is_named and table in ENTITY:
            found.setdefault(table, {})[name] = source
    return found


def read_upstream(table: Table, columns: Sequence[str], until: datetime, keys: Any) -> Upstream:
    """Rows of an upstream table that were true by a moment, with all their earlier versions.

    Args:
        table: item_features, member_features or items.
        columns: those wanted; ones the table does not have are left out.
        until: with a zone; rows with a later as-of time cannot have been seen.
        keys: ids asked for, used where the table is large.

    Raises:
        SchemaError, SourceError: as ``Table.batches``.
    """
    key = _named(table, KEY[table.name])
    as_of = _named(table, "as_of")
    seen = table.schema.role("available_at")
    wanted = list(dict.fromkeys([key, as_of, *([seen.name] if seen else []), *_known(table, columns)]))
    rows = _rows(table, wanted, key, as_of, until, None)
    if rows is None:
        rows = _rows(table, wanted, key, as_of, until, keys)
    assert rows is not None
    return Upstream(
        table.name,
        rows[key].cast(pa.string()),
        rows[as_of],
        rows[seen.name] if seen else None,
        {name: rows[name] for name in _known(table, columns)},
    )


def _rows(
    table: Table, wanted: Sequence[str], key: str, as_of: str, until: datetime, keys: Any | None
) -> dict[str, pa.Array] | None:
    """The columns, or None when there are too many rows to take them all."""
    parts, n_rows = [], 0
    condition = f"{quote_identifier(as_of)} <= $until"
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        if keys is not None:
            connection.register("asked", pa.table({"id": keys.cast(pa.string())}))
            condition += f" AND {quote_identifier(key)}::VARCHAR IN (SELECT id FROM asked)"
        for partition in table.partitions():
            with partition_view(connection, table, partition, wanted, "u") as view:
                part = connection.sql(f"FROM {view} WHERE {condition}", params={"until": until}).to_arrow_table()
            n_rows += part.num_rows
            if keys is None and n_rows > MOST_ROWS:
                return None
            parts.append(part)
    if not parts:
        return {name: pa.nulls(0) for name in wanted}
    merged = pa.concat_tables(parts, promote_options="permissive").unify_dictionaries()
    return {name: merged[name].combine_chunks() for name in wanted}


def _known(table: Table, columns: Sequence[str]) -> list[str]:
    return [name for name in dict.fromkeys(columns) if table.schema.column(name) is not None]


def _named(table: Table, role: str) -> str:
    from recsysops.errors import ConfigError

    column = table.schema.role(role)
    if column is None:
        raise ConfigError(
            f"{table.name}.roles",
            found=f"no {role}",
            expected="the column that says it",
            next_step="map it in recsysops.yaml",
        )
    return column.name
