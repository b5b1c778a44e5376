"""Items of which a column changed on some days, as the upstream table tells it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import duckdb
import pyarrow as pa

from recsysops.peers.known_rows import key_column
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.relation import partition_view
from recsysops.tables.table import Table


def changed_items(table: Table, column: str, first: date, last: date) -> tuple[str, ...]:
    """Ids of the items whose value in the column is another than in their row before, as of one of the days; sorted.

    Args:
        table: items or item_features, with as-of times.
        column: one of its columns.
        first, last: days of UTC, both included.

    Raises:
        SchemaError, SourceError: as ``Table.batches``.
    """
    clock, key = table.schema.role("as_of"), key_column(table)
    if clock is None or table.schema.column(column) is None:
        return ()
    k, t, c = (quote_identifier(name) for name in (key, clock.name, column))
    start = datetime.combine(first, time(), UTC)
    end = datetime.combine(last, time(), UTC) + timedelta(days=1)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        parts = []
        for partition in table.partitions():
            with partition_view(connection, table, partition, [key, clock.name, column], "v") as view:
                found = connection.sql(
                    f"SELECT {k} AS k, {t} AS t, {c} AS c FROM {view} WHERE {t} < $end", params={"end": end}
                )
                parts.append(found.to_arrow_table())
        if not parts:
            return ()
        connection.register("versions", pa.concat_tables(parts, promote_options="permissive"))
        changed = connection.sql(
            "SELECT DISTINCT k::VARCHAR AS k FROM (SELECT k, t, c, lag(c) OVER w AS before, row_number() OVER w AS n "
            "FROM versions WINDOW w AS (PARTITION BY k ORDER BY t)) WHERE t >= $start AND n > 1 AND c IS DISTINCT FROM before ORDER BY k",
            params={"start": start},
        ).to_arrow_table()
    return tuple(changed["k"].to_pylist())
