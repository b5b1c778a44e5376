"""Whether the state folder lies where SQLite's locks work."""

from __future__ import annotations

import os
import re
from pathlib import Path

from recsysops.inspection.report import Problem

NETWORK_TYPES = frozenset(
    {"nfs", "nfs4", "cifs", "smb", "smb3", "smbfs", "fuse.sshfs", "9p", "afs", "ceph", "glusterfs"}
)
MOUNTS = Path("/proc/mounts")


def read_mounts() -> str:
    """The mount table of this machine; empty where there is none to read."""
    try:
        return MOUNTS.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def state_problems(folder: Path, mounts: str) -> list[Problem]:
    """Refuse SQLite on a network file system, and a folder that cannot be written.

    Args:
        folder: the state folder; it need not exist yet.
        mounts: text in the form of ``/proc/mounts``.
    """
    where = f"state {folder}"
    kind = filesystem_of(folder, mounts)
    if kind in NETWORK_TYPES:
        return [
            Problem(
                "error",
                where,
                f"a network file system ({kind})",
                "a local folder: SQLite's locks do not hold there",
                "set state: to a local path",
            )
        ]
    nearest = next((each for each in (folder, *folder.parents) if each.exists()), folder)
    if not nearest.is_dir():
        return [Problem("error", where, f"{nearest} is a file", "a folder", "set state: to another path")]
    if not os.access(nearest, os.W_OK | os.X_OK):
        return [Problem("error", where, f"no permission to write in {nearest}", "a writable folder", "correct it")]
    return []


def filesystem_of(folder: Path, mounts: str) -> str:
    """Type of the file system that holds the folder: that of the longest mount point above it ("" when unknown)."""
    target = Path(os.path.realpath(folder))
    best, kind = -1, ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[1]))
        if (target == point or point in target.parents) and len(point.parts) >= best:
            best, kind = len(point.parts), fields[2]
    return kind
