"""Predicates of whole requests, evaluated on all rows.

While batches go by, neighbouring rows of one request become a run, one row in a table of DuckDB; at the end runs are
added up to requests, which is exact wherever a request's rows stand. Only repeated keys need every row: as two 64-bit
hashes, of the request and of the key. Counts are exact as long as no two requests of a partition, and no two keys of a
request, share a hash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from recsysops.engines.prepared_rows import key_columns
from recsysops.engines.row_table import RowTable, slice_columns
from recsysops.profiles.coded_rows import CodedRows, chosen, picked
from recsysops.profiles.column_codes import doubles_of, mask_of
from recsysops.profiles.fast_hash import Hashes, hash_rows
from recsysops.profiles.measures import N_BUCKETS, PerRequest
from recsysops.profiles.profile import RowWriter
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.tables.schema import TableSchema

if TYPE_CHECKING:
    import duckdb

CELLS = ("requests", "flagged_requests", "rows", "flagged_rows")
Measures = Sequence[tuple[str, PerRequest]]


def columns_of(measure: PerRequest, schema: TableSchema) -> tuple[str, ...]:
    """The table's columns that the measure reads."""
    return (*measure.columns, *key_columns(schema)) if schema.role("request_id") is None else measure.columns


def by_request(schema: TableSchema, measures: Measures) -> Mapping[tuple[str, ...], Measures]:
    """Measures by what makes a request: () for the log's own; in tables without any, the columns of a key."""
    grouped: dict[tuple[str, ...], list[tuple[str, PerRequest]]] = {}
    for measure_id, measure in measures:
        own: tuple[str, ...] = ()
        if schema.role("request_id") is None:
            own = measure.columns if measure.predicate == "duplicate_key" else key_columns(schema)
        grouped.setdefault(own, []).append((measure_id, measure))
    return grouped


def requests_of(rows: CodedRows, key: Sequence[str]) -> tuple[Hashes, npt.NDArray[np.bool_]]:
    """The hash of each row's request and whether it counts as one of a request; ``key`` as in `by_request`."""
    if not key:
        return rows.requests, rows.placeable & rows.has_request
    return hash_rows([rows.batch.column(name) for name in key], len(rows.days)), rows.placeable


