"""One run at a time; the lock dies with its holder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from recsysops.errors import LockHeldError, StateError
from recsysops.incidents.lock import workspace_lock

HOLD = """
import sys, time
from pathlib import Path
from recsysops.incidents.lock import workspace_lock
with workspace_lock(Path(sys.argv[1]), "detect"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_run_is_told_who_holds_it_and_death_frees_it(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LockHeldError, match=f"`detect` running as process {holder.pid} since 2"):
            workspace_lock(tmp_path, "detect").__enter__()
        os.kill(holder.pid, signal.SIGKILL)
    with workspace_lock(tmp_path, "detect"):
        pass


def test_the_lock_is_let_go_of_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), workspace_lock(tmp_path, "detect"):
        raise KeyboardInterrupt
    with workspace_lock(tmp_path, "check"), pytest.raises(LockHeldError, match="`check`"):
        workspace_lock(tmp_path, "detect").__enter__()


def test_a_lock_that_says_nothing_is_still_held(tmp_path: Path) -> None:
    with workspace_lock(tmp_path, "detect"):
        (tmp_path / "lock").write_text("garbage")
        with pytest.raises(LockHeldError, match="found another run"):
            workspace_lock(tmp_path, "detect").__enter__()


def test_an_unwritable_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="permissions"):
        workspace_lock(tmp_path / "file", "detect").__enter__()
