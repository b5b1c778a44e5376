"""Days some days away, on a calendar that ends: logs may hold the year 1 and the year 9999."""

from __future__ import annotations

from datetime import date


def shifted(day: date, days: int) -> date:
    """``day`` plus ``days``, or the calendar's first or last day.

    Example:
        >>> shifted(date(2026, 11, 2), -2), shifted(date(1, 1, 3), -45)
        (datetime.date(2026, 10, 31), datetime.date(1, 1, 1))
    """
    number = min(max(day.toordinal() + days, date.min.toordinal()), date.max.toordinal())
    return date.fromordinal(number)
