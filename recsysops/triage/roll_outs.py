"""Which recorded changes explain that values of a dimension come and go: roll-outs, experiments, openings, holidays."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from recsysops.profiles.history import Change, Context
from recsysops.profiles.slices import Slice

KINDS = {
    "client_version": ("release",),
    "model_id": ("deploy",),
    "experiment_arm": ("experiment",),
}
"""Kinds of change that move traffic between the values of an operational dimension."""
TAKEN_OVER = 0.5
"""A roll-out explains a loss of which at least half turns up elsewhere."""
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


def taken_over(
    usual: npt.NDArray[np.float64], current: npt.NDArray[np.float64], loser: int, winners: Collection[int] = ()
) -> float:
    """How much of what one value lost another value gained, in [0, 1]: 1 = all of it, 0 = it went nowhere.

    What moves from value to value is missing in one and more in another; what is lost changes no proportion between the
    others. So loss and gain are both counted against the values that are neither, and the largest gain is taken. Without
    such a third value nobody can tell, and it counts as taken over.

    Args:
        usual: shares of all values of the dimension before, (n_values,).
        current: their requests now, (n_values,).
        loser: the value that fell.
        winners: the values that may have gained; empty = any.

    Example:
        >>> usual = np.array([0.5, 0.3, 0.2])
        >>> moved, lost = np.array([20.0, 60.0, 20.0]), np.array([20.0, 30.0, 20.0])
        >>> round(taken_over(usual, moved, 0), 2), round(taken_over(usual, lost, 0), 2)
        (1.0, 0.0)
    """
    found = 0.0
    for winner in winners or range(len(usual)):
        third = np.delete(np.arange(len(usual)), [loser, winner])
        if winner == loser:
            continue
        if not usual[third].sum() > 0:
            return 1.0
        scale = current[third].sum() / usual[third].sum()
        loss = float(usual[loser] * scale - current[loser])
        gain = float(current[winner] - usual[winner] * scale)
        found = max(found, gain / loss if loss > 0 else 1.0)
    return min(found, 1.0)


def names(scope: str, values: Iterable[str]) -> bool:
    """Whether a scope names one of the values as a word of its own.

    Example:
        >>> names("market=IS item=7", ["IS"]), names("policy.pin-7-SE", ["E"])
        (True, False)
    """
    words = set(re.split(r"[\s=,;:]+", scope))
    return any(value in words for value in values)
