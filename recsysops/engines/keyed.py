"""Counters per key: the top keys of every slice and one tail, and a HyperLogLog of the distinct keys.

While batches go by, rows become numbers in a table of DuckDB (a key is its 64-bit hash, its name is kept once); they are
grouped at the end, spilling where they do not fit. Counts are exact as long as no two keys of a partition share a hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsysops.engines.row_table import RowTable, slice_columns
from recsysops.profiles.categories import as_labels
from recsysops.profiles.coded_rows import CodedRows, chosen, validity
from recsysops.profiles.column_codes import doubles_of, mask_of
from recsysops.profiles.fast_hash import Hashes, hash_values
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
SUM_UNIT = 1e6
"""Sums are added in whole units of a millionth, for the same reason as exposure."""
WEIGHT_UNIT = 1e15
"""Exposure is added in whole units of 1e-15, so that neither threads nor the split into partitions show in it."""
_SQL: dict[Counter, str] = {
    "rows": "count(*)",
    "requests": "count(request)",  # and see `_counted_sql`
    "impressions": "count(*) FILTER (shown)",
    "exposure": f"sum(weight) / {WEIGHT_UNIT}",
}


def stored_key(key: str) -> str:
    """How a real key is written in a profile."""
    return "=" + key


def columns_of(measure: Keyed, schema: TableSchema) -> tuple[str, ...]:
    """The table's columns that the measure reads."""
    roles = (schema.role("shown"), schema.role("position"))
    return tuple(dict.fromkeys([measure.key, *measure.sums, *(column.name for column in roles if column is not None)]))


