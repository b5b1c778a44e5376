"""How long something takes by the median, when some of it is not over yet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.statistics._arrays import as_floats, check_fraction


@dataclass(frozen=True)
class MedianTime:
    """``estimate`` in [``low``, ``high``]; nan where nothing can be said, inf where there is no bound."""

    estimate: float
    low: float
    high: float
    n: int
    n_open: int
    """Of the ``n``, those that are not over."""


def median_time(durations: npt.ArrayLike, is_over: npt.ArrayLike, *, level: float = 0.95) -> MedianTime:
    """The median duration, Kaplan–Meier for what is still open, with a distribution-free interval.

    The interval is that of order statistics: the median of any distribution lies between the k-th smallest and the k-th
    largest of n with probability ≥ ``level`` when P(Binomial(n, ½) < k) ≤ (1 − level) / 2. What is open lasts at least as
    long as so far: so far counts for the lower bound, and without end for the upper one. Hence it needs no assumption on
    why things are still open; below six durations a 95 % interval is not bounded.

    Args:
        durations: (n,), ≥ 0, in any unit.
        is_over: (n,), false where the duration is only how long it has lasted so far.
        level: probability that the interval holds the median.

    Example:
        >>> median_time([1, 2, 3, 4, 5, 6, 7], [True] * 6 + [False])
        MedianTime(estimate=4.0, low=1.0, high=inf, n=7, n_open=1)

    Source:
        Kaplan & Meier (1958); David & Nagaraja, Order Statistics, 3rd ed., section 7.1.
    """
    check_fraction(level, "level")
    times, over = as_floats(durations), np.asarray(is_over, dtype=bool)
    if times.ndim != 1 or times.shape != over.shape:
        raise ValueError(f"found shapes {times.shape} and {over.shape}, expected two vectors of one length")
    if not (np.isfinite(times).all() and (times >= 0).all()):
        raise ValueError("durations: found nan, infinity or less than 0, expected finite times >= 0")
    low, high = _interval(times, over, level)
    return MedianTime(_kaplan_meier(times, over), low, high, len(times), int(np.count_nonzero(~over)))


def _kaplan_meier(times: npt.NDArray[np.float64], over: npt.NDArray[np.bool_]) -> float:
    """Where the survival curve falls through one half; the middle where it lies on it, as for a plain median."""
    ends = np.unique(times[over])
    at_risk = np.array([np.count_nonzero(times >= end) for end in ends])
    ended = np.array([np.count_nonzero(over & (times == end)) for end in ends])
    survival = np.cumprod(1 - ended / at_risk) if len(ends) else np.array([])
    reached = np.flatnonzero(survival <= 0.5 + 1e-12)
    if not len(reached):
        return float("nan")
    first = reached[0]
    lies_on_half = abs(survival[first] - 0.5) <= 1e-12 and first + 1 < len(ends)
    return float((ends[first] + ends[first + 1]) / 2) if lies_on_half else float(ends[first])


def _interval(times: npt.NDArray[np.float64], over: npt.NDArray[np.bool_], level: float) -> tuple[float, float]:
    from scipy.stats import binom

    n = len(times)
    if not n:
        return float("nan"), float("nan")
    below = binom.cdf(np.arange(n), n, 0.5)
    k = int(np.count_nonzero(below <= (1 - level) / 2))  # the largest rank whose tail is small enough
    if not k:
        return 0.0, float("inf")
    endless = np.where(over, times, np.inf)
    return float(np.sort(times)[k - 1]), float(np.sort(endless)[n - k])
