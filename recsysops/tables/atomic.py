"""Files are written whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path


def write_atomically(path: Path, writer: Callable[[Path], object]) -> None:
    """Let ``writer`` make a temporary file beside ``path``, then put it in place: readers see the old file or the new.

    Missing parent folders are made. The file and its folder are synced to disk; if the writer fails, nothing remains.

    Args:
        path: the file to make or replace.
        writer: called with the temporary path, which does not exist yet, begins with a dot and keeps the suffix.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".{path.stem[:80]}-{os.getpid()}-{secrets.token_hex(4)}{path.suffix}"
    try:
        writer(temporary)
        sync(temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync(path.parent)


def sync(path: Path) -> None:
    """Force a file's bytes, or a folder's list of names, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