class KeyedCounter:
    """Counts the keys of one partition. Rows whose key is NULL are left out: missing ids are counted as cells.

    Args:
        connection: where rows are kept, used by this counter alone; memory limit and spill folder are the caller's.
        measure_id, measure, schema: what is counted, and in which table.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, measure_id: str, measure: Keyed, schema: TableSchema
    ) -> None:
        self._connection = connection
        self._measure_id = measure_id
        self._measure = measure
        self._schema = schema
        self._names = RowTable(connection, "key_names")
        self._rows = RowTable(connection, "key_rows")
        self._known: Hashes = np.zeros(0, np.uint64)

    def add(self, rows: CodedRows) -> None:
        """Take the rows of a batch."""
        labels = as_labels(rows.batch.column(self._measure.key), self._measure.key)
        self._learn(labels.dictionary)
        index = chosen(rows.placeable & validity(labels.indices))
        columns: dict[str, Any] = {"day": rows.days[index].astype(np.int32), "key": hash_values(labels)[index]}
        columns |= {f"s{d}": values[index] for d, values in enumerate(rows.values)}
        counters = self._measure.counters
        if "requests" in counters:
            columns["request"] = pa.array(rows.requests[index], mask=~rows.has_request[index])
        if "impressions" in counters or "exposure" in counters:
            shown = self._shown(rows)
            columns["shown"] = shown[index]
            if "exposure" in counters:
                columns["weight"] = self._weights(rows, shown)[index]
        for number, name in enumerate(self._measure.sums):
            columns[f"v{number}"] = _millionths(rows.batch.column(name), name)[index]
        self._rows.add(columns)

    def _learn(self, names: pa.Array) -> None:
        hashes = hash_values(names)
        is_new = ~np.isin(hashes, self._known) & validity(names)
        if is_new.any() or not self._names.exists:
            self._known = np.union1d(self._known, hashes[is_new])
            self._names.add({"key": hashes[is_new], "name": names.filter(pa.array(is_new))})

    def _shown(self, rows: CodedRows) -> npt.NDArray[np.bool_]:
        """Which rows are impressions: what the log says; else those with a position; else all."""
        shown, position = self._schema.role("shown"), self._schema.role("position")
        if shown is not None:
            return mask_of(rows.batch.column(shown.name), shown.name)
        if position is not None:
            return validity(rows.batch.column(position.name))
        return np.ones(len(rows.days), np.bool_)

    def _weights(self, rows: CodedRows, shown: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """1 / log2(1 + position) of impressions from position 1 on, 0 elsewhere; without positions every impression is 1."""
        column = self._schema.role("position")
        if column is None:
            return np.where(shown, int(WEIGHT_UNIT), 0)
        place = doubles_of(rows.batch.column(column.name), column.name)
        counts = shown & (place >= 1)
        return np.where(counts, np.rint(WEIGHT_UNIT / np.log2(1 + np.where(counts, place, 1))), 0).astype(np.int64)

    def write(self, names: Sequence[Sequence[str]], writer: RowWriter) -> None:
        """Write what has been counted; ``names`` are the slice values by dimension and code."""
        counted = _counted_sql(self._rows.name, self._measure, len(names), self._has_repeats())
        self._connection.execute(f"CREATE TEMP TABLE counted AS {counted}")
        parameters: dict[str, Any] = {"measure": self._measure_id}
        for d, dimension in enumerate(self._schema.slices):
            parameters |= {f"d{d}": dimension, f"n{d}": list(names[d])}
        statement = _stored_sql(self._names.name, self._measure, len(names))
        writer.add_table(self._connection.sql(statement, params=parameters).to_arrow_table())
        self._write_distinct(len(names), writer)
        for table in ("counted", self._rows.name, self._names.name):
            self._connection.execute(f"DROP TABLE {table}")

    def _has_repeats(self) -> bool:
        """Make the table ``several``: requests that have a key several times in a day. Most logs have none."""
        if "requests" not in self._measure.counters:
            return False
        self._connection.execute(
            f"CREATE OR REPLACE TEMP TABLE several AS SELECT day, key, request FROM {self._rows.name} "
            "WHERE request IS NOT NULL GROUP BY ALL HAVING count(*) > 1"
        )
        return bool(self._connection.execute("SELECT count(*) > 0 FROM several").fetchall()[0][0])

    def _write_distinct(self, n_dimensions: int, writer: RowWriter) -> None:
        whole = "".join(f" AND s{d} IS NULL" for d in range(n_dimensions))
        found = self._connection.execute(f"SELECT day, key FROM counted WHERE true{whole}").fetchnumpy()
        days, hashes = np.asarray(found["day"]), np.asarray(found["key"], np.uint64)
        for day in np.unique(days):
            sketch = registers_from_hashes(hashes[days == day])
            writer.add(self._measure_id, int(day), EVERYTHING, key=DISTINCT, registers=sketch.tobytes())


def _millionths(column: pa.Array, name: str) -> npt.NDArray[np.int64]:
    """Values in whole millionths; what is no finite number is 0, and beyond ±9e12 a value is cut."""
    values = doubles_of(column, name)
    return np.rint(np.clip(np.where(np.isfinite(values), values, 0.0), -9e12, 9e12) * SUM_UNIT).astype(np.int64)


def _counted_sql(rows: str, measure: Keyed, n_dimensions: int, has_repeats: bool) -> str:
    """(day, s0 …, key, c0 …) of every grouping set, s NULL where it is not grouped by.

    Distinct requests do not add up: rows with a request are counted, and where a request has a key several times, which
    is rare, the excess is taken off again.
    """
    slices = slice_columns(n_dimensions)
    sets = ", ".join(["(day, key)", *(f"(day, key, s{d})" for d in range(n_dimensions))])
    sums = [f"sum(v{number}) / {SUM_UNIT}" for number in range(len(measure.sums))]
    expressions = [*(_SQL[counter] for counter in measure.counters), *sums]
    counters = ", ".join(f"{expression} AS c{index}" for index, expression in enumerate(expressions))
    counted = f"SELECT day{slices}, key, {counters} FROM {rows} GROUP BY GROUPING SETS ({sets})"
    if not has_repeats:
        return counted
    excess = ", ".join(
        f"{'count(DISTINCT request) - count(request)' if counter == 'requests' else '0'} AS c{index}"
        for index, counter in enumerate(measure.totals)
    )
    totals = ", ".join(f"sum(c{index}) AS c{index}" for index in range(len(measure.totals)))
    return (
        f"SELECT day{slices}, key, {totals} FROM ({counted} UNION ALL SELECT day{slices}, key, {excess} FROM {rows} "
        f"SEMI JOIN several USING (day, key, request) GROUP BY GROUPING SETS ({sets})) GROUP BY ALL"
    )


def _stored_sql(names: str, measure: Keyed, n_dimensions: int) -> str:
    """Rows as a profile stores them: the top keys of every day and slice, and what remains."""
    slices = slice_columns(n_dimensions)
    totals = ", ".join(f"CAST(sum(c{index}) AS DOUBLE)" for index in range(len(measure.totals)))
    is_whole = " AND ".join(f"s{d} IS NULL" for d in range(n_dimensions)) or "true"
    dimension = "".join(f"WHEN s{d} IS NOT NULL THEN $d{d} " for d in range(n_dimensions))
    value = "".join(f"list_extract($n{d}, s{d} + 1), " for d in range(n_dimensions))
    return f"""
        WITH ranked AS (
            SELECT *, row_number() OVER (PARTITION BY day{slices} ORDER BY c0 DESC, name)
                      <= CASE WHEN {is_whole} THEN {measure.top_k} ELSE {min(measure.top_k, SLICE_TOP_K)} END AS is_top
            FROM counted JOIN {names} USING (key)
        ), folded AS (
            SELECT day{slices}, CASE WHEN is_top THEN '=' || name ELSE '{TAIL}' END AS stored, [{totals}] AS sums
            FROM ranked GROUP BY ALL
        )
        SELECT $measure AS measure, day, CASE {dimension}WHEN true THEN '' END AS dimension,
               coalesce({value}'') AS value, stored AS key, sums
        FROM folded ORDER BY day, dimension, value, key
    """
