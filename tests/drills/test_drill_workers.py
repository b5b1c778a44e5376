"""Worker processes: one thread each, gone with their parent, and a killed one is a known error."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from recsysops.drills.scorecard.batch import outcome
from recsysops.drills.scorecard.workers import ONE_THREAD, submit, workers
from recsysops.errors import StateError

N_PATIENCE = 600
"""Tenths of a second."""
ORPHANS = """
import os, time
from recsysops.drills.scorecard.workers import workers
if __name__ == "__main__":
    with workers(1) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        time.sleep(600)
"""


def is_there(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return "Z" not in state  # it has ended, and nobody has asked how


def test_workers_have_one_thread_each_and_the_environment_is_put_back() -> None:
    before = dict(os.environ)
    with workers(1) as pool:
        assert [submit(pool, os.getenv, name).result() for name in ONE_THREAD] == ["1"] * len(ONE_THREAD)
    assert dict(os.environ) == before


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes through /proc")
def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "orphans.py"
    script.write_text(ORPHANS, encoding="utf-8")
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        assert is_there(worker)
        parent.send_signal(signal.SIGKILL)
    for _ in range(N_PATIENCE):
        if not is_there(worker):
            break
        time.sleep(0.1)
    assert not is_there(worker)


def test_a_killed_worker_is_told_in_one_line() -> None:
    with workers(1) as pool:
        future = pool.submit(os._exit, 9)
        with pytest.raises(StateError, match=r"a worker process that was killed.*goes on where it was"):
            outcome(future)  # type: ignore[arg-type]
