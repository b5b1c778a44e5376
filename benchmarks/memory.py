"""Peak memory of counting every measure, as the log grows: in one file, and in several of at most five million rows.

The log is written as a stream, a file at a time. Budget: 2 GiB at any size, and twice the rows at most 1.1 x the memory.
Ten million rows by default; ``--rows 100000000`` takes about 25 GB of disk and some hours.

    python -m benchmarks.memory FOLDER    counts a folder from nothing and tells the process's peak
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.large_log import SETTINGS, write
from benchmarks.measuring import ROOT

BUDGET_MIB = 2048
BUDGET_GROWTH = 1.1
FILE_ROWS = 5_000_000


def count(folder: Path) -> dict[str, float]:
    """Count all that the built-in detectors ask for; rows and the peak in MiB."""
    from recsysops.config.settings import WorkspaceSettings
    from recsysops.engines.in_process import Engine
    from recsysops.tables.open_tables import open_tables, schema_of
    from recsysops.tables.views.registered import with_views
    from recsysops.triage.loading import load_detectors

    tables = open_tables(WorkspaceSettings.model_validate(SETTINGS), folder)
    measures = load_detectors({}).asking(with_views(schema_of(tables))).measures
    summary = Engine(tables, folder / "state").profile(measures)
    assert not summary.skipped, summary.skipped
    return {"rows": summary.n_rows_read, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def run(rows: int | None, *, quick: bool) -> None:
    """Half the rows and all of them, in one file and in several; print the peaks."""
    n_rows = rows or (400_000 if quick else 10_000_000)
    file_rows = min(FILE_ROWS, max(1, n_rows // 4))
    for name, size in (("one file", None), (f"files of {file_rows:,}", file_rows)):
        half, whole = _peak(n_rows // 2, size), _peak(n_rows, size)
        kept = "met" if whole <= BUDGET_MIB else "MISSED"
        flat = "met" if whole / half <= BUDGET_GROWTH else "MISSED"
        print(
            f"  {name:20} {n_rows // 2:>12,} rows: {half:6.0f} MiB   {n_rows:>12,} rows: {whole:6.0f} MiB", flush=True
        )
        print(
            f"  {'':20} {whole / half:.2f} x, budget {BUDGET_GROWTH} x: {flat}; budget {BUDGET_MIB} MiB: {kept}",
            flush=True,
        )


def _peak(n_rows: int, file_rows: int | None) -> float:
    """Write so many rows, count them in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for day, first in enumerate(range(0, n_rows, file_rows or n_rows)):
            own = min(file_rows or n_rows, n_rows - first)
            write(folder / "candidates" / f"day={day:03d}" / "part-0.parquet", own, day=day)
        words = [sys.executable, "-m", "benchmarks.memory", name]
        done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["rows"] == n_rows, told
    return float(told["peak_mib"])


if __name__ == "__main__":
    print(json.dumps(count(Path(sys.argv[1]))))
