"""The bottom-k of requests by portable hash, one row of each, with the values of some columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from recsysops.engines.prepared_rows import PreparedRows
from recsysops.profiles.measures import KeyedSample
from recsysops.profiles.profile import RowWriter
from recsysops.profiles.slices import EVERYTHING
from recsysops.tables.contract import TABLES
from recsysops.tables.schema import TableSchema

if TYPE_CHECKING:
    import duckdb


def columns_of(measure: KeyedSample, schema: TableSchema) -> tuple[str, ...]:
    """The table's columns that the measure reads: its own, and those that pick the row within a request."""
    picked = (schema.role(role) for role in TABLES[schema.table].key)
    return tuple(dict.fromkeys([*measure.columns, *(column.name for column in picked if column is not None)]))


def count_keyed_sample(
    connection: duckdb.DuckDBPyConnection,
    prepared: PreparedRows,
    measures: Sequence[tuple[str, KeyedSample]],
    places: dict[str, str],
    schema: TableSchema,
    writer: RowWriter,
) -> None:
    """Sample one partition. A row's ``counts`` hold its hash (as signed 64 bits), its ``sums`` the values.

    Values that are not numbers, NULL and NaN are all NaN here; their rates are counted exactly as cells.
    """
    keys = [column for role in TABLES[schema.table].key if (column := schema.role(role)) is not None]
    key = "concat_ws(chr(31), " + ", ".join(f"CAST({places[column.name]} AS VARCHAR)" for column in keys) + ")"
    request = "request" if schema.role("request_id") else key
    for measure_id, measure in measures:
        values = ", ".join(
            f"arg_min(coalesce(TRY_CAST({places[name]} AS DOUBLE), 'nan'::DOUBLE), md5_number_lower({key}))"
            for name in measure.columns
        )
        statement = f"""
            WITH requests AS (
                SELECT day, {request} AS r, md5_number_lower({request}) AS h
                FROM {prepared.view} WHERE {request} IS NOT NULL GROUP BY ALL
            ), chosen AS (
                SELECT * FROM requests QUALIFY row_number() OVER (PARTITION BY day ORDER BY h, r) <= {measure.k}
            )
            SELECT chosen.day, chosen.r, chosen.h, {values}
            FROM {prepared.view} AS p JOIN chosen ON p.day = chosen.day AND {request.replace("request", "p.request")} = chosen.r
            GROUP BY ALL ORDER BY chosen.day, chosen.h, chosen.r
        """
        for day, request_key, digest, *sampled in connection.execute(statement).fetchall():
            signed = digest - (1 << 64) if digest >= 1 << 63 else digest
            sums = [math.nan if value is None else float(value) for value in sampled]
            writer.add(measure_id, day, EVERYTHING, key=request_key, counts=[signed], sums=sums)
