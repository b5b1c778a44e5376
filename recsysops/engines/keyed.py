"""Counters per key: the top keys of every slice and one tail, and a HyperLogLog of the distinct keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from recsysops.engines.prepared_rows import PreparedRows
from recsysops.profiles.measures import Counter, Keyed
from recsysops.profiles.profile import RowWriter
from recsysops.profiles.slices import EVERYTHING
from recsysops.statistics.hyperloglog import registers_from_hashes
from recsysops.tables.schema import TableSchema

if TYPE_CHECKING:
    import duckdb

TAIL = ""
"""Key of the tail row. Every real key is stored with a leading ``=``, so none can be mistaken for it."""
DISTINCT = "#distinct"
"""Key of the row that holds the HyperLogLog registers and no counters."""
SLICE_TOP_K = 200
"""Keys kept for one slice; all rows together keep the measure's own ``top_k``."""


def stored_key(key: str) -> str:
    """How a real key is written in a profile."""
    return "=" + key


def columns_of(measure: Keyed, schema: TableSchema) -> tuple[str, ...]:
    """The table's columns that the measure reads."""
    roles = (schema.role("shown"), schema.role("position"))
    return (measure.key, *(column.name for column in roles if column is not None))


def count_keyed(
    connection: duckdb.DuckDBPyConnection,
    prepared: PreparedRows,
    measures: Sequence[tuple[str, Keyed]],
    places: dict[str, str],
    schema: TableSchema,
    writer: RowWriter,
) -> None:
    """Count keys over one partition. Rows whose key is NULL are left out: missing ids are counted as cells."""
    for measure_id, measure in measures:
        key = f"CAST({places[measure.key]} AS VARCHAR)"
        counters = [_counter_sql(counter, places, schema) for counter in measure.counters]
        _count_one(connection, prepared, measure_id, measure, key, counters, writer)
        _count_distinct(connection, prepared, measure_id, key, writer)


def _count_one(
    connection: duckdb.DuckDBPyConnection,
    prepared: PreparedRows,
    measure_id: str,
    measure: Keyed,
    key: str,
    counters: list[str],
    writer: RowWriter,
) -> None:
    slices = "".join(f", {column}" for column in prepared.slice_columns)
    names = [f"n{index}" for index in range(len(counters))]
    selected = ", ".join(f"{sql} AS {name}" for sql, name in zip(counters, names, strict=True))
    totals = ", ".join(f"sum({name})" for name in names)
    is_whole = " AND ".join(f"{column} IS NULL" for column in prepared.slice_columns) or "true"
    statement = f"""
        WITH counted AS (
            SELECT day{slices}, {key} AS key, {selected}
            FROM {prepared.view} WHERE {key} IS NOT NULL GROUP BY {prepared.grouping_sets("day", key)}
        ), ranked AS (
            SELECT *, row_number() OVER (PARTITION BY day{slices} ORDER BY n0 DESC, key)
                      <= CASE WHEN {is_whole} THEN {measure.top_k} ELSE {min(measure.top_k, SLICE_TOP_K)} END AS is_top
            FROM counted
        )
        SELECT day{slices}, CASE WHEN is_top THEN '=' || key ELSE '{TAIL}' END AS stored, {totals}
        FROM ranked GROUP BY ALL ORDER BY ALL
    """
    first = 2 + len(prepared.dimensions)
    for row in connection.execute(statement).fetchall():
        writer.add(
            measure_id,
            row[0],
            prepared.slice_of(row[1 : first - 1]),
            key=row[first - 1],
            sums=[float(n) for n in row[first:]],
        )


def _count_distinct(
    connection: duckdb.DuckDBPyConnection, prepared: PreparedRows, measure_id: str, key: str, writer: RowWriter
) -> None:
    statement = f"SELECT day, md5_number_lower({key}) AS h FROM {prepared.view} WHERE {key} IS NOT NULL GROUP BY ALL"
    found = connection.execute(statement).fetchnumpy()
    days, hashes = np.asarray(found["day"]), np.asarray(found["h"], np.uint64)
    for day in np.unique(days):
        sketch = registers_from_hashes(hashes[days == day])
        writer.add(measure_id, int(day), EVERYTHING, key=DISTINCT, registers=sketch.tobytes())


def _counter_sql(counter: Counter, places: dict[str, str], schema: TableSchema) -> str:
    position = schema.role("position")
    shown = schema.role("shown")
    is_shown = "true"
    if shown is not None:
        is_shown = f"coalesce(CAST({places[shown.name]} AS BOOLEAN), false)"
    elif position is not None:
        is_shown = f"{places[position.name]} IS NOT NULL"
    if counter == "rows":
        return "count(*)"
    if counter == "requests":
        return "count(DISTINCT request)"
    if counter == "impressions":
        return f"count(*) FILTER ({is_shown})"
    if position is None:
        return f"CAST(count(*) FILTER ({is_shown}) AS DOUBLE)"
    place = f"CAST({places[position.name]} AS DOUBLE)"
    return f"coalesce(sum(1 / log2(1 + {place})) FILTER ({is_shown} AND {place} >= 1), 0)"
