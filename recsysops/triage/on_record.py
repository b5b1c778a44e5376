"""Which items a recorded change names: rules of policy call theirs by id, as in ``policy.suppress-51-DK``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from recsysops.profiles.history import Change, Context

NEAR = timedelta(days=30)
"""How long a recorded rule explains what happens to its item."""
_ENDS = re.compile(r"\b(end(s|ed)?|expire[sd]?|remove[sd]?|off|lifted|deleted?)\b", re.IGNORECASE)


def records_of(context: Context, item: str, market: str = "") -> Iterator[Change]:
    """Changes of the last thirty days whose scope has the item's id as a word of its own, oldest first.

    Args:
        context: with the recorded changes and the judged days.
        item: its id.
        market: only those that name this value too, or no word of two or three capitals, which would be another one's.
    """
    end = datetime.combine(max(context.current_days), time(), UTC) + timedelta(days=1)
    for one in context.changes:
        if end - NEAR <= one.ts < end and names_item(one.scope, item) and _concerns(one.scope, market):
            yield one


def names_item(scope: str, item: str) -> bool:
    """Whether the scope has the id as a whole token.

    Example:
        >>> names_item("policy.suppress-51-DK", "51"), names_item("policy.suppress-510-DK", "51"), names_item("item=a-7", "a-7")
        (True, False, True)
    """
    return bool(item) and re.search(rf"(?<![A-Za-z0-9]){re.escape(item)}(?![A-Za-z0-9])", scope) is not None


def ends(change: Change) -> bool:
    """Whether the record says that something is over."""
    return _ENDS.search(change.description) is not None


def _concerns(scope: str, market: str) -> bool:
    tokens = re.split(r"[^A-Za-z0-9]+", scope)
    named = [token for token in tokens if re.fullmatch(r"[A-Z]{2,3}", token)]
    return not market or not named or market in tokens
