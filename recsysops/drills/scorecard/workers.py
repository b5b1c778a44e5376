"""Worker processes that live as long as the drill, each on one core, and end with the process that started them."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from typing import TypeVar

Argument = TypeVar("Argument")
Answer = TypeVar("Answer")

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "ARROW_NUM_THREADS")
"""Read by libraries when they are loaded: with a process per core, more threads only get in one another's way."""


@contextmanager
def workers(n: int) -> Iterator[ProcessPoolExecutor]:
    """A pool of ``n`` fresh processes; when the block is left by an error, what has not begun is not begun.

    Ctrl-C ends the workers at once: their files are written whole or not at all.
    """
    with _environment(dict.fromkeys(ONE_THREAD, "1")):
        pool = ProcessPoolExecutor(n, mp_context=get_context("spawn"), initializer=_begin)
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        pool.shutdown()


def submit(pool: ProcessPoolExecutor, function: Callable[[Argument], Answer], argument: Argument) -> Future[Answer]:
    """Have the work done by the pool, which may start a process for it.

    A process begins with Ctrl-C held back, so that one that is still loading libraries ends without a traceback too.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return pool.submit(function, argument)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
