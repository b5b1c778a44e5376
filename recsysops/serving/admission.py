"""The request path: hash, decide, and put what is kept into a bounded queue. Nothing here waits, raises or copies.

Counts and queues are touched by single operations that the interpreter does not interrupt, so threads need no lock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta

from recsysops.serving.counters import ACCEPTED, DROPPED, MALFORMED, OFFERED, PASSED_OVER, PROMOTED, Tallies
from recsysops.serving.log_rows import Kept
from recsysops.serving.logger_settings import LoggerSettings
from recsysops.serving.member_ids import keyed_id
from recsysops.serving.plan import SamplingPlan
from recsysops.serving.problems import Problems
from recsysops.serving.sampler import EPOCH, Sampler
from recsysops.serving.served_request import ServedRequest
from recsysops.serving.waiting import Entry, Waiting

_MICROSECOND = timedelta(microseconds=1)
_LAST_US = 1 << 63


class Admission:
    """What one process offers to its log.

    Args:
        clock: nanoseconds since 1970.
    """

    def __init__(
        self,
        plan: SamplingPlan,
        settings: LoggerSettings,
        member_key: bytes | None,
        tallies: Tallies,
        problems: Problems,
        clock: Callable[[], int],
    ) -> None:
        self.queue: deque[Kept] = deque()
        self._size = settings.queue_size
        self._waiting = Waiting(settings.n_waiting) if settings.n_waiting else None
        self._wait_us = int(settings.wait_seconds * 1e6)
        self._member_key = member_key
        self._tallies = tallies
        self._problems = problems
        self._clock = clock
        self._sampler = Sampler(plan, self._now_us())

    def follow(self, plan: SamplingPlan) -> None:
        """Decide by another plan from now on."""
        self._sampler = self._sampler.renewed(plan, self._now_us())

    def offer(self, request: ServedRequest) -> None:
        """Count a request, and decide it or let it wait."""
        row = self._tallies.row()
        row[OFFERED] += 1
        try:
            waiting = self._waiting
            if waiting is None:
                self._decide(request, self._now_us(), (), row)
            elif (leaving := waiting.enter(request, self._now_us())) is not None:
                self._let_go(leaving, row)
        except Exception as error:
            self._refuse(error, row)

    def played(self, request_id: str, item_id: str) -> bool:
        """Note an outcome; whether its request was still waiting."""
        waiting = self._waiting
        return waiting is not None and waiting.played(request_id, item_id)

    def let_go(self) -> None:
        """Decide those that have waited long enough, as many as the queue takes; not for the request path."""
        due_us = self._now_us() - self._wait_us
        waiting = self._waiting
        while waiting is not None and len(self.queue) < self._size:
            entry = waiting.leaving(due_us)
            if entry is None:
                return
            self._let_go(entry, self._tallies.row())

    def close(self, make_room: Callable[[], object]) -> None:
        """Decide all that wait, and admit nothing from then on.

        Args:
            make_room: called whenever the queue is full.
        """
        waiting, self._waiting = self._waiting, None
        while waiting is not None and (entry := waiting.leaving(_LAST_US)) is not None:
            if len(self.queue) >= self._size:
                make_room()
            self._let_go(entry, self._tallies.row())
        self._size = 0

    def _let_go(self, entry: Entry, row: memoryview) -> None:
        try:
            self._decide(entry.request, entry.entered_us, entry.played, row)
        except Exception as error:
            self._refuse(error, row)

    def _decide(self, request: ServedRequest, offered_us: int, played: Sequence[str], row: memoryview) -> None:
        now_us = self._now_us()
        ts_us = offered_us if request.ts is None else (request.ts - EPOCH) // _MICROSECOND
        sampler = self._sampler
        if sampler.valid_until_us is not None and now_us >= sampler.valid_until_us:
            sampler = self._sampler = sampler.renewed(sampler.plan, now_us)
        member = self._name(request.member_id) if sampler.asks_for_member else None
        decision = sampler.decide(request, ts_us, member, played, now_us=now_us)
        if decision is None:
            row[PASSED_OVER] += 1
        elif len(self.queue) >= self._size:
            row[DROPPED] += 1
        else:
            kept = Kept(request, decision, ts_us, member or self._name(request.member_id))
            row[ACCEPTED] += 1
            row[PROMOTED] += decision.is_promoted
            self.queue.append(kept)

    def _refuse(self, error: Exception, row: memoryview) -> None:
        self._problems.note(error, "logging")
        row[MALFORMED] += 1

    def _name(self, member_id: str | None) -> str | None:
        return member_id if member_id is None or self._member_key is None else keyed_id(member_id, self._member_key)

    def _now_us(self) -> int:
        return self._clock() // 1000
