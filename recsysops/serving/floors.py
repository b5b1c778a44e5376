"""Floors: the smallest hashes of each slice, item and day, kept as requests stream by.

A request of a stratum is kept iff its hash lies below the k-th smallest of the requests before it (any, while there are fewer
than k). That threshold is known before the request's own hash is looked at, so it is the request's inclusion probability, and
sums over 1 / probability are unbiased. All requests are looked at, also those that another rule keeps.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

from recsysops.serving.hashing import WHOLE
from recsysops.serving.plan import Floor
from recsysops.serving.request_values import items_of, values_of
from recsysops.serving.served_request import ServedRequest

MOST_STRATA = 5_000
"""Slices and items of a day that floors are kept for; those that come later have none."""
Stratum = tuple[str | int | None, ...]


class Floors:
    """The floors of a plan, and what they have seen today and yesterday."""

    def __init__(self, floors: Sequence[Floor], strata: dict[Stratum, list[int]] | None = None) -> None:
        self._floors = [(floor, values_of(floor.by), frozenset(floor.items)) for floor in floors]
        self._strata = {} if strata is None else strata
        self._day = 0

    def renewed(self, floors: Sequence[Floor]) -> Floors:
        """Other floors that know what these have seen: one of the same name goes on where it was."""
        return Floors(floors, self._strata)

    def threshold(self, request: ServedRequest, hashed: int, day: int) -> int:
        """What the floors ask for this request, in [0, 2**64]; the request then counts as seen.

        Args:
            hashed: the request's hash.
            day: days since 1970, UTC.
        """
        if day > self._day:
            self._forget(day)
        asked = 0
        for n_requests, stratum in self._of(request, day):
            smallest = self._strata.get(stratum)
            if smallest is None:
                if len(self._strata) >= MOST_STRATA:
                    continue
                smallest = self._strata.setdefault(stratum, [])
            asked = max(asked, _see(smallest, hashed, n_requests))
        return asked

    def _of(self, request: ServedRequest, day: int) -> Iterator[tuple[int, Stratum]]:
        for floor, values, items in self._floors:
            if not items:
                yield floor.n_requests, (floor.name, day, *values(request))
                continue
            for item in items.intersection(items_of(request)):
                yield floor.n_requests, (floor.name, day, *values(request), item)

    def _forget(self, day: int) -> None:
        """Drop what is older than yesterday; requests around midnight do not come in order."""
        self._day = day
        for stratum in [one for one in list(self._strata) if isinstance(one[1], int) and one[1] < day - 1]:
            self._strata.pop(stratum, None)


def _see(smallest: list[int], hashed: int, n: int) -> int:
    """The threshold before this request; ``smallest`` is a heap of the negatives of the n smallest hashes so far."""
    if len(smallest) < n:
        heapq.heappush(smallest, -hashed)
        return WHOLE
    threshold = -smallest[0]
    if hashed < threshold:
        heapq.heappushpop(smallest, -hashed)
    return threshold
