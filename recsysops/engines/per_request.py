"""Predicates of whole requests, evaluated on all rows: one pass makes a row per request, from which all are counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from recsysops.engines.prepared_rows import PreparedRows, key_text
from recsysops.profiles.measures import N_BUCKETS, PerRequest
from recsysops.profiles.profile import RowWriter
from recsysops.profiles.slices import Slice

if TYPE_CHECKING:
    import duckdb

CELLS = ("requests", "flagged_requests", "rows", "flagged_rows")


def columns_of(measure: PerRequest) -> tuple[str, ...]:
    """The table's columns that the measure reads."""
    return measure.columns


def count_per_request(
    connection: duckdb.DuckDBPyConnection,
    prepared: PreparedRows,
    measures: Sequence[tuple[str, PerRequest]],
    places: dict[str, str],
    writer: RowWriter,
) -> None:
    """Count some predicates over one partition.

    Args:
        connection: where the prepared view is.
        prepared: the view.
        measures: (measure id, measure).
        places: the table's column → its name in the view.
        writer: receives collapsed and bucketed rows with the cells ``CELLS``.
    """
    keyed_alone = [one for one in measures if _is_its_own_request(one[1], prepared)]
    of_requests = [one for one in measures if one not in keyed_alone]
    if of_requests:
        connection.execute(_requests_sql(prepared, [measure for _, measure in of_requests], places))
    for index, (measure_id, measure) in enumerate(of_requests):
        source, flagged = "requests", f"flagged_{index}"
        if measure.predicate == "duplicate_key":
            repeated = _repeated_sql(prepared, "request", [places[name] for name in measure.columns])
            source, flagged = f"requests LEFT JOIN ({repeated}) AS repeated USING (request)", "coalesce(extra, 0)"
        _count(connection, prepared, measure_id, source, flagged, writer)
    for measure_id, measure in keyed_alone:
        columns = [places[name] for name in measure.columns]
        _count(connection, prepared, measure_id, _keys_sql(prepared, columns), "n_rows - 1", writer)


def _is_its_own_request(measure: PerRequest, prepared: PreparedRows) -> bool:
    """In tables without requests each key is one."""
    return measure.predicate == "duplicate_key" and not prepared.has_requests


def _requests_sql(prepared: PreparedRows, measures: Sequence[PerRequest], places: dict[str, str]) -> str:
    """One row per request for all measures: request, bucket, day, s0 …, n_rows, flagged_i (rows that fail)."""
    flagged = "".join(
        f", {_flagged_sql(measure, places[measure.columns[0]])} AS flagged_{index}"
        for index, measure in enumerate(measures)
        if measure.predicate != "duplicate_key"
    )
    return (
        f"CREATE OR REPLACE TEMP TABLE requests AS SELECT request, {_bucket('request')} AS bucket, "
        f"min(day) AS day, count(*) AS n_rows{_least_slices(prepared)}{flagged} "
        f"FROM {prepared.view} WHERE request IS NOT NULL GROUP BY request"
    )


def _repeated_sql(prepared: PreparedRows, request: str, columns: list[str]) -> str:
    """Requests in which a key occurs more than once: request, extra (rows beyond the first of each key)."""
    return (
        f"SELECT request, sum(n - 1) AS extra FROM (SELECT {request}, count(*) AS n FROM {prepared.view} "
        f"WHERE request IS NOT NULL GROUP BY request, {', '.join(columns)} HAVING count(*) > 1) GROUP BY request"
    )


def _keys_sql(prepared: PreparedRows, columns: list[str]) -> str:
    """One row per key, which is its own request."""
    return (
        f"(SELECT {_bucket(key_text(columns))} AS bucket, min(day) AS day, count(*) AS n_rows{_least_slices(prepared)} "
        f"FROM {prepared.view} GROUP BY {', '.join(columns)})"
    )


def _least_slices(prepared: PreparedRows) -> str:
    return "".join(f", min({column}) AS {column}" for column in prepared.slice_columns)


def _bucket(request: str) -> str:
    return f"CAST(md5_number_lower({request}) % {N_BUCKETS} AS INTEGER)"


def _count(
    connection: duckdb.DuckDBPyConnection,
    prepared: PreparedRows,
    measure_id: str,
    source: str,
    flagged: str,
    writer: RowWriter,
) -> None:
    slices = "".join(f"{column}, " for column in prepared.slice_columns)
    statement = f"""
        SELECT day, {slices}bucket, count(*), count(*) FILTER ({flagged} > 0), sum(n_rows), sum({flagged})
        FROM {source} GROUP BY {prepared.grouping_sets("day", "bucket")}
    """
    _write(measure_id, prepared, connection.execute(statement).fetchall(), writer)


def _flagged_sql(measure: PerRequest, column: str) -> str:
    number = f"TRY_CAST({column} AS DOUBLE)"
    if measure.predicate == "invalid_number":
        return f"count(*) FILTER ({number} IS NULL OR isnan({number}) OR isinf({number}))"
    if measure.predicate == "constant_number":
        is_constant = f"count({number}) = count(*) AND min({number}) = max({number}) AND NOT isnan(max({number}))"
        return f"CASE WHEN count(*) > 1 AND {is_constant} THEN count(*) ELSE 0 END"
    return f"count(*) FILTER (TRY_CAST({column} AS BOOLEAN))"


def _write(measure_id: str, prepared: PreparedRows, rows: list[tuple[object, ...]], writer: RowWriter) -> None:
    n_slices = len(prepared.dimensions)
    bucketed: dict[tuple[int, Slice], np.ndarray[tuple[int, int], np.dtype[np.int64]]] = {}
    for row in rows:
        slice_ = prepared.slice_of(tuple(None if value is None else str(value) for value in row[1 : 1 + n_slices]))
        key = (int(str(row[0])), slice_)
        counts = bucketed.setdefault(key, np.zeros((N_BUCKETS, len(CELLS)), np.int64))
        counts[int(str(row[1 + n_slices]))] = [int(str(value)) for value in row[2 + n_slices :]]
    for (day, slice_), counts in sorted(bucketed.items()):
        writer.add(measure_id, day, slice_, counts=counts.sum(axis=0))
        writer.add_buckets(measure_id, day, slice_, counts.ravel())
