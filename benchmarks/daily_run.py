"""Judging one new day with 90 days of stored history against 7: a run's cost must not grow with history.

Every day is really profiled and judged before; only the last day's run is timed: opening, counting what is new, judging,
writing. Budget: 1.2 ×. Both compare with as many of the last 28 days as there are.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

from benchmarks.large_log import SETTINGS, write
from benchmarks.measuring import alternate, show

BUDGET = 1.2


def run_last_day(folder: str) -> float:
    """Put the state of the day before back, and judge the last day."""
    from benchmarks.judging import judging

    state, before = Path(folder) / ".recsysops", Path(folder) / "before"
    shutil.rmtree(state)
    shutil.copytree(before, state)
    started = time.perf_counter()
    with judging(Path(folder), SETTINGS) as opened:
        day = opened.days()[-1]
        judged = opened.in_order([day])
        print(len(judged[0].reference), judged[0].audit.n_series)
    return time.perf_counter() - started


def with_history(folder: Path, n_days: int, rows: int) -> None:
    """Days of logs and the state they leave, and then one more day of logs."""
    from benchmarks.judging import judging

    for day in range(n_days):
        write(folder / "candidates" / f"day={day:03d}" / "part-0.parquet", rows, day=day)
    with judging(folder, SETTINGS) as opened:
        opened.in_order(opened.days()[-2:])
    shutil.copytree(folder / ".recsysops", folder / "before")
    write(folder / "candidates" / f"day={n_days:03d}" / "part-0.parquet", rows, day=n_days)


def run(rows: int | None, *, quick: bool) -> None:
    """Build both histories, measure the last day's run in turns, print."""
    n_rows = rows or (1_000 if quick else 20_000)
    lengths = (2, 5) if quick else (7, 28, 90)
    with tempfile.TemporaryDirectory() as folder:
        works = {}
        for n_days in lengths:
            with_history(Path(folder) / str(n_days), n_days, n_rows)
            works[f"a day after {n_days} days"] = ("daily_run:run_last_day", str(Path(folder) / str(n_days)))
        print(f"  {n_rows:,} rows a day, 50 features, 4 slice dimensions, all ten detectors", flush=True)
        measured = alternate(works, 1 if quick else 3)
    show(measured, next(iter(works)), {list(works)[-1]: BUDGET})
    if not quick:
        names = list(works)
        print(f"  90 days over 28 (the same window of comparison): {measured[names[2]].over(measured[names[1]]):.2f} x")
