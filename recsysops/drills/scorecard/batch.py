"""Works handed to the pool and waited for, with progress: clean runs by their days, trials one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from recsysops.drills.scorecard.work import SeedWork, Work, do
from recsysops.drills.scorecard.workers import submit
from recsysops.engines.progress import Progress
from recsysops.errors import StateError

_TICK_SECONDS = 1.0


def prepare_all(pool: ProcessPoolExecutor, seeds: Sequence[SeedWork], what: str, progress: Progress) -> list[str]:
    """Make the clean runs that are missing; what went wrong, a line each.

    Args:
        what: the work in words, for the progress.
    """
    missing = [seed for seed in seeds if seed.finished() is None]
    if not missing:
        return []
    for seed in missing:
        seed.folder.n_done.unlink(missing_ok=True)
    progress.start(what, sum(seed.wanted.n_days for seed in missing))
    failed, told = [], 0
    pending = {submit(pool, do, seed) for seed in missing}
    while pending:
        done, pending = wait(pending, timeout=_TICK_SECONDS, return_when=FIRST_COMPLETED)
        failed += [why for why in map(outcome, done) if why]
        n_done = max(told, sum(seed.folder.days_done() for seed in missing))
        progress.advance(n_done - told)
        told = n_done
    progress.finish()
    return failed


def try_all(pool: ProcessPoolExecutor, todo: Sequence[Work], n_trials: int, progress: Progress) -> list[str]:
    """Run the trials that are left of ``n_trials``; what went wrong, a line each."""
    progress.start("trials", n_trials)
    progress.advance(n_trials - len(todo))
    failed = []
    for why in _ended(pool, todo):
        progress.advance()
        failed += [why] if why else []
    progress.finish()
    return failed


def _ended(pool: ProcessPoolExecutor, works: Sequence[Work]) -> Iterator[str]:
    """What went wrong with each, "" for nothing, as they end."""
    pending = {submit(pool, do, work) for work in works}
    while pending:
        done, pending = wait(pending, return_when=FIRST_COMPLETED)
        yield from map(outcome, done)


def outcome(future: Future[str]) -> str:
    """What went wrong with a work that has ended.

    Raises:
        StateError: if its process was killed.
    """
    try:
        return future.result()
    except BrokenProcessPool:
        raise StateError(
            "drill",
            found="a worker process that was killed",
            expected="it to end by itself",
            next_step="run the command again, it goes on where it was; with --jobs 1 if memory was short",
        ) from None
