"""Where a healthy day's number lies with 95 % probability, by the same statistics that the gates judge with."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

from recsysops.triage.rate_gate import tested_rates

Floats = npt.NDArray[np.float64]
Band = tuple[float, float, float]
"""(expected, low, high); nan where it cannot be said."""
NO_BAND: Band = (float("nan"), float("nan"), float("nan"))
CONFIDENCE = 0.95
LEAST_DAYS = 3
"""Reference days from which their range means something."""


def rate_band(flagged: Floats, rows: Floats, n_new: float, deff: float, confidence: float = CONFIDENCE) -> Band:
    """The moderated prediction band of ``rate_gate``: ``sin²(mean y ± t sqrt(spread))`` with y = asin(sqrt(rate)).

    Args:
        flagged: rows that meet the condition on each reference day, (n_days,).
        rows: all rows of each, (n_days,).
        n_new: rows of the new day.
        deff: design effect of rows clustered in requests, at least 1.
        confidence: in (0, 1).

    Example:
        >>> expected, low, high = rate_band(np.full(7, 50.0), np.full(7, 1000.0), 1000.0, 1.0)
        >>> round(expected, 3), round(low, 3), round(high, 3)
        (0.05, 0.034, 0.069)
    """
    if not len(rows) or rows.sum() <= 0 or n_new <= 0:
        return NO_BAND
    reference = flagged[:, None, None].astype(np.float64), rows[:, None, None].astype(np.float64)
    current = np.zeros((1, 1, 1)), np.full((1, 1, 1), n_new)
    effects = np.full((1, 1), deff)
    test = tested_rates(reference, current, effects, effects)
    half = special.stdtrit(test.dof, 0.5 + 0.5 * confidence) * float(np.sqrt(test.spread[0, 0]))
    mean = float(test.mean[0, 0])
    low, high = max(mean - half, 0.0), min(mean + half, np.pi / 2)
    return float(np.sin(mean) ** 2), float(np.sin(low) ** 2), float(np.sin(high) ** 2)


def range_band(values: Floats) -> Band:
    """Median, least and greatest of the reference days, (n_days,); nan with fewer than three of them.

    Example:
        >>> range_band(np.array([3.0, 1.0, np.nan, 2.0]))
        (2.0, 1.0, 3.0)
    """
    known = values[np.isfinite(values)]
    if len(known) < LEAST_DAYS:
        return NO_BAND
    return float(np.median(known)), float(known.min()), float(known.max())
