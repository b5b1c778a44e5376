"""`engine: spark` against this process on the same files: seconds with and without starting, and equal counts.

A standalone cluster of two workers with one core each on loopback, against one process with as many cores. What Spark
adds is told as seconds per partition. Needs the extra ``spark`` and Java 17.

    python -m benchmarks.spark FOLDER STATE [MASTER]    counts a folder once, from nothing, here or on a cluster
"""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.large_log import SETTINGS, write
from benchmarks.measuring import ROOT

N_PARTITIONS = 16


def count(folder: Path, state: Path, master: str | None) -> dict[str, float]:
    """Count all that the built-in detectors ask for; seconds of the first unit's start and of the counting."""
    from recsysops.config.settings import EngineSettings, WorkspaceSettings
    from recsysops.engines.choose import counting_with
    from recsysops.engines.in_process import Engine
    from recsysops.tables.open_tables import open_tables, schema_of
    from recsysops.tables.views.registered import with_views
    from recsysops.triage.loading import load_detectors

    settings = WorkspaceSettings.model_validate(SETTINGS)
    tables = open_tables(settings, folder)
    measures = load_detectors({}).asking(with_views(schema_of(tables))).measures
    options = {"spark.driver.host": "127.0.0.1", "spark.executor.cores": 1, "spark.cores.max": 2}
    options |= {"spark.scheduler.minRegisteredResourcesRatio": "1.0", "spark.executor.memory": "1g"}
    wanted = EngineSettings(kind="spark", master=master, options=options) if master else EngineSettings()
    started = time.perf_counter()
    with counting_with(wanted, folder) as runner:
        summary = Engine(tables, state, n_threads=2, runner=runner).profile(measures)
        seconds = time.perf_counter() - started
    return {"seconds": seconds, "rows": summary.n_rows_read, "skipped": len(summary.skipped)}


def run(rows: int | None, *, quick: bool) -> None:
    """Write the files, count them on both sides, compare the profiles, print."""
    sys.path.insert(0, str(ROOT / "tests" / "engines"))
    from spark_cluster import java_version, spark_cluster

    try:
        import pyspark
    except ModuleNotFoundError:
        print("  skipped: pyspark is not installed")
        return
    if java_version() < 17:
        print("  skipped: Java 17 is not installed")
        return
    n_rows = rows or (20_000 if quick else 250_000)
    n_partitions = 4 if quick else N_PARTITIONS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for day in range(n_partitions):
            write(folder / "candidates" / f"day={day:03d}" / "part-0.parquet", n_rows, day=day)
        print(f"  {n_partitions} partitions of {n_rows:,} rows, Spark {pyspark.__version__}", flush=True)
        _aside(folder, "warm")  # compiled kernels and the page cache
        here = _aside(folder, "here")
        with spark_cluster(folder / "cluster") as cluster:
            there = _aside(folder, "there", cluster.master)
        same, apart = _compared(folder / "here", folder / "there")
    over = there["seconds"] / here["seconds"]
    print(f"  this process, two cores        {here['seconds']:8.1f} s")
    print(f"  Spark, two workers of one core {there['seconds']:8.1f} s   {over:.2f} x, starting included")
    print(f"  {(there['seconds'] - here['seconds']) / n_partitions:.2f} s more for each partition")
    print(f"  counts equal: {'yes' if same else 'NO'}; sums at most {apart:.0e} apart, relatively")


def _aside(folder: Path, state: str, *master: str) -> dict[str, float]:
    """Count in a process of its own."""
    shutil.rmtree(folder / state, ignore_errors=True)
    words = [sys.executable, "-m", "benchmarks.spark", str(folder), str(folder / state), *master]
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def _compared(one: Path, other: Path) -> tuple[bool, float]:
    """Whether all counts are equal, and the largest relative difference of sums, least and greatest values."""
    paths = {str(path.relative_to(one)) for path in one.glob("profiles/**/*.parquet")}
    if paths != {str(path.relative_to(other)) for path in other.glob("profiles/**/*.parquet")}:
        return False, math.nan
    same, apart = True, 0.0
    for path in paths:
        left, right = (pq.read_table(root / path) for root in (one, other))
        exact = [name for name in left.column_names if name not in ("sums", "lows", "highs")]
        same = same and left.select(exact).equals(right.select(exact))
        for name in set(left.column_names) - set(exact):
            pairs = zip(pc.list_flatten(left[name]).to_pylist(), pc.list_flatten(right[name]).to_pylist(), strict=True)
            apart = max(apart, *(abs(x - y) / abs(x) if x != y and x == x else 0.0 for x, y in pairs), 0.0)
    return same, apart


if __name__ == "__main__":
    print(json.dumps(count(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None)))
