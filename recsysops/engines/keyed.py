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
        has_repeats = "requests" in measure.counters and _find_repeats(connection, prepared, key)
        statement = _counts_sql(prepared, measure, key, counters, has_repeats)
        parameters = {"measure": measure_id, **{f"d{i}": name for i, name in enumerate(prepared.dimensions)}}
        writer.add_table(connection.sql(statement, params=parameters).to_arrow_table())
        _count_distinct(connection, prepared, measure_id, key, writer)


def _find_repeats(connection: duckdb.DuckDBPyConnection, prepared: PreparedRows, key: str) -> bool:
    """Make the table ``several``: requests that have a key several times in a day. Most logs have none."""
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE several AS SELECT day, {key} AS key, request FROM {prepared.view} "
        f"WHERE {key} IS NOT NULL AND request IS NOT NULL GROUP BY ALL HAVING count(*) > 1"
    )
    return bool(connection.execute("SELECT count(*) > 0 FROM several").fetchall()[0][0])


def _counts_sql(prepared: PreparedRows, measure: Keyed, key: str, counters: list[str], has_repeats: bool) -> str:
    """Rows as a profile stores them: the top keys of every day and slice, and what remains."""
    columns = prepared.slice_columns
    slices = "".join(f", {column}" for column in columns)
    names = [f"n{index}" for index in range(len(counters))]
    totals = ", ".join(f"CAST(sum({name}) AS DOUBLE)" for name in names)
    is_whole = " AND ".join(f"{column} IS NULL" for column in columns) or "true"
    dimension = "".join(f"WHEN {column} IS NOT NULL THEN $d{index} " for index, column in enumerate(columns))
    return f"""
        WITH {_counted_sql(prepared, measure, key, counters, has_repeats)}, ranked AS (
            SELECT *, row_number() OVER (PARTITION BY day{slices} ORDER BY n0 DESC, key)
                      <= CASE WHEN {is_whole} THEN {measure.top_k} ELSE {min(measure.top_k, SLICE_TOP_K)} END AS is_top
            FROM counted
        ), folded AS (
            SELECT day{slices}, CASE WHEN is_top THEN '=' || key ELSE '{TAIL}' END AS stored, [{totals}] AS sums
            FROM ranked GROUP BY ALL
        )
        SELECT $measure AS measure, day, CASE {dimension}WHEN true THEN '' END AS dimension,
               coalesce({"".join(f"{column}, " for column in columns)}'') AS value, stored AS key, sums
        FROM folded ORDER BY day, dimension, value, key
    """


def _counted_sql(prepared: PreparedRows, measure: Keyed, key: str, counters: list[str], has_repeats: bool) -> str:
    """Common table expressions that end in ``counted``: (day, s0 …, key, n0 …) of every grouping set.

    Rows are added up by all dimensions together before they are by each. Distinct requests do not add up so: rows with
    a request are counted, and where a request has a key several times, which is rare, the excess is taken off again.
    """
    slices = "".join(f", {column}" for column in prepared.slice_columns)
    names = [f"n{index}" for index in range(len(counters))]
    selected = ", ".join(f"{sql} AS {name}" for sql, name in zip(counters, names, strict=True))
    totals = ", ".join(f"sum({name}) AS {name}" for name in names)
    sets = prepared.grouping_sets("day", "key")
    keyed_rows = f"(SELECT *, {key} AS key FROM {prepared.view} WHERE {key} IS NOT NULL)"
    fine = f"fine AS (SELECT day{slices}, key, {selected} FROM {keyed_rows} GROUP BY ALL)"
    added = f"SELECT day{slices}, key, {totals} FROM fine GROUP BY {sets}"
    if not has_repeats:
        return f"{fine}, counted AS ({added})"
    excess = ", ".join(
        f"{'count(DISTINCT request) - count(request)' if counter == 'requests' else '0'} AS {name}"
        for counter, name in zip(measure.counters, names, strict=True)
    )
    return f"""
        {fine}, counted AS (
            SELECT day{slices}, key, {totals} FROM (
                {added}
                UNION ALL
                SELECT day{slices}, key, {excess} FROM {keyed_rows} SEMI JOIN several USING (day, key, request)
                GROUP BY {sets}
            ) GROUP BY ALL
        )
    """


def _count_distinct(
    connection: duckdb.DuckDBPyConnection, prepared: PreparedRows, measure_id: str, key: str, writer: RowWriter
) -> None:
    distinct = f"SELECT DISTINCT day, {key} AS key FROM {prepared.view} WHERE {key} IS NOT NULL"
    statement = f"SELECT day, md5_number_lower(key) AS h FROM ({distinct})"
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
        is_shown = f"coalesce(TRY_CAST({places[shown.name]} AS BOOLEAN), false)"
    elif position is not None:
        is_shown = f"{places[position.name]} IS NOT NULL"
    if counter == "rows":
        return "count(*)"
    if counter == "requests":
        return "count(request)"  # and see `_counted_sql`
    if counter == "impressions":
        return f"count(*) FILTER ({is_shown})"
    if position is None:
        return f"count(*) FILTER ({is_shown})"
    place = f"CAST({places[position.name]} AS DOUBLE)"
    # decimals add exactly, so that neither threads nor the split into partitions show in the last digits
    weight = f"CAST(1 / log2(1 + {place}) AS DECIMAL(18, 15))"
    return f"coalesce(sum({weight}) FILTER ({is_shown} AND {place} >= 1), 0)"
