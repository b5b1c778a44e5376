"""Every measure of all detectors on one new day, against DuckDB's decode-and-sum of every column of the file.

Edges and categories are known from before, as on every day but the first. Budget: 5 × the floor, and 2 GiB of memory.
"""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

from benchmarks.large_log import FEATURES, N_FLOATS, SETTINGS, SLICES, write
from benchmarks.measuring import alternate, show

BUDGET = 5.0
BUDGET_MIB = 2048


@cache
def _learnt(folder: Path) -> Path:
    """The state folder with edges and categories, as a day before would have left it."""
    from benchmarks.judging import judging

    with judging(folder, SETTINGS):
        return folder / ".recsysops"


def profile(folder: str) -> None:
    """Count the day: every measure of every detector."""
    from benchmarks.judging import judging

    state = _learnt(Path(folder))
    for name in ("profiles", "manifests"):
        shutil.rmtree(state / name)
    with judging(Path(folder), SETTINGS):
        pass


def floor(folder: str) -> None:
    """Decode and sum every column."""
    import duckdb

    texts = ["request_id", "item_id", *SLICES, *FEATURES[N_FLOATS:]]
    numbers = ["position", "score", "epoch_us(ts)", *FEATURES[:N_FLOATS]]
    sums = [f"sum({one})" for one in numbers] + [f"sum(length({one}))" for one in texts]
    path = f"{folder}/candidates/day=0/part-0.parquet"
    duckdb.sql(f"SELECT {', '.join(sums)} FROM read_parquet('{path}')").fetchall()


def run(rows: int | None, *, quick: bool) -> None:
    """Write a day, measure both sides in turns, print."""
    n_rows = rows or (100_000 if quick else 10_000_000)
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / "candidates" / "day=0" / "part-0.parquet", n_rows)
        print(f"  {n_rows:,} rows, {len(FEATURES)} features, {len(SLICES)} slice dimensions, 32 buckets")
        works = {
            "floor: sum of every column": ("everything:floor", folder),
            "every measure": ("everything:profile", folder),
        }
        measured = alternate(works, 1 if quick else 3)
    base, every = works
    show(measured, base, {every: BUDGET})
    peak = measured[every].peak_mib
    print(f"  peak memory {peak:.0f} MiB, budget {BUDGET_MIB} MiB: {'met' if peak <= BUDGET_MIB else 'MISSED'}")
