"""Days as people type them: ``2026-11-20``, ``90d``, ``2026-11-01..2026-11-14``, ``2026-11-01,2026-11-03``."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from recsysops.errors import ConfigError
from recsysops.incidents.calendar import days_between, end_of


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


def parse_mute(for_: str | None, until: str | None, *, is_off: bool) -> datetime | None:
    """The moment at which a mute ends: so many hours or days from now, or the end of a day; None to end it now.

    Raises:
        ConfigError: if it is said in more than one way, or in none, or lies more than a year ahead.
    """
    if sum((for_ is not None, until is not None, is_off)) != 1:
        raise ConfigError("mute", found="none or several of them", expected="one of --for, --until and --off")
    now = datetime.now(UTC)
    if for_ is not None:
        length = re.fullmatch(r"\s*([1-9][0-9]{0,3})\s*([hd])\s*", for_)
        if length is None:
            raise ConfigError("--for", found=repr(for_), expected="a time such as 12h or 7d")
        moment = now + timedelta(**{"hours" if length[2] == "h" else "days": int(length[1])})
    elif until is not None:
        moment = end_of(min(parse_day(until, "--until"), date(9998, 12, 31)))
    else:
        return None
    if moment > now + timedelta(days=366):
        raise ConfigError("mute", found=f"until {moment.date()}", expected="at most a year; resolve what is expected")
    return moment
