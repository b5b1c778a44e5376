"""A new day's count against a few reference days: the expected count is itself uncertain, and that is counted in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from recsysops.statistics._arrays import FloatArray, as_counts, check_fraction, divide
from recsysops.statistics.count_tails import CountTails, negative_binomial_tails


@dataclass(frozen=True, slots=True, eq=False)
class CountInterval:
    """Where a new count should fall; every field has shape (...)."""

    expected: FloatArray
    """Reference rate times the new exposure."""
    low: FloatArray
    """Smallest count that is not surprisingly low."""
    high: FloatArray
    """Largest count that is not surprisingly high."""


def predictive_tails(
    count: npt.ArrayLike,
    reference_counts: npt.ArrayLike,
    reference_exposures: npt.ArrayLike = 1.0,
    exposure: npt.ArrayLike = 1.0,
    *,
    dispersion: npt.ArrayLike = 0.0,
) -> CountTails:
    """How surprising a new count is, given the counts of some reference days.

    With reference total T over exposure E and new exposure e, the new count given the sum is Binomial(T + k, e/(e+E)):
    the exact conditional test of two Poisson rates, equal to negative binomial tails with squared coefficient of
    variation 1/T (lower) and 1/(T+1) (upper). Days that vary by themselves (``dispersion`` a > 0) add ``a (1 + h)``,
    ``h = sum(E_i^2)/E^2``: the new day's own variation and its share in the reference mean.

    Parameters: ``count`` (...); ``reference_counts`` and ``reference_exposures`` (..., n_days); ``exposure`` (...) in the
    same unit, for example requests; ``dispersion`` (...) from ``estimate_dispersion`` over a longer history.
    Returns: ``CountTails`` of arrays (...).
    Raises: ``ValueError`` for negative input, or no reference exposure.

    Example:
        >>> few, many = predictive_tails(9, [2]), predictive_tails(9, [2] * 28)
        >>> round(float(few.upper), 3), round(float(many.upper), 4)
        (0.033, 0.0004)

    Source: Przyborowski & Wilenski, Biometrika 31 (1940); Nelson, Applied Life Data Analysis (1982), for prediction.
    """
    k = as_counts(count, "count", min_ndim=0)
    lower, upper = _predictive(reference_counts, reference_exposures, exposure, dispersion)
    low = negative_binomial_tails(k, *lower).lower
    high = negative_binomial_tails(k, *upper).upper
    return CountTails(low, high, np.asarray(np.minimum(1.0, 2.0 * np.minimum(low, high))))


def prediction_interval(
    reference_counts: npt.ArrayLike,
    reference_exposures: npt.ArrayLike = 1.0,
    exposure: npt.ArrayLike = 1.0,
    *,
    dispersion: npt.ArrayLike = 0.0,
    confidence: float = 0.95,
) -> CountInterval:
    """Which counts of a new day would be no surprise: those with both ``predictive_tails`` above (1 - confidence)/2.

    Parameters: as ``predictive_tails``; ``confidence`` in (0, 1).
    Returns: ``CountInterval`` of arrays (...), whole counts; covers at least ``confidence`` when days are Poisson.
    Raises: ``ValueError`` as ``predictive_tails``.

    Example:
        >>> interval = prediction_interval([0, 0, 0, 0])
        >>> float(interval.low), float(interval.high)
        (0.0, 2.0)

    Source: as ``predictive_tails``.
    """
    check_fraction(confidence, "confidence")
    tail = 0.5 - 0.5 * confidence
    (mean, spread), (upper_mean, upper_spread) = _predictive(
        reference_counts, reference_exposures, exposure, dispersion
    )
    low = stats.nbinom.ppf(tail, 1.0 / spread, 1.0 / (1.0 + spread * mean))
    # Largest k with P(X >= k) > tail, that is the smallest k with P(X > k) <= tail.
    high = stats.nbinom.isf(tail, 1.0 / upper_spread, 1.0 / (1.0 + upper_spread * upper_mean))
    return CountInterval(np.asarray(mean), np.asarray(np.maximum(low, 0.0)), np.asarray(np.maximum(high, 0.0)))


def _predictive(
    reference_counts: npt.ArrayLike,
    reference_exposures: npt.ArrayLike,
    exposure: npt.ArrayLike,
    dispersion: npt.ArrayLike,
) -> tuple[tuple[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]:
    """Mean and squared coefficient of variation of the predictive negative binomial: for the lower, the upper tail."""
    k = as_counts(reference_counts, "reference_counts")
    e = np.broadcast_to(as_counts(reference_exposures, "reference_exposures", min_ndim=0), k.shape)
    new, alpha = as_counts(exposure, "exposure", min_ndim=0), as_counts(dispersion, "dispersion", min_ndim=0)
    total, total_exposure = k.sum(axis=-1), e.sum(axis=-1)
    if (total_exposure <= 0).any():
        raise ValueError("reference_exposures: found no exposure at all, expected a sum > 0")
    ratio = new / total_exposure
    between = alpha * (1.0 + divide((e**2).sum(axis=-1), total_exposure**2))
    # No reference event at all: the lower tail is P(X <= k) = 1 whatever k, so any finite spread does.
    lower = (np.asarray(total * ratio), np.asarray(1.0 / np.maximum(total, 1.0) + between))
    upper = (np.asarray((total + 1.0) * ratio), np.asarray(1.0 / (total + 1.0) + between))
    return lower, upper
