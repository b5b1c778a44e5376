"""A limit for scores from how often, and how far, they have gone beyond a lower one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

HONEST_SCALE = float(np.log10(np.e))
"""Mean excess of −log10(p) when p-values are what they say: 0.434."""
PRIOR_EPISODES = 3.0
"""How many episodes of honest scale are believed before any has been seen."""


def exceedance_limit(excesses: Sequence[float], n_days: int, start: float, allowed_per_day: float) -> float:
    """The score beyond which at most ``allowed_per_day`` episodes a day are to be expected.

    Scores beyond ``start`` are taken to fall off exponentially (peaks over threshold with shape 0). The scale is the median
    excess over ln 2, which a few true faults among the past cannot stretch, shrunk towards what honest p-values have:

    ``limit = start + scale × ln(((n + ½) / (days + 1)) / allowed)``

    Args:
        excesses: −log10(p) − ``start`` of the past episodes, ≥ 0, (n,).
        n_days: how many days they were collected in.
        start: the lower score.
        allowed_per_day: episodes wanted at most, > 0.

    Returns:
        The limit; below ``start`` when even that would keep the budget.

    Raises:
        ValueError: for a budget that is not positive.

    Example:
        >>> round(exceedance_limit([], 60, 4.0, 0.01), 2), round(exceedance_limit([3.0] * 12, 60, 4.0, 0.01), 1)
        (3.91, 14.7)

    Source: Coles, An Introduction to Statistical Modeling of Extreme Values (2001), chapter 4.
    """
    if allowed_per_day <= 0:
        raise ValueError(f"exceedance limit: found {allowed_per_day} allowed per day, expected more than 0")
    n = len(excesses)
    typical = float(np.median(excesses)) / np.log(2) if n else 0.0
    scale = (n * max(typical, HONEST_SCALE) + PRIOR_EPISODES * HONEST_SCALE) / (n + PRIOR_EPISODES)
    rate = (n + 0.5) / (n_days + 1)
    return float(start + scale * np.log(rate / allowed_per_day))
