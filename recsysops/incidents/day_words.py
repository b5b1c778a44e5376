"""Days as people type them: ``2026-11-20``, ``90d``, ``2026-11-01..2026-11-14``, ``2026-11-01,2026-11-03``."""

from __future__ import annotations

import re
from datetime import date, timedelta

from recsysops.errors import ConfigError
from recsysops.incidents.calendar import days_between


def parse_day(text: str, option: str) -> date:
    """A calendar day.

    Raises:
        ConfigError: if it is none.
    """
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ConfigError(option, found=repr(text), expected="a day such as 2026-11-20") from None


def parse_since(text: str, newest: date) -> date:
    """A calendar day, or as many days back from the newest as ``90d`` says.

    Raises:
        ConfigError: if it is neither.
    """
    back = re.fullmatch(r"\s*([1-9][0-9]{0,4})\s*d\s*", text)
    if back is None:
        return parse_day(text, "--since")
    return newest - timedelta(days=int(back[1]) - 1)


def parse_days(text: str, option: str) -> tuple[date, ...]:
    """Days named one by one with commas, as ranges with ``..``, or both; ascending, each once.

    Raises:
        ConfigError: if a part is no day, or a range is empty or longer than ten years.

    Example:
        >>> [day.day for day in parse_days("2026-11-03,2026-11-01..2026-11-02", "--reference")]
        [1, 2, 3]
    """
    days: set[date] = set()
    for part in text.split(","):
        first, dots, last = part.partition("..")
        start = parse_day(first, option)
        end = parse_day(last, option) if dots else start
        if not 0 <= (end - start).days <= 3660:
            raise ConfigError(option, found=repr(part.strip()), expected="a first day, then a later last one")
        days.update(days_between(start, end))
    return tuple(sorted(days))
