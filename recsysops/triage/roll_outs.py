"""Which recorded changes explain that values of a dimension come and go: roll-outs, experiments, openings, holidays."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from recsysops.profiles.history import Change, Context
from recsysops.profiles.slices import Slice

KINDS = {
    "client_version": ("release",),
    "model_id": ("deploy",),
    "experiment_arm": ("experiment",),
}
"""Kinds of change that move traffic between the values of an operational dimension."""
WINDOW = timedelta(days=14)
"""A roll-out of two weeks still moves traffic against the weeks before it."""


def planned_changes(context: Context, role: str, slice_: Slice) -> tuple[Change, ...]:
    """Recorded changes of the last two weeks that move traffic to or from a value, or between the values of its dimension.

    A change concerns a slice when its scope names the value (``market=IS``, ``client=tv-9``), or when it is of a kind that
    moves traffic along the dimension.

    Args:
        context: with the recorded changes.
        role: the operational role that the dimension plays, or its own name.
        slice_: whose share moved.
    """
    end = max(context.current_days)
    first = datetime(end.year, end.month, end.day, tzinfo=context.now.tzinfo) + timedelta(days=1) - WINDOW
    recent = (one for one in context.changes if one.ts >= first)
    return tuple(one for one in recent if one.kind in KINDS.get(role, ()) or names(one.scope, (slice_.value,)))


def names(scope: str, values: Iterable[str]) -> bool:
    """Whether a scope names one of the values as a word of its own.

    Example:
        >>> names("market=IS item=7", ["IS"]), names("policy.pin-7-SE", ["E"])
        (True, False)
    """
    words = set(re.split(r"[\s=,;:]+", scope))
    return any(value in words for value in values)
