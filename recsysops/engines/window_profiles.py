"""One window of a history: its days and the stored profiles that are folded over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from recsysops.engines.counted import Counted
from recsysops.profiles.history import PartitionFacts
from recsysops.profiles.measures import Measure
from recsysops.profiles.store import StoredProfile
from recsysops.profiles.stored_rows import buckets_of, rows_of

EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class WindowProfiles:
    """One window: its days, by table (a snapshot table has only the days it was taken), and the profiles to fold."""

    days: Mapping[str, tuple[date, ...]]
    profiles: Mapping[str, tuple[StoredProfile, ...]]
    counted: Mapping[Measure, Counted]
    facts: Mapping[str, tuple[PartitionFacts, ...]]

    def numbers(self, table: str) -> list[int]:
        """The window's days as days since the epoch."""
        return [(day - EPOCH).days for day in self.days.get(table, ())]

    def rows(self, measure: Measure) -> pa.Table:
        """Collapsed rows of one measure over the window."""
        paths = [one.path for one in self.profiles.get(measure.table, ())]
        return rows_of(paths, self.counted[measure].id, self.numbers(measure.table))

    def buckets(self, measure: Measure) -> pa.Table:
        """Bucketed rows of one measure over the profiles that still have them."""
        return buckets_of(self._with_buckets.get(measure.table, ()), self.counted[measure].id)

    @cached_property
    def _with_buckets(self) -> dict[str, list[Path]]:
        return {
            table: [one.buckets_path for one in profiles if one.buckets_path.exists()]
            for table, profiles in self.profiles.items()
        }
