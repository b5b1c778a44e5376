"""A drill that is killed, or interrupted with Ctrl-C, goes on where it was and comes to the same card."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from small_service import Holes, SmallService, SmallSize, small_site

from recsysops.drills.scorecard.plan import DrillPlan
from recsysops.drills.scorecard.rig import Rig
from recsysops.drills.scorecard.run import run_drill
from recsysops.drills.scorecard.stored_trials import read_trial

pytestmark = pytest.mark.slow
PLAN = DrillPlan(
    (Holes,), SmallSize(n_requests=100), multiples=(0.1, 0.2, 0.4, 0.8, 1.6, 3.2), seeds=(0,), jobs=2, n_clean_days=16
)
N_PATIENCE = 3_000
"""Tenths of a second."""
SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_drill_kills import PLAN, RIG
from recsysops.drills.scorecard.run import run_drill
if __name__ == "__main__":
    try:
        run_drill(PLAN, Path(sys.argv[2]), rig=RIG)
    except KeyboardInterrupt:
        sys.exit(130)
"""
RIG = Rig(SmallService, small_site)


def kept(folder: Path) -> list[Path]:
    return sorted((folder / "trials").glob("*.json"))


def started(folder: Path, script: Path) -> subprocess.Popen[str]:
    script.write_text(SCRIPT, encoding="utf-8")
    command = [sys.executable, str(script), str(Path(__file__).parent), str(folder)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)


def wait_for_a_trial(folder: Path, drill: subprocess.Popen[str]) -> None:
    for _ in range(N_PATIENCE):
        if kept(folder) or drill.poll() is not None:
            return
        time.sleep(0.1)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_what_was_finished_stays_and_the_rest_is_done_the_next_time(how: signal.Signals, tmp_path: Path) -> None:
    folder = tmp_path / "drill"
    with started(folder, tmp_path / "drill.py") as drill:
        wait_for_a_trial(folder, drill)
        assert drill.poll() is None, drill.communicate()[1]
        os.killpg(drill.pid, how)  # as a terminal does
        _, said = drill.communicate()
    assert drill.returncode == (130 if how == signal.SIGINT else -signal.SIGKILL)
    assert "Traceback" not in said, said
    before = {path: read_trial(path) for path in kept(folder)}
    assert before
    assert None not in before.values()
    assert len(before) < 6
    card = run_drill(PLAN, folder, rig=RIG)
    after = {path: read_trial(path) for path in kept(folder)}
    assert len(after) == 6
    assert before.items() <= after.items()
    assert not any((folder / "forks").glob("*"))
    calm = run_drill(PLAN, tmp_path / "calm", rig=RIG)
    assert replace(card, seconds=0) == replace(calm, seconds=0)
