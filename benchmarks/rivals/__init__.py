"""The same question to three tools: have any of 50 columns changed between a reference day and a current day?

The other tools' scripts bring their own dependencies (PEP 723) and are run by ``uv run``. Times are those of reading and
answering, without imports; RecSysOps is given no warm start: it learns edges, counts both days in five slicings and 32
buckets, and judges.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.large_log import FEATURES, write
from benchmarks.measuring import ROOT, Measured, show
from benchmarks.rivals.own_environment import script, variables


def run(rows: int | None, *, quick: bool) -> None:
    """Write two days, ask each tool in turns, print."""
    n_rows = rows or (20_000 if quick else 500_000)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / "candidates" / f"day={day}" / "part-0.parquet" for day in (0, 1)]
        for day, path in enumerate(paths):
            write(path, n_rows, day=day)
        files = [str(path) for path in paths]
        commands = {
            "RecSysOps": [sys.executable, "-m", "benchmarks.rivals.drift_by_recsysops", folder],
            "Evidently DataDriftPreset": script("drift_by_evidently.py", *files),
            "pandas + scipy": script("drift_by_pandas.py", *files),
        }
        print(f"  2 days of {n_rows:,} rows, {len(FEATURES)} columns", flush=True)
        told = _in_turns(commands, 1 if quick else 3)
    measured = {
        name: Measured(tuple(one["seconds"] for one in turns), max(one["peak_mib"] for one in turns))
        for name, turns in told.items()
    }
    show(measured, "RecSysOps", {})
    print("  " + "; ".join(turns[0]["versions"] for turns in told.values()))


def _in_turns(commands: dict[str, Sequence[str]], n_turns: int) -> dict[str, list[dict[str, Any]]]:
    told: dict[str, list[dict[str, Any]]] = {name: [] for name in commands}
    for turn in range(n_turns + 1):
        for name, command in commands.items():
            answer = _ask(command)
            if turn:  # the first fetches packages and compiles
                told[name].append(answer)
    return told


def _ask(command: Sequence[str]) -> dict[str, Any]:
    """One process; what it printed, with its peak memory (its own and that of what it started)."""
    code = (
        "import json, resource, subprocess, sys\n"
        "done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, text=True, check=True)\n"
        "told = json.loads(done.stdout.splitlines()[-1])\n"
        "told['peak_mib'] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024\n"
        "print(json.dumps(told))"
    )
    whole = [sys.executable, "-c", code, *command]
    done = subprocess.run(whole, cwd=ROOT, env=variables(), stdout=subprocess.PIPE, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
