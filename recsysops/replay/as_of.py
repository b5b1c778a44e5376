"""Which upstream row serving could see: bitemporal as-of look-up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Timeline:
    """Upstream rows in the order of key and time, ready to be asked.

    Arguments of ``Timeline.of`` are (n_rows,) each; times are whole numbers of any one unit (microseconds, say).
    """

    order: Integers
    """Row numbers, sorted by key and the moment each became visible."""
    best: Integers
    """For each place of ``order``, the row that is the latest known from that moment on."""
    moments: Integers
    """The different moments, increasing."""
    places: Integers
    """For each place of ``order``, key and moment as one number, increasing."""
    by_age: Integers
    """Row numbers, sorted by key, as-of time and availability: an entity's versions stand side by side."""
    place_by_age: Integers
    """The inverse: each row's place in ``by_age``."""
    keys: Integers

    @classmethod
    def of(cls, keys: Integers, as_of: Integers, available_at: Integers | None = None) -> Timeline:
        """Sort the rows once.

        Args:
            keys: number of each row's entity, from 0.
            as_of: when the row's values became true.
            available_at: when they could first be read; a row is visible from the later of both on.
        """
        seen = as_of if available_at is None else available_at
        visible = np.maximum(as_of, seen)
        by_age = np.lexsort((seen, as_of, keys))
        rank = np.empty(len(keys), np.int64)
        rank[by_age] = np.arange(len(keys))
        order = np.lexsort((rank, visible, keys))
        best = by_age[np.maximum.accumulate(rank[order])] if len(keys) else order
        moments, which = np.unique(visible, return_inverse=True)
        places = keys[order] * (len(moments) + 1) + which[order] + 1
        return cls(order, best, moments, places, by_age, rank, keys)

    def rows(self, keys: Integers, at: Integers) -> Integers:
        """The row each question sees: of its key, the latest ``as_of`` among those visible at the time; -1 for none.

        Of rows with the same as-of time the one that became available last counts (a correction).

        Args:
            keys: (n,) numbers of entities, -1 for one without rows.
            at: (n,) times.

        Example:
            >>> day = np.array([1, 2, 3]); seen = np.array([1, 5, 3])
            >>> Timeline.of(np.zeros(3, int), day, seen).rows(np.zeros(4, int), np.array([0, 2, 4, 9])).tolist()
            [-1, 0, 2, 2]
        """
        wanted = keys * (len(self.moments) + 1) + np.searchsorted(self.moments, at, side="right")
        found = np.searchsorted(self.places, wanted, side="right") - 1
        if not len(self.order):
            return np.full(len(keys), -1)
        row = self.best[np.maximum(found, 0)]
        return np.where((found >= 0) & (self.keys[row] == keys), row, -1)

    def earlier(self, rows: Integers, n: int) -> Integers:
        """The version of the same entity that is ``n`` as-of steps older than each row; -1 where there is none."""
        if not len(self.order):
            return np.full(len(rows), -1)
        place = self.place_by_age[np.maximum(rows, 0)] - n
        older = self.by_age[np.maximum(place, 0)]
        is_known = (rows >= 0) & (place >= 0) & (self.keys[older] == self.keys[np.maximum(rows, 0)])
        return np.where(is_known, older, -1)
