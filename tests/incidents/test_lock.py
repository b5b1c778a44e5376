"""One run at a time; the lock dies with its holder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from recsysops.errors import ConfigError, LockHeldError, StateError
from recsysops.incidents.location import StateLocation
from recsysops.incidents.lock import workspace_lock
from recsysops.incidents.state import State

HOLD = """
import sys, time
from pathlib import Path
from recsysops.incidents.location import StateLocation
from recsysops.incidents.lock import workspace_lock
with workspace_lock(StateLocation(Path(sys.argv[1]), *sys.argv[2:]), "detect"):
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


def test_on_a_server_other_machines_are_kept_out_too(server: StateLocation, tmp_path: Path) -> None:
    """Another folder stands for another machine."""
    other = replace(server, folder=tmp_path / "elsewhere")
    command = [sys.executable, "-c", HOLD, str(server.folder), server.url, server.namespace]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LockHeldError, match=f"`detect` running as .*:{holder.pid} since 2") as caught:
            workspace_lock(other, "detect").__enter__()
        assert "\n" not in str(caught.value)
        with workspace_lock(other, "detect", "notify"), workspace_lock(replace(other, namespace="another"), "detect"):
            pass
        os.kill(holder.pid, signal.SIGKILL)
    for _ in range(100):  # the server notices the end of a connection by itself, not at once
        try:
            with workspace_lock(other, "detect"):
                return
        except LockHeldError:
            time.sleep(0.05)
    pytest.fail("the lock outlived its holder")


def test_a_server_out_of_reach_and_a_broken_url_are_one_line_without_the_password(tmp_path: Path) -> None:
    gone = StateLocation(tmp_path, f"postgresql://team:secret@/postgres?host={tmp_path}")
    with pytest.raises(StateError, match=r"team:\*\*\*@") as caught, workspace_lock(gone, "detect"):
        pass
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    with (
        pytest.raises(ConfigError, match=r"state\.url") as refused,
        workspace_lock(replace(gone, url="postgres://a:secret@h:x/"), "x"),
    ):
        pass
    assert "secret" not in str(refused.value)
    with pytest.raises(StateError, match=r"team:\*\*\*@"):
        State(gone)
