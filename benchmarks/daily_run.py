"""Judging one new day with 90 days of stored history against 7: a run's cost must not grow with history.

Every day is really profiled before; only the last day's run is timed, as a whole process: starting, opening, counting what
is new, judging, writing. Budget: 1.2 x, and 5 s for the judging alone. A day is compared with as many of the last 28 days as there are.

    python -m benchmarks.daily_run FOLDER    judges the last day of a folder whose state is that of the day before
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path

from benchmarks.large_log import SETTINGS, write
from benchmarks.measuring import ROOT, alternate_processes, show
from recsysops.cli import seldom_collect

BUDGET = 1.2
JUDGING_SECONDS = 5.0
"""For 50 features x 30 slices after 90 days; here there are 47 slices."""
STARTING = "from recsysops.triage.loading import load_detectors; import benchmarks.judging; load_detectors({})"
STARTED = "starting alone: imports, no data"


def judge_last_day(folder: Path) -> None:
    """The run that is timed."""
    from benchmarks.judging import judging

    with judging(folder, SETTINGS) as opened:
        day, started = opened.days()[-1], time.perf_counter()
        judged = opened.in_order([day])
        seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "n_series": judged[0].audit.n_series}))


def put_back(folder: Path | None) -> None:
    """The state of the day before; a side without a folder has none."""
    if folder is None:
        return
    shutil.rmtree(folder / ".recsysops", ignore_errors=True)
    shutil.copytree(folder / "before", folder / ".recsysops")


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
    """Build the histories, measure the last day's run in turns, print; on a small service's days and on larger ones."""
    lengths = (2, 5) if quick else (7, 28, 90)
    for n_rows in (rows,) if rows else (1_000,) if quick else (20_000, 100_000):
        _run_size(n_rows, lengths, 1 if quick else 3)


def _run_size(n_rows: int, lengths: Sequence[int], repeats: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        folders = {f"a day after {n_days} days": Path(folder) / str(n_days) for n_days in lengths}
        for n_days, path in zip(lengths, folders.values(), strict=True):
            # in a process of its own: one passes its peak memory on to the children that are measured
            building = get_context("spawn").Process(target=with_history, args=(path, n_days, n_rows))
            building.start()
            building.join()
            if building.exitcode:
                raise RuntimeError(f"{path}: the history could not be made")
        print(f"  {n_rows:,} rows a day, 50 features, 4 slice dimensions, all detectors", flush=True)
        commands = {name: [sys.executable, "-m", "benchmarks.daily_run", str(path)] for name, path in folders.items()}
        commands[STARTED] = [sys.executable, "-c", STARTING]
        measured = alternate_processes(commands, repeats, lambda name: put_back(folders.get(name)))
        longest = list(folders)[-1]
        put_back(folders[longest])
        told = subprocess.run(commands[longest], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    names = list(folders)
    show(measured, names[0], {names[-1]: BUDGET})
    if len(lengths) > 2:
        over = measured[names[2]].over(measured[names[1]])
        print(f"  90 days over 28 (the same window of comparison): {over:.2f} x")
    judged = json.loads(told.splitlines()[-1])
    kept = "met" if judged["seconds"] <= JUDGING_SECONDS else "MISSED"
    print(
        f"  of {longest}, judging and writing {judged['n_series']:,} series: {judged['seconds']:.2f} s, "
        f"budget {JUDGING_SECONDS:.0f} s: {kept}"
    )


if __name__ == "__main__":
    seldom_collect()
    judge_last_day(Path(sys.argv[1]))
