"""``kill -9`` at random moments of ``detect``: the next run completes what the killed one began."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from recsysops import Workspace, sample_logs
from recsysops.cli import main

N_KILLS = 50
pytestmark = pytest.mark.slow


def remembered(root: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The state but for the log of runs, which tells of the kills."""
    with closing(sqlite3.connect(Workspace(root).state / "state.db")) as connection:
        return {
            "days": connection.execute("SELECT day, detectors, data FROM judged_days ORDER BY day").fetchall(),
            "findings": connection.execute("SELECT * FROM findings ORDER BY id").fetchall(),
            "finding_days": connection.execute("SELECT * FROM finding_days ORDER BY finding, day").fetchall(),
            "incidents": connection.execute("SELECT * FROM incidents ORDER BY id").fetchall(),
        }


@pytest.fixture(scope="module")
def workspaces(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """One that is judged in peace, one for the kills."""
    folder = tmp_path_factory.mktemp("kills")
    roots = folder / "calm" / "shop", folder / "killed" / "shop"
    for root in roots:
        shutil.copytree(sample_logs.path("open_bandit"), root, ignore=shutil.ignore_patterns("*.py", "*.md"))
        tables = [str(root / table) for table in ("candidates", "outcomes", "items")]
        assert main(["init", *tables, "-w", str(root), "--quiet"]) == 0
    Workspace(roots[0]).detect()
    return roots


def test_fifty_kills_leave_a_workspace_that_the_next_run_completes(workspaces: tuple[Path, Path]) -> None:
    calm, killed = workspaces
    chance = random.Random(11)
    n_killed = 0
    for number in range(N_KILLS):
        if number % 10 == 9:
            shutil.rmtree(Workspace(killed).state)  # begin anew, so that early moments are hit again
        command = [sys.executable, "-m", "recsysops", "detect", "--since", "90d", "-w", str(killed), "--quiet"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as run:
            try:
                run.wait(chance.uniform(0.3, 12))
            except subprocess.TimeoutExpired:
                run.kill()
                n_killed += 1
            else:
                assert run.returncode in {0, 1, 6}, run.stderr.read() if run.stderr else ""
    assert n_killed > N_KILLS // 4
    Workspace(killed).detect()
    Workspace(killed).detect(since="90d")
    assert remembered(killed) == remembered(calm)
