"""Shares and rates with their 95 % intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from recsysops.statistics.count_tails import garwood_interval
from recsysops.statistics.estimate import Estimate

_TAIL = 0.025


def share(n_successes: int, n: int) -> Estimate:
    """A share of few trials, with the Jeffreys interval; it reaches to the end where none or all succeeded.

    Raises:
        ValueError: unless 0 <= n_successes <= n and n >= 1.

    Source: Brown, Cai & DasGupta, Statistical Science 16 (2001).
    """
    if not 0 <= n_successes <= n or n < 1:
        raise ValueError(f"share: found {n_successes} of {n}, expected a part of at least one")
    shape = (n_successes + 0.5, n - n_successes + 0.5)
    low = float(special.betaincinv(*shape, _TAIL)) if n_successes else 0.0
    high = float(special.betaincinv(*shape, 1 - _TAIL)) if n_successes < n else 1.0
    return Estimate(n_successes / n, low, high)


def rate_per_30_days(n_events: int, n_days: int) -> Estimate:
    """Events in thirty days, with the exact Poisson interval; anything is possible when no day was watched."""
    if not n_days:
        return Estimate(0.0, 0.0, 30.0)
    interval = garwood_interval(n_events, n_days / 30)
    return Estimate(float(interval.estimate), float(interval.low), float(interval.high))


def mean_count(counts: Sequence[int]) -> Estimate | None:
    """The mean of some counts with Student's interval; None of nothing; no lower than the least of them.

    Source: Student, Biometrika 6 (1908).
    """
    if not counts:
        return None
    values = np.asarray(counts, np.float64)
    mean, n = float(values.mean()), len(values)
    if n == 1:
        return Estimate(mean, 0.0, float("inf"))
    half = float(special.stdtrit(n - 1, 1 - _TAIL) * values.std(ddof=1) / np.sqrt(n))
    return Estimate(mean, max(float(values.min()), mean - half), mean + half)
