"""Whose exposure parted from its demand: the logarithm of their ratio in the last week against the weeks before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.statistics.item_health import LogRatios, log_ratio
from recsysops.triage.moderated import two_sided_p

Floats = npt.NDArray[np.float64]

LAST_UNITS = 7
"""Units that are compared with those before them."""
MIN_UNITS = 14
DESIGN_EFFECT = 3.0
"""Of impressions: the same members see an item again and again."""
_DOF = 8.0
_LEAST_SD = 0.3
"""Of the change between healthy weeks."""


@dataclass(frozen=True, eq=False)
class BiasChanges:
    """Arrays (n_items,), over one pair of windows."""

    now: LogRatios
    before: Floats
    """ln(exposure share / demand share) before, drawn to all items."""
    change: Floats
    """now − before, from the counts alone, less the median of all items."""
    p_value: Floats
    sd: float
    """Of the change between items, beyond their counts."""


def bias_changes(exposure: Floats, demand: Floats) -> BiasChanges | None:
    """How far each item's bias moved, and how surely.

    ``t = (b_now − b_before − median) / sqrt(v_now + v_before + s²)``, s the robust standard deviation between items beyond their counts,
    against a Student's t with 8 degrees of freedom, since items have longer tails than a normal.

    Args:
        exposure: (n_units, n_items) weighted impressions, consecutive units, the judged one last.
        demand: the same shape: outcomes that no slate brought about.

    Returns:
        None with fewer than fourteen units, or without demand or exposure in one of the windows.
    """
    if len(exposure) < MIN_UNITS:
        return None
    sums = [
        one.sum(axis=0)
        for one in (exposure[:-LAST_UNITS], demand[:-LAST_UNITS], exposure[-LAST_UNITS:], demand[-LAST_UNITS:])
    ]
    if not all(one.any() for one in sums):
        return None
    before, now = (log_ratio(x, d, exposure_design_effect=DESIGN_EFFECT) for x, d in (sums[:2], sums[2:]))
    raw = now.raw - before.raw
    variance = now.variance + before.variance
    weight = variance <= np.median(variance)
    change = raw - float(np.median(raw[weight]))
    spread = 1.4826 * float(np.median(np.abs(change[weight])))
    between = max(spread**2 - float(np.median(variance[weight])), _LEAST_SD**2)
    p_value = two_sided_p(change / np.sqrt(variance + between), _DOF)
    return BiasChanges(now, before.estimate, change, p_value, float(np.sqrt(between)))
