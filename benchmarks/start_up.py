"""``recsysops --help`` and ``recsysops detectors list`` against a bare ``import typer``, as whole processes."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.measuring import alternate_processes, show

BUDGET = 4.0


def run(rows: int | None, *, quick: bool) -> None:
    """Measure and print; there are no rows."""
    recsysops = str(Path(sys.executable).with_name("recsysops"))
    commands = {
        "python -c 'import typer'": [sys.executable, "-c", "import typer"],
        "recsysops --help": [recsysops, "--help"],
        "recsysops detectors list": [recsysops, "detectors", "list"],
    }
    measured = alternate_processes(commands, 3 if quick else 21)
    show(measured, next(iter(commands)), dict.fromkeys(list(commands)[1:], BUDGET))
