"""A workspace that goes its own way from a day on, and shares with the original what neither will write to again."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from recsysops.errors import SourceError
from recsysops.incidents.lock import FILE_NAME as LOCK_FILE
from recsysops.incidents.sqlite_database import FILE_NAME as STATE_FILE

LINKED = ".parquet"
"""Logs and profiles are put in place whole, never written in place, so that a link to them stays as it is."""
_LEFT_OUT = frozenset({LOCK_FILE, f"{STATE_FILE}-wal", f"{STATE_FILE}-shm"})
_NO_LINKS = frozenset({errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP})


def fork(original: Path, copy: Path) -> None:
    """Make ``copy`` the same workspace as ``original`` is now.

    Parquet files are hard links (so they keep their time, and nothing is counted again), the state database is copied
    through SQLite, everything else byte by byte. Locks, half-written files and links out of the folder are left out.

    Args:
        original: a workspace in which no run is under way.
        copy: a folder that does not exist yet.

    Raises:
        SourceError: if there is no original, or the copy exists.
    """
    if not original.is_dir():
        raise SourceError(str(original), found="no folder", expected="a workspace to fork")
    if copy.exists():
        raise SourceError(str(copy), found="a folder", expected="a new one", next_step="remove it, or name another")
    _fork_folder(original, copy)


def _fork_folder(original: Path, copy: Path) -> None:
    copy.mkdir(parents=True)
    with os.scandir(original) as entries:
        for entry in entries:
            target = copy / entry.name
            if entry.is_dir(follow_symlinks=False):
                _fork_folder(Path(entry.path), target)
            elif entry.is_file(follow_symlinks=False) and entry.name not in _LEFT_OUT:
                _fork_file(Path(entry.path), target)


def _fork_file(original: Path, copy: Path) -> None:
    if original.name == STATE_FILE:
        with closing(sqlite3.connect(original)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
    elif original.suffix != LINKED:
        shutil.copy2(original, copy)
    elif not original.name.startswith("."):
        _link(original, copy)


def _link(original: Path, copy: Path) -> None:
    """A hard link, or a copy of the same age where the file system has no links."""
    try:
        os.link(original, copy)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copy2(original, copy)
