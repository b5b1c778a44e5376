"""What an upstream table said of every entity at a moment."""

from __future__ import annotations

from datetime import datetime

import duckdb
import pyarrow as pa

from recsysops.errors import ConfigError
from recsysops.peers.metadata import Metadata, metadata
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.relation import partition_view
from recsysops.tables.table import Table


def known_rows(table: Table, at: datetime) -> pa.Table:
    """One row per entity, by key: the newest whose as-of time has come, and which could be read by then.

    Where the table keeps no times, the row that is read last.

    Args:
        table: items, item_features or member_features.
        at: the moment, with a zone.

    Raises:
        ConfigError: if the table names no key.
        SchemaError, SourceError: as ``Table.batches``.
    """
    key, columns = quote_identifier(key_column(table)), [column.name for column in table.schema.columns]
    clock, seen = (table.schema.role(role) for role in ("as_of", "available_at"))
    order = quote_identifier(clock.name) if clock else "true"
    conditions = [f"{quote_identifier(one.name)} <= $at" for one in (clock,) if one]
    conditions += [f"coalesce({quote_identifier(one.name)} <= $at, true)" for one in (seen,) if one]
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    parts = []
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for number, partition in enumerate(table.partitions()):
            with partition_view(connection, table, partition, columns, "part") as view:
                newest = f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {order} DESC) = 1"
                params = {"at": at} if conditions else None
                part = connection.sql(f"FROM {view} {where} {newest}", params=params).to_arrow_table()
            parts.append(part.append_column("_part", pa.array([number] * part.num_rows, pa.int64())))
        connection.register("parts", pa.concat_tables(parts, promote_options="permissive"))
        return connection.sql(
            f"SELECT * EXCLUDE (_part) FROM parts WHERE {key} IS NOT NULL QUALIFY row_number() OVER "
            f"(PARTITION BY {key} ORDER BY {order} DESC, _part DESC) = 1 ORDER BY {key}"
        ).to_arrow_table()


def read_attributes(table: Table, at: datetime, attributes: list[str]) -> Metadata:
    """Named attributes of every entity at a moment, members for example.

    Args:
        table: member_features or item_features.
        at: the moment, with a zone.
        attributes: columns that were there before any exposure (languages, the day of joining), not what it led to (plays).

    Raises:
        ConfigError: if the table has no such column, or names no key.
        SchemaError, SourceError: as ``Table.batches``.
    """
    for name in attributes:
        if table.schema.column(name) is None:
            raise ConfigError(
                "peers",
                found=f"no column {name!r} in {table.name}",
                expected="an attribute",
                next_step="correct the name",
            )
    rows = known_rows(table, at)
    return metadata(rows[key_column(table)], {name: rows[name] for name in attributes})


def key_column(table: Table) -> str:
    """The column that names the entity.

    Raises:
        ConfigError: if there is none.
    """
    column = table.schema.role("key") or table.schema.role("item_id")
    if column is None:
        raise ConfigError(f"{table.name}.roles", found="no key", expected="the entity of each row", next_step="map it")
    return column.name
