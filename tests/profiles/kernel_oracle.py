"""The slow and obvious way to count, that the kernel is compared with."""

from __future__ import annotations

import math
from collections import Counter
from datetime import date, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from recsysops.profiles.cell_counts import CellCounts
from recsysops.profiles.edges import EdgeSet
from recsysops.profiles.request_buckets import request_buckets
from recsysops.profiles.scan_plan import ColumnPlan, ScanPlan

Cell = tuple[date, str, int, str]


def number_cell(value: Any, is_defaulted: bool, edges: EdgeSet, default: float | None) -> str:
    """The name of a value's histogram cell."""
    if value is None:
        return "null"
    if is_defaulted or (default is not None and value == default):
        return "defaulted"
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "pos_inf" if value > 0 else "neg_inf"
    return edges.bin_names[int(np.searchsorted(edges.edges, float(value), side="left"))]


def expected_cells(batch: pa.RecordBatch, plan: ScanPlan, column: ColumnPlan) -> Counter[Cell]:
    """Rows by (day, slice, bucket, histogram cell)."""
    assert plan.clock is not None
    assert plan.request_id is not None
    assert column.edges is not None
    assert not isinstance(column.default, str)
    rows = batch.to_pylist()
    buckets = request_buckets(batch.column(plan.request_id), len(rows)).tolist()
    counted: Counter[Cell] = Counter()
    for row, bucket in zip(rows, buckets, strict=True):
        moment = row[plan.clock]
        if moment is None:
            continue
        assert isinstance(moment, datetime)
        masked = bool(column.mask and row[column.mask])
        cell = number_cell(row[column.measure.column], masked, column.edges, column.default)
        slices = ["all rows", *(f"{name}={'(null)' if row[name] is None else row[name]}" for name in plan.slices)]
        counted.update((moment.date(), slice_, bucket, cell) for slice_ in slices)
    return counted


def counted_cells(counts: CellCounts, index: int) -> Counter[Cell]:
    """The same from the kernel."""
    column = counts.columns[index]
    found: Counter[Cell] = Counter()
    for d, day in enumerate(counts.days):
        buckets = column.buckets(d)
        for s, b, c in np.argwhere(buckets).tolist():
            found[day, str(counts.slices[s]), b, column.cells[c]] = int(buckets[s, b, c])
    return found
