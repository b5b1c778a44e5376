"""Predicates of whole requests, evaluated on all rows in one grouped query per kind."""

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
    for measure_id, measure in measures:
        columns = [places[name] for name in measure.columns]
        per_request = _requests_sql(prepared, measure, columns)
        statement = f"""
            WITH requests AS ({per_request})
            SELECT day, {"".join(f"{column}, " for column in prepared.slice_columns)}
                   CAST(md5_number_lower(request) % {N_BUCKETS} AS INTEGER) AS bucket,
                   count(*), count(*) FILTER (flagged > 0), sum(n_rows), sum(flagged)
            FROM requests GROUP BY {prepared.grouping_sets("day", "bucket")}
        """
        _write(measure_id, prepared, connection.execute(statement).fetchall(), writer)


def _requests_sql(prepared: PreparedRows, measure: PerRequest, columns: list[str]) -> str:
    """One row per request: request, day, s0 …, n_rows, flagged (rows that fail the predicate)."""
    is_own_key = measure.predicate == "duplicate_key" and not prepared.has_requests
    request = key_text(columns) if is_own_key else "request"
    where = f"WHERE {request} IS NOT NULL"
    slices = "".join(f", min({column}) AS {column}" for column in prepared.slice_columns)
    if measure.predicate == "duplicate_key":
        keys = ", ".join(columns)
        by_key = (
            f"SELECT {request} AS request, min(day) AS day, count(*) AS n{slices} "
            f"FROM {prepared.view} {where} GROUP BY {request}, {keys}"
        )
        return (
            f"SELECT request, min(day) AS day, sum(n) AS n_rows, sum(n - 1) AS flagged{slices} "
            f"FROM ({by_key}) GROUP BY request"
        )
    flagged = _flagged_sql(measure, columns[0])
    return (
        f"SELECT {request} AS request, min(day) AS day, count(*) AS n_rows, {flagged} AS flagged{slices} "
        f"FROM {prepared.view} {where} GROUP BY {request}"
    )


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
