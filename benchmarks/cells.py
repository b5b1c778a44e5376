"""Cells of one day against DuckDB's decode-and-sum of the same columns, on the same file, in one run.

The floor decodes and sums everything that the scan reads (sums, because min, max and count come from statistics). Budget:
at most 2 × the floor.

    python benchmarks/cells.py --rows 10_000_000
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

N_FLOATS, N_TEXTS = 40, 10
CHUNK = 500_000
SLICES = {"market": 30, "device": 5, "surface": 8, "policy": 3}


def batches(n_rows: int, rows_per_request: int = 50) -> Iterator[pa.RecordBatch]:
    """One day of candidates in the order of time, requests whole."""
    random = np.random.default_rng(0)
    labels = {name: pa.array([f"{name}-{k}" for k in range(n)]) for name, n in SLICES.items()}
    words = [pa.array([f"word {k} of {t}" for k in range(20 * (t + 1))]) for t in range(N_TEXTS)]
    for first in range(0, n_rows, CHUNK):
        n = min(CHUNK, n_rows - first)
        request = (np.arange(first, first + n)) // rows_per_request
        start, n_requests = request[0], request[-1] - request[0] + 1
        columns: dict[str, pa.Array] = {
            "request_id": pa.array([f"request-{k:012d}" for k in range(start, start + n_requests)]).take(
                pa.array(request - start)
            ),
            "ts": pa.array(
                1_760_000_000_000_000 + request * (86_400_000_000 * rows_per_request // n_rows),
                pa.timestamp("us", "UTC"),
            ),
        }
        for name, n_values in SLICES.items():
            places = (random.zipf(1.5, n_requests) % n_values)[request - start]
            columns[name] = pa.DictionaryArray.from_arrays(places.astype(np.int32), labels[name])
        for f in range(N_FLOATS):
            values = random.standard_normal(n, dtype=np.float32)
            if f % 4 == 1:
                values = np.exp(values)
            elif f % 4 == 2:
                values[random.random(n) < 0.3] = 0.0
            columns[f"f{f}"] = pa.array(values, mask=random.random(n) < 0.05 if f % 4 == 3 else None)
        for t, word in enumerate(words):
            places = np.minimum(random.exponential(len(word) / 4, n), len(word) - 1)
            columns[f"s{t}"] = pa.DictionaryArray.from_arrays(places.astype(np.int32), word)
        yield pa.record_batch(columns)


def write(path: Path, n_rows: int) -> None:
    """The file both sides read."""
    writer = None
    for batch in batches(n_rows):
        writer = writer or pq.ParquetWriter(path, batch.schema)
        writer.write_batch(batch, row_group_size=CHUNK)
    if writer is not None:
        writer.close()


def floor(path: Path, *, with_keys: bool) -> None:
    """Decode and sum."""
    import duckdb

    sums = [f"sum(f{f})" for f in range(N_FLOATS)] + [f"sum(length(s{t}))" for t in range(N_TEXTS)]
    if with_keys:
        sums += ["sum(length(request_id))", "sum(epoch_us(ts))", *(f"sum(length({name}))" for name in SLICES)]
    duckdb.sql(f"SELECT {', '.join(sums)} FROM read_parquet('{path}')").fetchall()


def scan(path: Path) -> None:
    """Every column into cells, by day, 4 slice dimensions and 32 buckets."""
    from recsysops.profiles.categories import learn_categories
    from recsysops.profiles.edges import learn_edges
    from recsysops.profiles.kernel import scan_cells
    from recsysops.profiles.measures import Cells
    from recsysops.profiles.parquet_batches import parquet_batches
    from recsysops.profiles.scan_plan import ColumnPlan, ScanPlan

    sample = pq.ParquetFile(path).read_row_group(0).slice(0, 100_000)
    plans = [ColumnPlan(Cells("candidates"))]
    for f in range(N_FLOATS):
        edges = learn_edges(sample[f"f{f}"].drop_null().to_numpy())
        plans.append(ColumnPlan(Cells("candidates", f"f{f}", "histogram"), edges=edges))
    for t in range(N_TEXTS):
        categories = learn_categories(sample[f"s{t}"])
        plans.append(ColumnPlan(Cells("candidates", f"s{t}", "frequencies"), categories=categories))
    plan = ScanPlan(tuple(plans), tuple(SLICES), clock="ts", request_id="request_id")
    start = time.perf_counter()
    counted = scan_cells(parquet_batches(path, plan.reads, plan.categorical_reads), plan)
    total = int(counted.columns[1].counts()[:, 0].sum())
    print(f"{time.perf_counter() - start:.3f} {total}")


def _child(what: str, path: Path) -> tuple[float, float]:
    """Best seconds of three runs in a process of its own, after a warm-up; its peak memory in MiB."""
    if what == "scan":
        for _ in range(4):
            scan(path)
    else:
        for _ in range(4):
            start = time.perf_counter()
            floor(path, with_keys=what == "floor")
            print(f"{time.perf_counter() - start:.3f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak {peak:.0f}")
    return 0.0, peak


def measured(what: str, path: Path) -> tuple[float, float]:
    """(best seconds, peak MiB) of one side."""
    command = [sys.executable, __file__, "--child", what, "--path", str(path)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\n")
    seconds = [float(line.split()[0]) for line in lines if line and not line.startswith("peak")]
    peak = next(float(line.split()[1]) for line in lines if line.startswith("peak"))
    return min(seconds[1:]), peak


def main() -> None:
    """Write, measure both sides, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--path", type=Path)
    parser.add_argument("--child", choices=["scan", "floor", "features"])
    given = parser.parse_args()
    if given.child:
        _child(given.child, given.path)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = given.path or Path(folder) / "candidates.parquet"
        if not path.exists():
            write(path, given.rows)
        found = {what: measured(what, path) for what in ("features", "floor", "scan")}
    seconds, peak = found["scan"]
    print(f"rows {given.rows:,}  cores {os.cpu_count()}  file columns {N_FLOATS} float32 + {N_TEXTS} text + 6 keys")
    print(f"floor, same columns   {found['floor'][0]:7.2f} s   peak {found['floor'][1]:6.0f} MiB")
    print(f"floor, 50 features    {found['features'][0]:7.2f} s   peak {found['features'][1]:6.0f} MiB")
    print(f"cells                 {seconds:7.2f} s   peak {peak:6.0f} MiB")
    print(
        f"ratio {seconds / found['floor'][0]:.2f} (same columns)  {seconds / found['features'][0]:.2f} (features only)"
    )


if __name__ == "__main__":
    main()
