"""Requests that wait for their outcomes before it is decided whether they are logged.

Deciding late is what keeps the logged probability true: a request whose low-ranked item was played is kept with probability 1,
whether or not its hash would have kept it anyway.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from recsysops.serving.served_request import ServedRequest


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A request that waits."""

    request: ServedRequest
    entered_us: int
    played: list[str] = field(default_factory=list)


class Waiting:
    """A bounded ring: whoever enters a full one makes the oldest leave.

    Every step is one operation of a deque or dict, so that threads need no lock.
    """

    def __init__(self, n_requests: int) -> None:
        self._n_requests = n_requests
        self._order: deque[Entry] = deque()
        self._by_id: dict[str, Entry] = {}

    def __len__(self) -> int:
        return len(self._order)

    def enter(self, request: ServedRequest, now_us: int) -> Entry | None:
        """Take a request in; gives the one that has to leave for it."""
        entry = Entry(request, now_us)
        self._by_id[request.request_id] = entry
        self._order.append(entry)
        return self._oldest() if len(self._order) > self._n_requests else None

    def played(self, request_id: str, item_id: str) -> bool:
        """Note an outcome; whether the request was still waiting."""
        entry = self._by_id.get(request_id)
        if entry is None:
            return False
        entry.played.append(item_id)
        return True

    def leaving(self, before_us: int) -> Entry | None:
        """The oldest request, if it entered before a time."""
        try:
            return self._oldest() if self._order[0].entered_us < before_us else None
        except IndexError:
            return None

    def _oldest(self) -> Entry | None:
        try:
            entry = self._order.popleft()
        except IndexError:
            return None
        if self._by_id.get(entry.request.request_id) is entry:  # else the same id entered again
            self._by_id.pop(entry.request.request_id, None)
        return entry
