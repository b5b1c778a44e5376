"""Delete-one-bucket jackknife: standard errors of rates and means that respect clustering by request."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from recsysops.statistics._arrays import FloatArray, as_counts, as_floats, check_fraction, divide

MIN_BUCKETS = 5
"""Fewer buckets with data than this give no standard error."""


@dataclass(frozen=True, slots=True, eq=False)
class JackknifeEstimate:
    """An estimate with its cluster-aware standard error; every field has shape (...)."""

    estimate: FloatArray
    """The ratio, or the difference of ratios, over all buckets."""
    standard_error: FloatArray
    """Jackknife standard error; nan with fewer than ``MIN_BUCKETS`` buckets holding data."""
    low: FloatArray
    """Lower confidence limit, from Student's t."""
    high: FloatArray
    """Upper confidence limit, from Student's t."""
    dof: FloatArray
    """Degrees of freedom of that t."""


def jackknife_ratio(
    numerator: npt.ArrayLike, denominator: npt.ArrayLike, *, confidence: float = 0.95
) -> JackknifeEstimate:
    """A rate or mean over all rows, with a standard error from leaving out one bucket of requests at a time.

    ``R = sum(num)/sum(den)``; ``SE^2 = (g-1)/g sum_i (R_(i) - mean R_(i))^2`` over the g buckets with den > 0. Only for
    smooth statistics: PSI-like distances have zero slope at "no change", use ``bucket_permutation`` there. A rate
    of exactly 0 or 1 gives SE 0; take ``clopper_pearson_interval`` then.

    Parameters: ``numerator`` (any sign) and ``denominator`` (>= 0), (..., n_buckets), sums per request-hash bucket.
    Returns: ``JackknifeEstimate`` of arrays (...), with g - 1 degrees of freedom.
    Raises: ``ValueError`` for negative denominators, or unequal numbers of buckets.

    Example:
        >>> result = jackknife_ratio([2, 0, 2, 0, 2, 0], [10, 10, 10, 10, 10, 10])
        >>> float(result.estimate), round(float(result.standard_error), 4)
        (0.1, 0.0447)

    Source: Quenouille (1956), Tukey (1958); Wolter, Introduction to Variance Estimation (2007), ch. 4.
    """
    check_fraction(confidence, "confidence")
    estimate, variance, n_used = _ratio_and_variance(*_checked(numerator, denominator))
    return _with_interval(estimate, variance, n_used - 1.0, confidence)


def jackknife_ratio_difference(
    reference_numerator: npt.ArrayLike,
    reference_denominator: npt.ArrayLike,
    current_numerator: npt.ArrayLike,
    current_denominator: npt.ArrayLike,
    *,
    confidence: float = 0.95,
) -> JackknifeEstimate:
    """Change of a rate or mean from reference to current, with a cluster-aware standard error.

    ``D = R_current - R_reference``, ``SE^2 = SE_reference^2 + SE_current^2`` (the windows hold different requests),
    Welch-Satterthwaite degrees of freedom. The windows may have different numbers of buckets.

    Parameters: sums per bucket, (..., n_buckets_reference) and (..., n_buckets_current).
    Returns: ``JackknifeEstimate`` of arrays (...); SE is nan if either window has too few buckets.
    Raises: ``ValueError`` as ``jackknife_ratio``.

    Example:
        >>> den = [10] * 6
        >>> result = jackknife_ratio_difference([2, 0, 2, 0, 2, 0], den, [4, 5, 4, 5, 4, 5], den)
        >>> round(float(result.estimate), 3), round(float(result.standard_error), 4)
        (0.35, 0.05)

    Source: as ``jackknife_ratio``; Welch, Biometrika 34 (1947) for the degrees of freedom.
    """
    check_fraction(confidence, "confidence")
    first, first_variance, n_first = _ratio_and_variance(*_checked(reference_numerator, reference_denominator))
    second, second_variance, n_second = _ratio_and_variance(*_checked(current_numerator, current_denominator))
    variance = first_variance + second_variance
    spread = divide(first_variance**2, n_first - 1.0) + divide(second_variance**2, n_second - 1.0)
    dof = np.where(variance > 0, divide(variance**2, spread), n_first + n_second - 2.0)
    return _with_interval(np.asarray(second - first), np.asarray(variance), np.asarray(dof), confidence)


def _checked(numerator: npt.ArrayLike, denominator: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    num, den = as_floats(numerator), as_counts(denominator, "denominator")
    if num.ndim == 0 or num.shape[-1] != den.shape[-1]:
        raise ValueError(f"numerator: found shape {num.shape}, expected {den.shape[-1]} buckets as in denominator")
    if not np.isfinite(num).all():
        raise ValueError("numerator: found nan or infinity, expected finite sums")
    return num, den


def _ratio_and_variance(num: FloatArray, den: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Ratio, jackknife variance and number of buckets with data, each (...)."""
    num_total, den_total = num.sum(axis=-1, keepdims=True), den.sum(axis=-1, keepdims=True)
    used = np.broadcast_to(den > 0, np.broadcast_shapes(num.shape, den.shape))
    n_used = np.count_nonzero(used, axis=-1).astype(np.float64)
    left_out = np.where(used, divide(num_total - num, den_total - den), 0.0)
    centre = divide(left_out.sum(axis=-1), n_used)[..., None]
    squares = np.where(used, (left_out - centre) ** 2, 0.0).sum(axis=-1)
    variance = np.where(n_used >= MIN_BUCKETS, (n_used - 1.0) / np.maximum(n_used, 1.0) * squares, np.nan)
    return divide(num_total, den_total)[..., 0], np.asarray(variance), np.asarray(n_used)


def _with_interval(estimate: FloatArray, variance: FloatArray, dof: FloatArray, confidence: float) -> JackknifeEstimate:
    standard_error = np.sqrt(variance)
    usable_dof = np.where(np.isfinite(standard_error) & (dof > 0), dof, np.nan)
    half = special.stdtrit(usable_dof, 0.5 + 0.5 * confidence) * standard_error
    return JackknifeEstimate(
        estimate=np.asarray(estimate),
        standard_error=np.asarray(standard_error),
        low=np.asarray(estimate - half),
        high=np.asarray(estimate + half),
        dof=np.asarray(usable_dof),
    )
