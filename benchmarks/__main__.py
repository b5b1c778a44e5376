"""``python -m benchmarks``: each benchmark in turn.

python -m benchmarks --only cells --rows 2000000
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from importlib import import_module

from benchmarks.measuring import machine

NAMES = (
    "start_up",
    "cells",
    "everything",
    "memory",
    "daily_run",
    "rivals",
    "clean_alarms",
    "power",
    "world",
    "serving_log",
    "spark",
    "labelled_anomalies",
    "evidently_card",
)


def main() -> None:
    """Read the words, run what was asked for."""
    parser = argparse.ArgumentParser(prog="benchmarks", description="Ratios measured in one run.")
    parser.add_argument("--only", choices=NAMES, action="append", help="this benchmark; may be repeated")
    parser.add_argument("--rows", type=int, help="rows of a day, where a benchmark has rows")
    parser.add_argument("--quick", action="store_true", help="small data, few turns")
    given = parser.parse_args()
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine()}", flush=True)
    for name in given.only or NAMES:
        module = import_module(f"benchmarks.{name}")
        print(f"\n{name}: {(module.__doc__ or '').partition(chr(10))[0]}", flush=True)
        started = time.perf_counter()
        module.run(given.rows, quick=given.quick)
        print(f"  ({time.perf_counter() - started:.0f} s in all)", flush=True)


if __name__ == "__main__":
    main()
