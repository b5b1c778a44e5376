"""Two rates compared: difference in points and ratio, each with an interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from recsysops.statistics._arrays import FloatArray, check_fraction, divide
from recsysops.statistics.proportions import effective_counts, wilson_interval


@dataclass(frozen=True, slots=True, eq=False)
class RateComparison:
    """Current against reference; every field has shape (...), nan where a window has no trials."""

    difference: FloatArray
    """Current minus reference rate, in [-1, 1]."""
    difference_low: FloatArray
    """Lower confidence limit of the difference."""
    difference_high: FloatArray
    """Upper confidence limit of the difference."""
    ratio: FloatArray
    """Current over reference rate; inf when the reference rate is 0, nan when both are."""
    ratio_low: FloatArray
    """Lower confidence limit of the ratio."""
    ratio_high: FloatArray
    """Upper confidence limit of the ratio; finite, so it may lie below an infinite ``ratio``."""


def compare_proportions(
    reference_successes: npt.ArrayLike,
    reference_trials: npt.ArrayLike,
    current_successes: npt.ArrayLike,
    current_trials: npt.ArrayLike,
    *,
    confidence: float = 0.95,
    design_effect: npt.ArrayLike = 1.0,
) -> RateComparison:
    """How much a rate changed from reference to current, as a difference and as a ratio.

    Difference: Newcombe's hybrid of two Wilson intervals, ``d - sqrt((q-l_q)^2 + (u_p-p)^2)`` to
    ``d + sqrt((u_q-q)^2 + (p-l_p)^2)`` for d = q - p. Ratio: log interval with half a success added to successes and
    trials. Where both rates are 1 the log interval has no width; compare the complements instead.

    Parameters: counts (...), broadcast; ``confidence`` in (0, 1); ``design_effect`` (...) of clustered rows.
    Returns: ``RateComparison`` of arrays (...).
    Raises: ``ValueError`` for impossible counts, confidence or design effect.

    Example:
        >>> result = compare_proportions(10, 1_000, 30, 1_000)
        >>> round(float(result.difference), 3), round(float(result.difference_low), 4), round(float(result.ratio), 1)
        (0.02, 0.0078, 3.0)

    Source: Newcombe, Stat. Med. 17 (1998), method 10; Pettigrew, Gart & Thomas, Biometrika 73 (1986).
    """
    check_fraction(confidence, "confidence")
    reference = wilson_interval(
        reference_successes, reference_trials, confidence=confidence, design_effect=design_effect
    )
    current = wilson_interval(current_successes, current_trials, confidence=confidence, design_effect=design_effect)
    difference = current.estimate - reference.estimate
    low_reach = np.hypot(current.estimate - current.low, reference.high - reference.estimate)
    high_reach = np.hypot(current.high - current.estimate, reference.estimate - reference.low)
    k, n = effective_counts(reference_successes, reference_trials, design_effect)
    j, m = effective_counts(current_successes, current_trials, design_effect)
    ratio_low, ratio_high = _ratio_limits(k, n, j, m, confidence)
    return RateComparison(
        difference=np.asarray(difference),
        difference_low=np.asarray(difference - low_reach),
        difference_high=np.asarray(difference + high_reach),
        ratio=divide(current.estimate, reference.estimate),
        ratio_low=ratio_low,
        ratio_high=ratio_high,
    )


def _ratio_limits(
    k: FloatArray, n: FloatArray, j: FloatArray, m: FloatArray, confidence: float
) -> tuple[FloatArray, FloatArray]:
    """Limits of (j/m) / (k/n) on the log scale, (...)."""
    log_ratio = np.log((j + 0.5) / (m + 0.5)) - np.log((k + 0.5) / (n + 0.5))
    variance = 1.0 / (k + 0.5) - 1.0 / (n + 0.5) + 1.0 / (j + 0.5) - 1.0 / (m + 0.5)
    half = float(special.ndtri(0.5 + 0.5 * confidence)) * np.sqrt(np.maximum(variance, 0.0))
    known = (n > 0) & (m > 0)
    low, high = np.exp(log_ratio - half), np.exp(log_ratio + half)
    return np.asarray(np.where(known, low, np.nan)), np.asarray(np.where(known, high, np.nan))
