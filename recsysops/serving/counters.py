"""Counts that survive the process: what was offered, dropped and written, in a file mapped into memory.

The kernel keeps a mapped page when its process is killed, so that afterwards everyone can see how many accepted requests never
reached a file. Each thread counts in a row of its own; nothing is locked on the request path. A process leaves 16 KiB below
``counts/``, which may be deleted once they have been read.
"""

from __future__ import annotations

import fcntl
import mmap
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import get_ident
from typing import IO

import numpy as np

OFFERED, PASSED_OVER, DROPPED, MALFORMED, ACCEPTED, PROMOTED, UNWRITABLE, WRITTEN = range(8)
N_THREADS = 256
"""Rows; threads beyond share the last one, where two may count one request as one."""
_HEAD = b"recsysops counts 1".ljust(64, b"\n")
_BYTES = len(_HEAD) + N_THREADS * 64
SUFFIX = ".counts"


@dataclass(frozen=True)
class Counts:
    """Requests by what became of them."""

    n_offered: int = 0
    n_passed_over: int = 0
    """The sample did not want them."""
    n_dropped: int = 0
    """The queue was full."""
    n_malformed: int = 0
    """They could not be looked at."""
    n_accepted: int = 0
    n_promoted: int = 0
    """Of the accepted, those with an outcome on a low-ranked item."""
    n_unwritable: int = 0
    """Of the accepted, those that did not fit the schema or whose file could not be written."""
    n_written: int = 0
    """Of the accepted, those that are whole on disk."""

    @property
    def n_waiting(self) -> int:
        """Requests that wait for outcomes and are not decided yet."""
        return self.n_offered - self.n_passed_over - self.n_dropped - self.n_malformed - self.n_accepted

    @property
    def n_pending(self) -> int:
        """Accepted requests that are in memory only."""
        return self.n_accepted - self.n_unwritable - self.n_written


@dataclass(frozen=True)
class ProcessCounts:
    """What a process has counted, or had when it ended."""

    process: str
    counts: Counts
    is_running: bool

    @property
    def n_lost(self) -> int:
        """Accepted requests that died with the process before they were written; 0 while it runs."""
        return 0 if self.is_running else self.counts.n_pending

    @property
    def n_undecided(self) -> int:
        """Requests that still waited for outcomes when the process died; 0 while it runs."""
        return 0 if self.is_running else self.counts.n_waiting


class Tallies:
    """A process's counts, in memory or in a file whose lock says that the process lives.

    Args:
        path: the file to make; None, or one that cannot be made: in memory.
    """

    def __init__(self, path: Path | None) -> None:
        self._lock, self._memory = _mapped(path)
        self._cells = memoryview(self._memory)[len(_HEAD) :].cast("q")
        self._rows: dict[int, memoryview] = {}
        self._number = count()

    def row(self) -> memoryview:
        """The calling thread's own counts, (8,): ``row[OFFERED] += 1``."""
        return self._rows.get(get_ident()) or self._claim()

    def counts(self) -> Counts:
        """The sum over all threads."""
        return Counts(*(int(n) for n in np.asarray(self._cells).reshape(-1, 8).sum(axis=0)))

    def sync(self) -> None:
        """Bring the counts to disk, against a loss of power; a kill does not need it."""
        self._memory.flush()

    def release(self) -> None:
        """Give up the lock: the process has ended, or is another one since a fork."""
        if self._lock is not None:
            self._lock.close()

    def _claim(self) -> memoryview:
        number = min(next(self._number), N_THREADS - 1)
        row = self._cells[number * 8 : number * 8 + 8]
        self._rows[get_ident()] = row
        return row


def read_counts(folder: Path) -> tuple[ProcessCounts, ...]:
    """What every process that logged below a folder has counted, also those that were killed.

    Args:
        folder: the logger's folder.

    Raises:
        ValueError: for a file that is not a logger's.
    """
    return tuple(_read(path) for path in sorted((folder / "counts").glob(f"*{SUFFIX}")))


def has_ended(folder: Path, process: str) -> bool:
    """Whether a process is known to have ended: its counts are there, and nobody holds them."""
    try:
        with (folder / "counts" / f"{process}{SUFFIX}").open("rb") as stream:
            return not _is_held(stream)
    except OSError:
        return False


def _read(path: Path) -> ProcessCounts:
    with path.open("rb") as stream:
        held = _is_held(stream)
        content = stream.read(_BYTES + 1)
    if len(content) != _BYTES or not content.startswith(_HEAD):
        raise ValueError(f"{path.name}: found {len(content)} bytes, expected the {_BYTES} of a logger's counts")
    cells = np.frombuffer(content, np.int64, offset=len(_HEAD)).reshape(-1, 8)
    return ProcessCounts(path.stem, Counts(*(int(n) for n in cells.sum(axis=0))), held)


def _is_held(stream: IO[bytes]) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    return False  # closing the stream gives the lock back


def _mapped(path: Path | None) -> tuple[IO[bytes] | None, mmap.mmap]:
    """(what holds the lock, the memory); without a lock, and in memory alone, where no file can be made."""
    if path is None:
        return None, mmap.mmap(-1, _BYTES)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x+b") as stream:
            stream.write(_HEAD.ljust(_BYTES, b"\0"))
            stream.flush()
            memory = mmap.mmap(stream.fileno(), _BYTES)  # keeps the file open, so another opening of it has the lock
        lock = path.open("rb")
        fcntl.flock(lock, fcntl.LOCK_EX)  # a reader may be looking at it, for microseconds
    except OSError:
        return None, mmap.mmap(-1, _BYTES)
    return lock, memory
