"""What the catalogue knew on a day of items that have lately come or gone: young and ageing items explain themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

YOUNG_DAYS = 28
"""Younger items have a course of their own: they are judged by their age."""
FIRST_DAYS, AHEAD_DAYS = 90, 60
"""Launches known to a catalogue lie at most so many days before and after its day."""


@dataclass(frozen=True)
class Catalogue:
    """Launches and ends of availability near a day, as known at its end. Times are UTC; an item without an entry is older.

    ``launches``: by item, when it launches or did. ``ends``: by item, the end of its last period of availability, when that
    lies within the same days; ``market_ends``: the same by item and market. ``owners``: the teams of the items in ``launches``. ``audiences``: how many members they are expected
    to reach, where the catalogue says.
    """

    launches: Mapping[str, datetime] = field(default_factory=dict)
    ends: Mapping[str, datetime] = field(default_factory=dict)
    market_ends: Mapping[tuple[str, str], datetime] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    audiences: Mapping[str, float] = field(default_factory=dict)
    is_known: bool = False
    """Whether the workspace has a catalogue with launches at all."""

    def age_days(self, item: str, day: date) -> float | None:
        """Days from the item's launch to the end of ``day``; negative before it; None for items that are older.

        Example:
            >>> book = Catalogue({"7": datetime(2026, 11, 1, 12, tzinfo=UTC)}, is_known=True)
            >>> book.age_days("7", date(2026, 11, 2)), book.age_days("8", date(2026, 11, 2))
            (1.5, None)
        """
        launch = self.launches.get(item)
        if launch is None:
            return None
        end = datetime.combine(day, time.min, UTC)
        return (end - launch).total_seconds() / 86_400 + 1

    def is_young(self, item: str, day: date, days: float = YOUNG_DAYS) -> bool:
        """Whether the item launches after ``day``, or launched within as many days before its end."""
        age = self.age_days(item, day)
        return age is not None and age < days

    def young_items(self, day: date) -> frozenset[str]:
        """Every item that is young on ``day``."""
        return frozenset(item for item in self.launches if self.is_young(item, day))

    def has_ended(self, item: str, day: date) -> bool:
        """Whether its availability has ended by the end of ``day``."""
        end = self.ends.get(item)
        return end is not None and end.date() <= day