class RequestCounter:
    """Counts some predicates over one partition.

    Args:
        connection: where runs are kept, used by this counter alone; memory limit and spill folder are the caller's.
        key: columns whose values make a request, () for the log's own requests.
        measures: (measure id, measure).
        schema: of the table.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        key: tuple[str, ...],
        measures: Measures,
        schema: TableSchema,
    ) -> None:
        self._connection = connection
        self._key = key
        self._measures = measures
        self._dimensions = schema.slices
        self._request_id = schema.role("request_id")
        self._runs = RowTable(connection, "runs")
        self._keys = {
            index: RowTable(connection, f"request_keys_{index}")
            for index, (_, measure) in enumerate(measures)
            if measure.predicate == "duplicate_key" and not key
        }

    def add(self, rows: CodedRows) -> None:
        """Take the rows of a batch."""
        requests, counts = requests_of(rows, self._key)
        index = chosen(counts)
        requests, days, values = requests[index], rows.days[index].astype(np.int32), rows.values[:, index]
        starts = _run_starts(requests, days, values)
        columns: dict[str, Any] = {"request": requests[starts], "day": days[starts]}
        columns |= {f"s{d}": codes[starts] for d, codes in enumerate(values)}
        columns["n_rows"] = np.diff(starts, append=len(requests))
        for number, (_, measure) in enumerate(self._measures):
            if number in self._keys:
                self._keys[number].add({"request": requests, "key": self._keys_of(rows, measure)[index]})
            elif measure.predicate != "duplicate_key":
                columns |= _partial(measure, number, rows, index, starts)
        self._runs.add(columns)

    def _keys_of(self, rows: CodedRows, measure: PerRequest) -> Hashes:
        own = self._request_id.name if self._request_id is not None else ""
        return hash_rows([rows.batch.column(name) for name in measure.columns if name != own], len(rows.days))

    def write(self, names: Sequence[Sequence[str]], writer: RowWriter) -> None:
        """Write what has been counted; ``names`` are the slice values by dimension and code."""
        ordered = [sorted(values) for values in names]
        ranks = [[order.index(name) for name in values] for order, values in zip(ordered, names, strict=True)]
        self._connection.execute(
            f"CREATE TEMP TABLE requests AS {_requests_sql(self._runs.name, self._measures, ranks)}"
        )
        for number, (measure_id, measure) in enumerate(self._measures):
            source, flagged = "requests", f"flagged_{number}"
            if number in self._keys:
                source = f"requests LEFT JOIN ({_repeated_sql(self._keys[number].name)}) USING (request)"
                flagged = "coalesce(extra, 0)"
            elif measure.predicate == "duplicate_key":
                flagged = "n_rows - 1"
            found = self._connection.execute(_cells_sql(source, flagged, len(names))).fetchall()
            _write(measure_id, self._dimensions, ordered, found, writer)
        for table in ("requests", self._runs.name, *(one.name for one in self._keys.values())):
            self._connection.execute(f"DROP TABLE {table}")


def _run_starts(requests: Hashes, days: npt.NDArray[Any], values: npt.NDArray[np.uint8]) -> npt.NDArray[np.intp]:
    """Where rows begin that differ from the one before in request, day or slice."""
    differs = np.ones(len(requests), np.bool_)
    differs[1:] = (requests[1:] != requests[:-1]) | (days[1:] != days[:-1])
    for codes in values:
        differs[1:] |= codes[1:] != codes[:-1]
    return np.flatnonzero(differs)


def _partial(
    measure: PerRequest, number: int, rows: CodedRows, index: npt.NDArray[np.intp] | slice, starts: npt.NDArray[np.intp]
) -> dict[str, Any]:
    """What a run contributes to a predicate: rows that fail it, or that are no number and the range of the others."""
    name = measure.columns[0]
    column = picked(rows.batch.column(name), index)
    if measure.predicate == "any_row":
        failing = mask_of(column, name)
        return {f"n_{number}": _sums(failing, starts)}
    doubles = doubles_of(column, name)
    if measure.predicate == "invalid_number":
        return {f"n_{number}": _sums(~np.isfinite(doubles), starts)}
    low = np.fmin.reduceat(doubles, starts) if len(starts) else doubles
    high = np.fmax.reduceat(doubles, starts) if len(starts) else doubles
    return {f"n_{number}": _sums(np.isnan(doubles), starts), f"low_{number}": low, f"high_{number}": high}


def _sums(which: npt.NDArray[np.bool_], starts: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
    return np.add.reduceat(which, starts, dtype=np.int64) if len(starts) else np.zeros(0, np.int64)


def _requests_sql(runs: str, measures: Measures, ranks: Sequence[Sequence[int]]) -> str:
    """A row per request: its bucket, first day, least slice value by rank, n_rows, flagged_i (rows that fail)."""
    least = "".join(f", min(list_extract({rank}, s{d} + 1)) AS s{d}" for d, rank in enumerate(ranks))
    flagged = "".join(
        f", {_flagged_sql(measure, number)} AS flagged_{number}"
        for number, (_, measure) in enumerate(measures)
        if measure.predicate != "duplicate_key"
    )
    return (
        f"SELECT request, CAST(request % {N_BUCKETS} AS INTEGER) AS bucket, min(day) AS day, "
        f"CAST(sum(n_rows) AS BIGINT) AS n_rows{least}{flagged} FROM {runs} GROUP BY request"
    )


def _flagged_sql(measure: PerRequest, number: int) -> str:
    if measure.predicate != "constant_number":
        return f"CAST(sum(n_{number}) AS BIGINT)"
    is_constant = f"sum(n_rows) > 1 AND sum(n_{number}) = 0 AND min(low_{number}) = max(high_{number})"
    return f"CASE WHEN {is_constant} THEN CAST(sum(n_rows) AS BIGINT) ELSE 0 END"


def _repeated_sql(keys: str) -> str:
    """Requests in which a key occurs more than once: request, extra (rows beyond the first of each key)."""
    return (
        f"SELECT request, sum(n - 1) AS extra FROM (SELECT request, count(*) AS n FROM {keys} "
        "GROUP BY request, key HAVING count(*) > 1) GROUP BY request"
    )


def _cells_sql(source: str, flagged: str, n_dimensions: int) -> str:
    sets = ", ".join(["(day, bucket)", *(f"(day, bucket, s{d})" for d in range(n_dimensions))])
    return (
        f"SELECT day{slice_columns(n_dimensions)}, bucket, count(*), count(*) FILTER ({flagged} > 0), sum(n_rows), "
        f"sum({flagged}) FROM {source} GROUP BY GROUPING SETS ({sets})"
    )


def _write(
    measure_id: str,
    dimensions: Sequence[str],
    names: Sequence[Sequence[str]],
    rows: list[tuple[Any, ...]],
    writer: RowWriter,
) -> None:
    bucketed: dict[tuple[int, Slice], np.ndarray[tuple[int, int], np.dtype[np.int64]]] = {}
    for day, *codes, bucket, n_requests, n_flagged, n_rows, n_flagged_rows in rows:
        grouped = [Slice(dimensions[d], names[d][code]) for d, code in enumerate(codes) if code is not None]
        key = (day, grouped[0] if grouped else EVERYTHING)
        counts = bucketed.setdefault(key, np.zeros((N_BUCKETS, len(CELLS)), np.int64))
        counts[bucket] = (n_requests, n_flagged, n_rows, n_flagged_rows)
    for (day, slice_), counts in sorted(bucketed.items()):
        writer.add(measure_id, day, slice_, counts=counts.sum(axis=0))
        writer.add_buckets(measure_id, day, slice_, counts.ravel())
