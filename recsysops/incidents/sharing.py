"""One alarm budget for both tiers: while hours and days of a log are judged, each tier may use half of it."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from recsysops.incidents.ledgers import Ledger
from recsysops.incidents.state import State

SHARING_DAYS = 7
"""A tier that has judged nothing for this long leaves its half to the other."""


def share_beside(other: Ledger, state: State, day: date) -> float:
    """The part of the alarm budget that one tier may use on a day, in (0, 1].

    Half of the budget for each keeps the sum of what both may raise within it, whatever their dependence (linearity of
    expectation, as for series). Only what was judged of the week up to the day counts: what is judged of later days changes
    nothing when this one is judged again.

    Args:
        other: where the other tier writes what it judged.
        state: of the workspace.
        day: that is judged, or on which the judged hour lies.
    """
    first = date.fromordinal(max(day.toordinal() - SHARING_DAYS + 1, 1))
    at = other.judged_at
    inside = select(at).where(at >= first.isoformat(), at <= f"{day.isoformat()}T23").limit(1)
    with state.transaction() as connection:
        return 0.5 if connection.execute(inside).first() is not None else 1.0
