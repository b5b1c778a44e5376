"""The bottom-k of requests by portable hash, one row of each, with the values of some columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from recsysops.engines.prepared_rows import PreparedRows, key_columns, key_text
from recsysops.profiles.measures import KeyedSample
from recsysops.profiles.profile import RowWriter
from recsysops.tables.schema import TableSchema

if TYPE_CHECKING:
    import duckdb


def columns_of(measure: KeyedSample, schema: TableSchema) -> tuple[str, ...]:
    """The table's columns that the measure reads: its own, and those that pick the row within a request."""
    return tuple(dict.fromkeys([*measure.columns, *key_columns(schema)]))


def count_keyed_sample(
    connection: duckdb.DuckDBPyConnection,
    prepared: PreparedRows,
    measures: Sequence[tuple[str, KeyedSample]],
    places: dict[str, str],
    schema: TableSchema,
    writer: RowWriter,
) -> None:
    """Sample one partition. A row's ``counts`` hold its hash (as signed 64 bits), its ``sums`` the values.

    Of each request the row whose key has the smallest hash is kept (of rows with one key, the one with the smallest
    values). Values that are not numbers, NULL and NaN are all NaN here; their rates are counted exactly as cells.
    """
    for measure_id, measure in measures:
        key = key_text(places[name] for name in key_columns(schema))
        values = ", ".join(
            f"v{index} := coalesce(TRY_CAST(p.{places[name]} AS DOUBLE), 'nan'::DOUBLE)"
            for index, name in enumerate(measure.columns)
        )
        listed = ", ".join(f"least_row.v{index}" for index in range(len(measure.columns)))
        statement = f"""
            WITH requests AS (
                SELECT day, request, md5_number_lower(request) AS digest
                FROM (SELECT DISTINCT day, request FROM {prepared.view} WHERE request IS NOT NULL)
            ), chosen AS (
                SELECT * FROM requests
                QUALIFY row_number() OVER (PARTITION BY day ORDER BY digest, request) <= {measure.k}
            ), picked AS (
                SELECT day, request, digest, min(struct_pack(h := md5_number_lower({key}), {values})) AS least_row
                FROM {prepared.view} AS p JOIN chosen USING (day, request) GROUP BY ALL
            )
            SELECT $measure AS measure, day, request AS key, '' AS dimension, '' AS value,
                   [CAST(CAST(digest AS BIT) AS BIGINT)] AS counts, [{listed}] AS sums
            FROM picked ORDER BY day, digest, request
        """
        writer.add_table(connection.sql(statement, params={"measure": measure_id}).to_arrow_table())
