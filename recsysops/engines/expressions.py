"""Sums of a user's SQL expression over the rows of a partition, in a DuckDB that can reach nothing else.

The expression was checked before (`recsysops.tables.sql_expression`); here it also runs in a connection of its own whose
external access is off and whose configuration is locked. A row in which it fails counts as NULL. Sums are of whole
millionths, so neither order nor batches show in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from recsysops.profiles.coded_rows import CodedRows, chosen
from recsysops.profiles.measures import Expression
from recsysops.profiles.profile import RowWriter
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import TableSchema

UNIT = 1_000_000
MAX_KEYS = 1000
"""Values of ``per`` kept of a partition and day, those with the most rows first."""
SETTINGS = ("TimeZone = 'UTC'", "threads = 1", "enable_external_access = false", "lock_configuration = true")
"""In this order: the time zone comes from an extension, which is loaded before nothing can be."""


class ExpressionCounter:
    """Adds up one expression over one partition."""

    def __init__(self, measure_id: str, measure: Expression, schema: TableSchema) -> None:
        import duckdb

        self._connection = duckdb.connect(":memory:")
        for setting in SETTINGS:
            self._connection.execute(f"SET {setting}")
        self._measure_id = measure_id
        self._measure = measure
        self._dimensions = () if measure.per else schema.slices
        self._totals: dict[tuple[Any, ...], list[int]] = {}
        self._days: set[int] = set()
        self._failure = False

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def add(self, rows: CodedRows) -> None:
        """Take the rows of a batch."""
        import duckdb

        index = chosen(rows.placeable)
        self._days.update(np.unique(rows.days[index]).tolist())
        if self._failure:
            return
        names = dict.fromkeys([*self._measure.columns, *((self._measure.per,) if self._measure.per else ())])
        columns: dict[str, Any] = {name: rows.batch.column(name) for name in names}
        columns["\x1fday"] = pa.array(rows.days.astype(np.int32), mask=~rows.placeable)
        columns |= {f"\x1fs{d}": pa.array(rows.values[d]) for d in range(len(self._dimensions))}
        self._connection.register("rows", pa.RecordBatch.from_arrays(list(columns.values()), list(columns)))
        try:
            found = self._connection.execute(self._sql()).fetchall()
        except duckdb.Error:  # it does not fit these columns' types; told as NaN, and the others are still counted
            self._failure = True
            return
        finally:
            self._connection.unregister("rows")
        for *key, numerator, denominator, n_rows in found:
            total = self._totals.setdefault(tuple(key), [0, 0, 0])
            for place, value in enumerate((numerator, denominator, n_rows)):
                total[place] += int(value or 0)

    def write(self, names: Sequence[Sequence[str]], writer: RowWriter) -> None:
        """Write what has been added up; ``names`` are the slice values by dimension and code."""
        if self._failure:
            for day in sorted(self._days):
                writer.add(self._measure_id, day, EVERYTHING, counts=[0], sums=[np.nan, np.nan])
            return
        for key, (numerator, denominator, n_rows) in sorted(self._kept(), key=lambda entry: repr(entry[0])):
            sums = [numerator / UNIT, denominator / UNIT]
            writer.add(self._measure_id, key[0], self._slice(key[1:], names), counts=[n_rows], sums=sums)

    def _kept(self) -> list[tuple[tuple[Any, ...], list[int]]]:
        """All slices; of the values of ``per`` the most frequent of each day."""
        if not self._measure.per:
            return list(self._totals.items())
        by_day: dict[Any, list[tuple[tuple[Any, ...], list[int]]]] = {}
        for entry in sorted(self._totals.items(), key=lambda one: (-one[1][2], repr(one[0]))):
            by_day.setdefault(entry[0][0], []).append(entry)
        every = [((day,), np.sum([one[1] for one in found], axis=0).tolist()) for day, found in by_day.items()]
        return [*every, *(entry for found in by_day.values() for entry in found[:MAX_KEYS] if entry[0][1] is not None)]

    def _slice(self, codes: tuple[Any, ...], names: Sequence[Sequence[str]]) -> Slice:
        if self._measure.per:
            return Slice(self._measure.per, str(codes[0])) if codes else EVERYTHING
        for d, code in enumerate(codes):
            if code is not None:
                return Slice(self._dimensions[d], names[d][code])
        return EVERYTHING

    def _sql(self) -> str:
        """(day, s0 … or the key, numerator, denominator, rows) of every grouping set."""
        measure = self._measure
        numerator = f"TRY(({measure.numerator}\n))"
        value = (
            f"CASE WHEN {numerator} THEN 1 WHEN NOT {numerator} THEN 0 END" if measure.form == "share" else numerator
        )
        summed = _whole_sum(value)
        over = _whole_sum(f"TRY(({measure.denominator}\n))") if measure.form == "ratio" else f"count({value}) * {UNIT}"
        where = f"AND TRY(({measure.where}\n))" if measure.where else ""
        keys = [quote_identifier(f"\x1fs{d}") for d in range(len(self._dimensions))]
        day = quote_identifier("\x1fday")
        if measure.per:
            keys = [f"CAST({quote_identifier(measure.per)} AS VARCHAR)"]
        sets = [f"({day}, {keys[0]})"] if measure.per else [f"({day})", *(f"({day}, {key})" for key in keys)]
        columns = "".join(f", {key}" for key in keys)
        return (
            f"SELECT {day}{columns}, {summed}, {over}, count(*) FROM rows WHERE {day} IS NOT NULL {where} "
            f"GROUP BY GROUPING SETS ({', '.join(sets)})"
        )


def _whole_sum(value: str) -> str:
    """A sum in millionths; what is no finite number adds nothing."""
    return f"CAST(sum(TRY_CAST(round(TRY_CAST({value} AS DOUBLE) * {UNIT}) AS HUGEINT)) AS VARCHAR)"
