"""Intervals for one proportion: Wilson (good coverage on average) and Clopper-Pearson (never below nominal)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from recsysops.statistics._arrays import FloatArray, as_counts, check_fraction, divide


@dataclass(frozen=True, slots=True, eq=False)
class RateInterval:
    """A rate with its confidence interval; every field has shape (...)."""

    estimate: FloatArray
    """Observed rate; nan without trials."""
    low: FloatArray
    """Lower confidence limit; nan without trials."""
    high: FloatArray
    """Upper confidence limit; nan without trials."""


def effective_counts(
    successes: npt.ArrayLike, trials: npt.ArrayLike, design_effect: npt.ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Successes and trials of the independent sample worth as much as this clustered one: both divided by d.

    Parameters: counts (...) with successes <= trials; ``design_effect`` (...), > 0.
    Returns: effective successes and trials, broadcast to (...).
    Raises: ``ValueError`` for negative counts, successes > trials, or a design effect <= 0.

    Example:
        >>> k, n = effective_counts(30, 600, 2.0)
        >>> float(k), float(n)
        (15.0, 300.0)

    Source: Kish, Survey Sampling (1965), section 8.2.
    """
    k = as_counts(successes, "successes", min_ndim=0)
    n = as_counts(trials, "trials", min_ndim=0)
    deff = as_counts(design_effect, "design_effect", min_ndim=0)
    if (k > n).any():
        raise ValueError("successes: found more successes than trials")
    if (deff <= 0).any():
        raise ValueError("design_effect: expected numbers > 0")
    k, n, deff = np.broadcast_arrays(k, n, deff)
    return np.asarray(k / deff), np.asarray(n / deff)


def wilson_interval(
    successes: npt.ArrayLike, trials: npt.ArrayLike, *, confidence: float = 0.95, design_effect: npt.ArrayLike = 1.0
) -> RateInterval:
    """Score interval of a rate; the everyday choice.

    ``(p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)``.

    Parameters: counts (...); ``confidence`` in (0, 1); ``design_effect`` (...) shrinks the sample for clustered rows.
    Returns: ``RateInterval`` of arrays (...), rates in [0, 1].
    Raises: ``ValueError`` for impossible counts, confidence or design effect.

    Example:
        >>> interval = wilson_interval(0, 100)
        >>> float(interval.low), round(float(interval.high), 4)
        (0.0, 0.037)

    Source: Wilson, J. Am. Stat. Assoc. 22 (1927).
    """
    check_fraction(confidence, "confidence")
    k, n = effective_counts(successes, trials, design_effect)
    z = float(special.ndtri(0.5 + 0.5 * confidence))
    p = divide(k, n)
    centre = (k + 0.5 * z**2) / (n + z**2)
    half = z * np.sqrt(np.maximum(k * (1.0 - np.nan_to_num(p)), 0.0) + 0.25 * z**2) / (n + z**2)
    low = np.where(k > 0, np.maximum(centre - half, 0.0), 0.0)
    high = np.where(k < n, np.minimum(centre + half, 1.0), 1.0)
    return RateInterval(p, np.asarray(np.where(n > 0, low, np.nan)), np.asarray(np.where(n > 0, high, np.nan)))


def clopper_pearson_interval(
    successes: npt.ArrayLike, trials: npt.ArrayLike, *, confidence: float = 0.95, design_effect: npt.ArrayLike = 1.0
) -> RateInterval:
    """Exact interval of a rate: coverage is never below nominal; the choice for rare events and promises.

    Beta quantiles: low ``B(a/2; k, n-k+1)``, high ``B(1-a/2; k+1, n-k)`` with a = 1 - confidence.

    Parameters: counts (...); ``confidence`` in (0, 1); ``design_effect`` (...) shrinks the sample for clustered rows
    (the interval is then approximate).
    Returns: ``RateInterval`` of arrays (...), rates in [0, 1].
    Raises: ``ValueError`` for impossible counts, confidence or design effect.

    Example:
        >>> interval = clopper_pearson_interval(0, 100)
        >>> float(interval.low), round(float(interval.high), 4)
        (0.0, 0.0362)

    Source: Clopper & Pearson, Biometrika 26 (1934); Korn & Graubard, Survey Methodology 24 (1998) for clusters.
    """
    check_fraction(confidence, "confidence")
    k, n = effective_counts(successes, trials, design_effect)
    tail = 0.5 - 0.5 * confidence
    low = np.where(k > 0, special.betaincinv(np.where(k > 0, k, 1.0), n - k + 1.0, tail), 0.0)
    high = np.where(k < n, special.betaincinv(k + 1.0, np.where(k < n, n - k, 1.0), 1.0 - tail), 1.0)
    return RateInterval(
        divide(k, n), np.asarray(np.where(n > 0, low, np.nan)), np.asarray(np.where(n > 0, high, np.nan))
    )
