"""The writer's thread: takes kept requests from the queue, encodes them, and writes files when they are due."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from threading import Event, Thread

from recsysops.serving.counters import UNWRITABLE, WRITTEN, Tallies
from recsysops.serving.log_folder import LogFolder
from recsysops.serving.log_rows import Kept
from recsysops.serving.problems import Problems

TICK_SECONDS = 0.05
CHUNK = 32
"""Requests encoded at a time; between chunks the request path has its turn."""


class LogWriter:
    """A daemon thread over one queue and one folder.

    Args:
        queue: what request threads append to.
        on_tick: called about twenty times a second, for what else is due.
        rotate_rows, rotate_seconds: a file is written when it has so many rows or its first rows are so old.
    """

    def __init__(
        self,
        queue: deque[Kept],
        files: LogFolder,
        tallies: Tallies,
        problems: Problems,
        on_tick: Callable[[], object],
        *,
        rotate_rows: int,
        rotate_seconds: float,
    ) -> None:
        self._queue = queue
        self._files = files
        self._tallies = tallies
        self._problems = problems
        self._on_tick = on_tick
        self._rotate_rows = rotate_rows
        self._rotate_seconds = rotate_seconds
        self._oldest: float | None = None
        self._wake = Event()
        self._is_stopping = False
        self._flushes: deque[Event] = deque()
        self._thread = Thread(target=self._run, name="recsysops-serving-log", daemon=True)
        self._thread.start()

    def flush(self, timeout_seconds: float) -> bool:
        """Have everything accepted so far written; whether that was done in time."""
        done = Event()
        self._flushes.append(done)
        self._wake.set()
        return done.wait(timeout_seconds)

    def stop(self, timeout_seconds: float) -> None:
        """Write what there is and end the thread."""
        self._is_stopping = True
        self._wake.set()
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        self._guarded(self._files.remove_remains, "removing what is left of files")
        while not self._is_stopping:
            self._wake.wait(TICK_SECONDS)
            self._wake.clear()
            self._turn()
        self._turn()
        self._guarded(self._write, "writing")

    def _turn(self) -> None:
        asked = [self._flushes.popleft() for _ in range(len(self._flushes))]
        self._guarded(self._on_tick, "looking after the plan")
        for _ in range(len(self._queue) // CHUNK + 1):  # no more than there are now: a flush must end
            self._take()
            if self._is_due():
                self._guarded(self._write, "writing")
        if asked:
            self._guarded(self._write, "writing")
        for done in asked:
            done.set()
        self._guarded(lambda: self._problems.say(time.monotonic()), "warning")

    def _take(self) -> None:
        chunk: list[Kept] = []
        while self._queue and len(chunk) < CHUNK:
            chunk.append(self._queue.popleft())
        if not chunk:
            return
        if self._oldest is None:
            self._oldest = time.monotonic()
        try:
            n_bad = self._files.add(chunk)
        except Exception as error:  # out of memory, say
            self._problems.note(error, "encoding")
            n_bad = len(chunk)
        self._tallies.row()[UNWRITABLE] += n_bad
        time.sleep(0)

    def _is_due(self) -> bool:
        is_old = self._oldest is not None and time.monotonic() - self._oldest >= self._rotate_seconds
        return is_old or self._files.n_rows >= self._rotate_rows

    def _write(self) -> None:
        self._oldest = None
        n_written, n_lost = self._files.flush()
        row = self._tallies.row()
        row[WRITTEN] += n_written
        row[UNWRITABLE] += n_lost
        self._tallies.sync()

    def _guarded(self, do: Callable[[], object], doing: str) -> None:
        """The thread outlives whatever happens."""
        try:
            do()
        except Exception as error:
            self._problems.note(error, doing)
