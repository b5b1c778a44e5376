"""Exact tail probabilities of counts: Poisson, binomial, and negative binomial for days that vary by themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from recsysops.statistics._arrays import FloatArray, as_counts, check_fraction, divide
from recsysops.statistics.proportions import RateInterval


@dataclass(frozen=True, slots=True, eq=False)
class CountTails:
    """How surprising a count is on either side; every field has shape (...)."""

    lower: FloatArray
    """P(X <= count)."""
    upper: FloatArray
    """P(X >= count)."""
    two_sided: FloatArray
    """min(1, 2 min(lower, upper))."""


def _both_tails(lower: npt.ArrayLike, upper: npt.ArrayLike) -> CountTails:
    """Join the two one-sided probabilities of a count into ``CountTails``."""
    low, high = np.asarray(lower, dtype=np.float64), np.asarray(upper, dtype=np.float64)
    return CountTails(low, high, np.asarray(np.minimum(1.0, 2.0 * np.minimum(low, high))))


def poisson_tails(count: npt.ArrayLike, mean: npt.ArrayLike) -> CountTails:
    """How surprising a count of rare independent events is, given the expected count.

    ``P(X <= k) = Q(k+1, mean)``, ``P(X >= k) = P(k, mean)``, the regularised incomplete gamma functions.

    Parameters: ``count`` and ``mean`` (...), >= 0.
    Returns: ``CountTails`` of arrays (...).
    Raises: ``ValueError`` for negative input.

    Example:
        >>> float(poisson_tails(0, 5.0).lower)  # doctest: +ELLIPSIS
        0.00673...

    Source: Johnson, Kemp & Kotz, Univariate Discrete Distributions (2005), ch. 4.
    """
    k, mu = as_counts(count, "count", min_ndim=0), as_counts(mean, "mean", min_ndim=0)
    upper = np.where(k > 0, special.gammainc(np.where(k > 0, k, 1.0), mu), 1.0)
    return _both_tails(special.gammaincc(k + 1.0, mu), upper)


def binomial_tails(count: npt.ArrayLike, trials: npt.ArrayLike, rate: npt.ArrayLike) -> CountTails:
    """How surprising a number of successes is, given the trials and the expected rate.

    ``P(X <= k) = I_{1-p}(n-k, k+1)``, ``P(X >= k) = I_p(k, n-k+1)``, the regularised incomplete beta function.

    Parameters: ``count`` <= ``trials`` (...); ``rate`` (...) in [0, 1].
    Returns: ``CountTails`` of arrays (...).
    Raises: ``ValueError`` for negative input, count > trials, or a rate outside [0, 1].

    Example:
        >>> float(binomial_tails(8, 10, 0.5).upper)
        0.0546875

    Source: Johnson, Kemp & Kotz, Univariate Discrete Distributions (2005), ch. 3.
    """
    k, n = as_counts(count, "count", min_ndim=0), as_counts(trials, "trials", min_ndim=0)
    p = as_counts(rate, "rate", min_ndim=0)
    if (k > n).any() or (p > 1).any():
        raise ValueError("expected count <= trials and a rate in [0, 1]")
    lower = np.where(k < n, special.betainc(np.where(k < n, n - k, 1.0), k + 1.0, 1.0 - p), 1.0)
    upper = np.where(k > 0, special.betainc(np.where(k > 0, k, 1.0), n - k + 1.0, p), 1.0)
    return _both_tails(lower, upper)


def negative_binomial_tails(count: npt.ArrayLike, mean: npt.ArrayLike, dispersion: npt.ArrayLike) -> CountTails:
    """How surprising a count is when its rate itself moves from day to day.

    Variance ``mean + a mean^2``; size r = 1/a, success probability 1/(1 + a mean); a = 0 is Poisson.

    Parameters: ``count`` and ``mean`` (...), >= 0; ``dispersion`` a (...), >= 0, the squared coefficient of variation
    of the rate (``overdispersion.estimate_dispersion``).
    Returns: ``CountTails`` of arrays (...).
    Raises: ``ValueError`` for negative input.

    Example:
        >>> bool(negative_binomial_tails(20, 10.0, 0.2).upper > poisson_tails(20, 10.0).upper)
        True

    Source: Johnson, Kemp & Kotz, Univariate Discrete Distributions (2005), ch. 5; "NB2" of Cameron & Trivedi (1998).
    """
    k, mu = as_counts(count, "count", min_ndim=0), as_counts(mean, "mean", min_ndim=0)
    alpha = as_counts(dispersion, "dispersion", min_ndim=0)
    poisson = poisson_tails(k, mu)
    is_spread = alpha * np.maximum(mu, 1.0) > 1e-9
    size = 1.0 / np.where(is_spread, alpha, 1.0)
    p, q = 1.0 / (1.0 + mu / size), (mu / size) / (1.0 + mu / size)
    lower = special.betainc(size, k + 1.0, p)
    upper = np.where(k > 0, special.betainc(np.where(k > 0, k, 1.0), size, q), 1.0)
    return _both_tails(np.where(is_spread, lower, poisson.lower), np.where(is_spread, upper, poisson.upper))


def garwood_interval(count: npt.ArrayLike, exposure: npt.ArrayLike = 1.0, *, confidence: float = 0.95) -> RateInterval:
    """Exact interval of an event rate per unit of exposure.

    ``chi2(a/2; 2k)/2e`` to ``chi2(1-a/2; 2k+2)/2e`` with a = 1 - confidence: zero alarms in e days bound the rate by
    about 3/e at one-sided 95 %.

    Parameters: ``count`` (...), events; ``exposure`` e (...), for example days.
    Returns: ``RateInterval`` of arrays (...), events per unit of exposure; nan where exposure is 0.
    Raises: ``ValueError`` for negative input or an impossible confidence.

    Example:
        >>> interval = garwood_interval(0, 180)
        >>> float(interval.low), round(float(interval.high) * 30, 2)
        (0.0, 0.61)

    Source: Garwood, Biometrika 28 (1936).
    """
    check_fraction(confidence, "confidence")
    k, time = as_counts(count, "count", min_ndim=0), as_counts(exposure, "exposure", min_ndim=0)
    time = np.where(time > 0, time, np.nan)
    low = np.where(k > 0, special.gammaincinv(np.where(k > 0, k, 1.0), 0.5 - 0.5 * confidence), 0.0)
    high = special.gammaincinv(k + 1.0, 0.5 + 0.5 * confidence)
    return RateInterval(divide(k, time), divide(low, time), divide(high, time))
