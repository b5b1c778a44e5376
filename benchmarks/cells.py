"""Cells of one day against DuckDB's decode-and-sum of the same columns, on the same file, in one run.

The floor decodes and sums everything that the scan reads (sums, because min, max and count come from statistics). Budget:
at most 2 × the floor.

    python -m benchmarks --only cells --rows 10000000
"""

from __future__ import annotations

import tempfile
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from benchmarks.large_log import N_FLOATS, N_TEXTS, SLICES, write
from benchmarks.measuring import alternate, show

if TYPE_CHECKING:
    from recsysops.profiles.scan_plan import ScanPlan

BUDGET = 2.0


def floor(path: Path, *, with_keys: bool) -> None:
    """Decode and sum."""
    import duckdb

    sums = [f"sum(f{f})" for f in range(N_FLOATS)] + [f"sum(length(s{t}))" for t in range(N_TEXTS)]
    if with_keys:
        sums += ["sum(length(request_id))", "sum(epoch_us(ts))", *(f"sum(length({name}))" for name in SLICES)]
    duckdb.sql(f"SELECT {', '.join(sums)} FROM read_parquet('{path}')").fetchall()


@cache
def plan_of(path: Path) -> ScanPlan:
    """What is counted, on edges and categories learnt from a sample."""
    from recsysops.profiles.categories import learn_categories
    from recsysops.profiles.edges import learn_edges
    from recsysops.profiles.measures import Cells
    from recsysops.profiles.scan_plan import ColumnPlan, ScanPlan

    sample = pq.ParquetFile(path).read_row_group(0).slice(0, 100_000)
    plans = [ColumnPlan(Cells("candidates"))]
    for f in range(N_FLOATS):
        edges = learn_edges(sample[f"f{f}"].drop_null().to_numpy())
        plans.append(ColumnPlan(Cells("candidates", f"f{f}", "histogram"), edges=edges))
    for t in range(N_TEXTS):
        categories = learn_categories(sample[f"s{t}"])
        plans.append(ColumnPlan(Cells("candidates", f"s{t}", "frequencies"), categories=categories))
    return ScanPlan(tuple(plans), tuple(SLICES), clock="ts", request_id="request_id")


def scan(path: str) -> float:
    """Every column into cells, by day, 4 slice dimensions and 32 buckets; seconds, with the plan made before."""
    from recsysops.profiles.kernel import scan_cells
    from recsysops.profiles.parquet_batches import parquet_batches

    plan = plan_of(Path(path))
    start = time.perf_counter()
    counted = scan_cells(parquet_batches(Path(path), plan.reads, plan.categorical_reads), plan)
    seconds = time.perf_counter() - start
    print(int(counted.columns[1].counts()[:, 0].sum()))
    return seconds


def floor_of_features(path: str) -> None:
    """Decode and sum of the 50 features alone, the stricter floor."""
    floor(Path(path), with_keys=False)


def floor_of_reads(path: str) -> None:
    """Decode and sum of everything the scan reads: features, slice dimensions, request and time."""
    floor(Path(path), with_keys=True)


def run(rows: int | None, *, quick: bool) -> None:
    """Write a day, measure the three sides in turns, print."""
    n_rows = rows or (200_000 if quick else 10_000_000)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "candidates.parquet"
        write(path, n_rows)
        print(
            f"  {n_rows:,} rows, {N_FLOATS} float32 + {N_TEXTS} text + 6 keys, {path.stat().st_size / 2**20:,.0f} MiB"
        )
        works = {
            "floor: sum of the columns read": ("cells:floor_of_reads", str(path)),
            "floor: sum of the 50 features": ("cells:floor_of_features", str(path)),
            "cells": ("cells:scan", str(path)),
        }
        measured = alternate(works, 2 if quick else 5)
    base, features, _ = works
    show(measured, base, {"cells": BUDGET})
    print(f"  cells over the sum of the 50 features alone: {measured['cells'].over(measured[features]):.2f} x")
