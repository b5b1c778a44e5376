"""Where faults and benign events act: rows pass the seams of the service one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from recsysops.drills.fault import SEAMS, Planted
from recsysops.drills.rows import Rows


@dataclass(frozen=True)
class Taps:
    """The seams on one day."""

    planted: Sequence[Planted]
    day: date

    def __call__(self, seam: str, rows: Rows) -> Rows:
        """The rows as they leave a seam: changed by everything that acts there today, in the order of planting."""
        if seam not in SEAMS:
            raise KeyError(f"{seam}: no seam of the service")
        for one in self.planted:
            if one.acts_at(seam, self.day):
                rows = getattr(one.acting, seam)(rows, one.moment(seam, self.day))
        return rows
