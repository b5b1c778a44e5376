"""A process ends or forks: what its loggers do then."""

from __future__ import annotations

import atexit
import os
import weakref
from typing import Protocol


class LivesInProcess(Protocol):
    """Something with a thread and a file that belong to one process."""

    def close(self) -> None:
        """The process ends: write what there is."""

    def forked(self) -> None:
        """This is the child of a fork: neither thread nor file are its own."""


LIVE: weakref.WeakSet[LivesInProcess] = weakref.WeakSet()
"""Open loggers of this process."""


def _close_all() -> None:
    for one in list(LIVE):
        one.close()


def _after_fork() -> None:
    for one in list(LIVE):
        one.forked()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_after_fork)
