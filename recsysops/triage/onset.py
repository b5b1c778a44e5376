"""Since when: the first day of the unbroken run of judged days on which a finding was there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date


def onset(day: date, seen: Collection[date], judged: Sequence[date]) -> date:
    """The first day of the run that ends on ``day``.

    Args:
        day: the day just judged, on which the finding is there.
        seen: days on which it was there before.
        judged: days that were judged before, in any order; days that nobody judged do not break a run.

    Example:
        >>> days = [date(2026, 11, number) for number in (16, 17, 18, 19)]
        >>> onset(date(2026, 11, 20), days[2:], days)
        datetime.date(2026, 11, 18)
    """
    first = day
    for earlier in sorted((other for other in judged if other < day), reverse=True):
        if earlier not in seen:
            break
        first = earlier
    return first
