"""Every benchmark runs at a tiny size and says what it is there to say; no time is asserted."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAYS = {
    "start_up": r"recsysops --help .* x   budget 4 x",
    "cells": r"cells .* x   budget 2 x",
    "everything": r"every measure .* x   budget 5 x",
    "daily_run": r"a day after 5 days .* x   budget 1\.2 x",
    "clean_alarms": r"pages per 30 days .*budget 1",
    "labelled_anomalies": r"Nile.* metric_forecast .*found \d of 1",
}


@pytest.mark.parametrize("name", SAYS)
def test_benchmark_prints_its_ratio(name: str) -> None:
    words = ["--only", name, "--quick", "--rows", "500"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert re.search(SAYS[name], done.stdout), done.stdout


def test_an_unknown_benchmark_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--only", "everthing"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "start_up" in done.stderr


@pytest.mark.slow
def test_power_and_rivals_run() -> None:
    words = ["--only", "power", "--only", "rivals", "--quick", "--rows", "2000"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "shift of 0.09 sd" in done.stdout
    assert re.search(r"Evidently DataDriftPreset .* x", done.stdout)
