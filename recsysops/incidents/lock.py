"""One run at a time per workspace: a lock that the system lets go of when its holder dies."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from recsysops.errors import LockHeldError, StateError
from recsysops.incidents.location import StateLocation

FILE_NAME = "lock"


@contextmanager
def workspace_lock(state: Path | StateLocation, verb: str, name: str = FILE_NAME) -> Iterator[None]:
    """Hold the workspace for the length of the block; another ``name`` is another lock.

    With a state on a server, runs on other machines are kept out too.

    Raises:
        LockHeldError: at once, if another run holds it; names its process, verb and start.
        StateError: if the state folder cannot be written to.
    """
    location = state if isinstance(state, StateLocation) else StateLocation(state)
    with _folder_lock(location.folder, verb, name):
        if not location.is_server:
            yield
            return
        from recsysops.incidents.server_lock import server_lock

        with server_lock(location, verb, name):
            yield


@contextmanager
def _folder_lock(state: Path, verb: str, name: str) -> Iterator[None]:
    path = state / name
    try:
        state.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StateError(str(path), found=reason, next_step="check the state folder's permissions") from None
    try:
        _acquire(descriptor, path)
        _sign(descriptor, verb)
        yield
    finally:
        os.close(descriptor)  # lets go of the lock; the file stays, so that nobody locks a removed one


def _acquire(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise LockHeldError(
            str(path), found=_holder(descriptor), expected="no other run", next_step="wait until it has ended"
        ) from None


def _sign(descriptor: int, verb: str) -> None:
    started = datetime.now(UTC).isoformat(timespec="seconds")
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "started": started, "verb": verb}).encode(), 0)


def _holder(descriptor: int) -> str:
    try:
        holder = json.loads(os.pread(descriptor, 1000, 0))
        return f"`{holder['verb']}` running as process {holder['pid']} since {holder['started']}"
    except (ValueError, KeyError, TypeError):
        return "another run"
