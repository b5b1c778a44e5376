"""How much a daily rate moves although nothing is wrong, and whether a new day moves more than that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from recsysops.statistics._arrays import BoolArray, FloatArray, as_counts, as_floats, divide


@dataclass(frozen=True, slots=True, eq=False)
class BetweenDays:
    """Random-effects summary of reference days; every field has shape (...)."""

    mean: FloatArray
    """Random-effects mean over days."""
    mean_variance: FloatArray
    """Variance of that mean."""
    tau2: FloatArray
    """Between-day variance, >= 0; nan with a single day."""
    n_days: FloatArray
    """Days with data."""


@dataclass(frozen=True, slots=True, eq=False)
class NewDayTest:
    """Result of ``new_day_rate_test``; every field has shape (...)."""

    expected: FloatArray
    """Mean rate of the reference days."""
    difference: FloatArray
    """Current rate minus ``expected``."""
    tau2: FloatArray
    """Between-day variance of the rate; nan when it cannot be known."""
    between_known: BoolArray
    """False with a single reference day: then only sampling noise is in ``z``, and a quiet day may look loud."""
    z: FloatArray
    """difference / sqrt(sampling + between-day + reference-mean variance)."""
    p_value: FloatArray
    """Two-sided, Student's t with (days - 1) degrees of freedom, normal for a single day."""
    z_sampling: FloatArray
    """The same without the between-day variance: is it more than sampling noise?"""
    p_sampling: FloatArray
    """Two-sided normal probability of ``z_sampling``."""


def between_day_variance(effects: npt.ArrayLike, variances: npt.ArrayLike) -> BetweenDays:
    """How much a daily statistic varies between days beyond its sampling noise.

    With w = 1/v, Q = sum w (y - m_w)^2: ``tau2 = max(0, (Q - (k-1)) / (sum w - sum w^2 / sum w))``; mean with weights
    1/(v + tau2).

    Parameters: ``effects`` y and ``variances`` v > 0, (..., n_days); nan in either = no data that day.
    Returns: ``BetweenDays`` of arrays (...); nan without any day.
    Raises: ``ValueError`` for variances <= 0.

    Example:
        >>> result = between_day_variance([0.1, 0.3, 0.5], [0.01, 0.01, 0.01])
        >>> round(float(result.mean), 3), round(float(result.tau2), 3)
        (0.3, 0.03)

    Source: DerSimonian & Laird, Controlled Clinical Trials 7 (1986).
    """
    y, v = np.broadcast_arrays(as_floats(effects), as_floats(variances))
    if y.ndim == 0 or (v <= 0).any():
        raise ValueError("expected effects over (..., n_days) with variances > 0")
    used = np.isfinite(y) & np.isfinite(v)
    weight = np.where(used, 1.0 / np.where(used, v, 1.0), 0.0)
    y, n_days = np.where(used, y, 0.0), np.count_nonzero(used, axis=-1)
    total = weight.sum(axis=-1)
    fixed_mean = divide((weight * y).sum(axis=-1), total)
    q = np.where(used, weight * (y - fixed_mean[..., None]) ** 2, 0.0).sum(axis=-1)
    tau2 = np.maximum(divide(q - (n_days - 1), total - divide((weight**2).sum(axis=-1), total)), 0.0)
    tau2 = np.where(n_days >= 2, tau2, np.nan)
    shared = np.nan_to_num(tau2)[..., None]
    random_weight = np.where(used, 1.0 / (np.where(used, v, 1.0) + shared), 0.0)
    random_total = random_weight.sum(axis=-1)
    return BetweenDays(
        mean=divide((random_weight * y).sum(axis=-1), random_total),
        mean_variance=divide(1.0, np.where(random_total > 0, random_total, np.nan)),
        tau2=np.asarray(tau2),
        n_days=np.asarray(n_days, dtype=np.float64),
    )


def new_day_rate_test(
    reference_successes: npt.ArrayLike,
    reference_trials: npt.ArrayLike,
    current_successes: npt.ArrayLike,
    current_trials: npt.ArrayLike,
    *,
    design_effect: npt.ArrayLike = 1.0,
) -> NewDayTest:
    """Whether a new day's rate departs from the reference days by more than days usually do.

    ``z = (p_new - m) / sqrt(v_new + tau2 + Var(m))`` with the random-effects mean m; sampling variances
    ``d p (1-p) / n`` use one smoothed pooled reference rate p = (k + 1/2)/(n + 1), so empty days and zero counts are
    harmless. A normal approximation: for an expected count under about 10 use ``count_prediction``.

    Parameters: reference counts (..., n_days), days without trials are left out; current counts (...);
    ``design_effect`` d (...), > 0, of clustered rows.
    Returns: ``NewDayTest`` of arrays (...); nan without reference or current trials.
    Raises: ``ValueError`` for negative counts, successes > trials, or a design effect <= 0.

    Example:
        >>> result = new_day_rate_test([100, 120, 90, 110], [10_000] * 4, 180, 10_000)
        >>> round(float(result.difference), 4), bool(result.between_known), bool(result.p_value < 0.02)
        (0.0075, True, True)

    Source: DerSimonian & Laird (1986); Higgins, Thompson & Spiegelhalter, J. R. Stat. Soc. A 172 (2009), prediction.
    """
    k, n = as_counts(reference_successes, "reference_successes"), as_counts(reference_trials, "reference_trials")
    j = as_counts(current_successes, "current_successes", min_ndim=0)
    m = as_counts(current_trials, "current_trials", min_ndim=0)
    deff = as_counts(design_effect, "design_effect", min_ndim=0)
    if (k > n).any() or (j > m).any() or (deff <= 0).any():
        raise ValueError("expected successes <= trials and design effects > 0")
    pooled = (k.sum(axis=-1) + 0.5) / (n.sum(axis=-1) + 1.0)
    unit_variance = deff * pooled * (1.0 - pooled)
    day_variance = divide(unit_variance[..., None], np.where(n > 0, n, np.nan))
    days = between_day_variance(divide(k, n), day_variance)
    sampling = divide(unit_variance, np.where(m > 0, m, np.nan))
    difference = divide(j, m) - days.mean
    known = days.n_days >= 2
    z = difference / np.sqrt(sampling + np.nan_to_num(days.tau2) + days.mean_variance)
    pooled_difference = divide(j, m) - divide(k.sum(axis=-1), n.sum(axis=-1))
    z_sampling = pooled_difference / np.sqrt(sampling + divide(unit_variance, n.sum(axis=-1)))
    student = 2.0 * special.stdtr(np.where(known, days.n_days - 1.0, 1.0), -np.abs(z))
    return NewDayTest(
        expected=days.mean,
        difference=np.asarray(difference),
        tau2=days.tau2,
        between_known=np.asarray(known),
        z=np.asarray(z),
        p_value=np.asarray(np.where(known, student, 2.0 * special.ndtr(-np.abs(z)))),
        z_sampling=np.asarray(z_sampling),
        p_sampling=np.asarray(2.0 * special.ndtr(-np.abs(z_sampling))),
    )
