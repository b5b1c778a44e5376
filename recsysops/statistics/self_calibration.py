"""A statistic judged against its own clean history: no textbook threshold, only what this series usually does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from recsysops.statistics._arrays import BoolArray, FloatArray, as_floats, divide, nan_mad, nan_median

MIN_HISTORY = 5
"""Fewer clean days than this give no scale and no limit."""
SMALLEST_STATISTIC = 1e-12
"""Smaller values count as this one before taking logarithms."""
_MAD_EFFICIENCY = 0.37


@dataclass(frozen=True, slots=True, eq=False)
class CalibratedLimit:
    """Result of ``upper_limit``; every field has shape (...)."""

    limit: FloatArray
    """Alarm above this value; nan with fewer than ``MIN_HISTORY`` clean days."""
    n_history: FloatArray
    """Clean days the limit rests on."""
    is_extrapolated: BoolArray
    """True where history is too short for an order statistic, and a log-normal fit stands in."""


def calibrated_p_value(history: npt.ArrayLike, value: npt.ArrayLike) -> FloatArray:
    """How often clean history was at least this extreme.

    ``p = (1 + #{z0 >= z}) / (1 + N)``: never below 1/(N + 1), so 56 days can say 0.018 at best; pool features of one
    kind for less.

    Parameters: ``history`` (..., n_days), the same statistic computed the same way on clean days, nan = left out;
    ``value`` (...), today's.
    Returns: (...), in (0, 1]; nan where ``value`` is nan.
    Raises: ``ValueError`` if history has no day axis.

    Example:
        >>> float(calibrated_p_value([0.1, 0.2, 0.3, 0.4], 0.35))
        0.4

    Source: Phipson & Smyth, Stat. Appl. Genet. Mol. Biol. 9 (2010).
    """
    past, today = _checked(history), as_floats(value)
    n_at_least = np.count_nonzero(past >= today[..., None], axis=-1)
    p_value = (1.0 + n_at_least) / (1.0 + np.count_nonzero(~np.isnan(past), axis=-1))
    return np.asarray(np.where(np.isnan(today), np.nan, p_value))


def robust_log_z(history: npt.ArrayLike, value: npt.ArrayLike) -> FloatArray:
    """How many robust standard deviations today lies above clean history, on the log scale.

    ``z = (ln s - median) / (1.4826 MAD)`` with median and MAD of ln s over history.

    Parameters: ``history`` (..., n_days) and ``value`` (...), statistics >= 0 (values under 1e-12 count as 1e-12).
    Returns: (...); nan with fewer than ``MIN_HISTORY`` clean days; +-inf for a change where history never varied.
    Raises: ``ValueError`` for negative statistics.

    Example:
        >>> round(float(robust_log_z([0.010, 0.012, 0.009, 0.011, 0.010, 0.013], 0.030)), 1)
        7.8

    Source: Hampel, J. Am. Stat. Assoc. 69 (1974) for median and MAD.
    """
    past, today = _log(_checked(history)), _log(as_floats(value))
    deviation = today - nan_median(past)
    z = np.where(deviation == 0, 0.0, divide(deviation, nan_mad(past)))
    return np.asarray(np.where(_n_clean(past) >= MIN_HISTORY, z, np.nan))


def upper_limit(history: npt.ArrayLike, expected_exceedances: float, n_days: float) -> CalibratedLimit:
    """The value that clean days exceed only so often: an alarm budget turned into a threshold.

    With q = expected_exceedances / n_days and N clean days: the k-th largest of history, ``k = floor(q (N + 1))``,
    is exceeded with probability k/(N + 1) <= q whatever the distribution. If k < 1 a log-normal fit stands in,
    ``exp(median + t_{1-q} 1.4826 MAD sqrt(1 + pi/2N))``, Student's t with 0.37 (N - 1) degrees of freedom (the MAD's
    efficiency), and never below the largest clean value.

    Parameters: ``history`` (..., n_days_seen), clean statistics >= 0, nan = left out; ``expected_exceedances`` per
    ``n_days`` days, for example 1 per 30.
    Returns: ``CalibratedLimit`` of arrays (...).
    Raises: ``ValueError`` for negative statistics or a budget outside 0 < expected_exceedances < n_days.

    Example:
        >>> history = np.linspace(0.01, 0.99, 99)
        >>> round(float(upper_limit(history, 3, 100).limit), 2), bool(upper_limit(history, 3, 100).is_extrapolated)
        (0.97, False)

    Source: Wilks, Ann. Math. Stat. 12 (1941) for order statistics as tolerance limits; Rousseeuw & Croux, J. Am.
    Stat. Assoc. 88 (1993) for the MAD's efficiency.
    """
    if not 0.0 < expected_exceedances < n_days:
        raise ValueError(f"budget: found {expected_exceedances:g} per {n_days:g} days, expected between 0 and all")
    rate = expected_exceedances / n_days
    past = _checked(history)
    n_clean = _n_clean(past)
    rank = np.floor(rate * (n_clean + 1.0) + 1e-9).astype(np.intp)
    descending = -np.sort(-past, axis=-1)  # nan stays last
    kth_largest = np.take_along_axis(descending, np.maximum(rank - 1, 0)[..., None], axis=-1)[..., 0]
    fitted = np.maximum(_log_normal_limit(_log(past), n_clean, rate), descending[..., 0])
    limit = np.where(rank >= 1, kth_largest, fitted)
    return CalibratedLimit(
        limit=np.asarray(np.where(n_clean >= MIN_HISTORY, limit, np.nan)),
        n_history=n_clean,
        is_extrapolated=np.asarray(rank < 1),
    )


def _log_normal_limit(log_past: FloatArray, n_clean: FloatArray, rate: float) -> FloatArray:
    dof = np.maximum(_MAD_EFFICIENCY * (n_clean - 1.0), 1.0)
    spread = nan_mad(log_past) * np.sqrt(1.0 + np.pi / (2.0 * np.maximum(n_clean, 1.0)))
    return np.asarray(np.exp(nan_median(log_past) - special.stdtrit(dof, rate) * spread))


def _checked(history: npt.ArrayLike) -> FloatArray:
    past = as_floats(history)
    if past.ndim == 0 or past.shape[-1] == 0:
        raise ValueError(f"history: found shape {past.shape}, expected at least one day on the last axis")
    return past


def _n_clean(past: FloatArray) -> FloatArray:
    return np.asarray(np.count_nonzero(~np.isnan(past), axis=-1), dtype=np.float64)


def _log(statistic: FloatArray) -> FloatArray:
    if (statistic < 0).any():
        raise ValueError("expected statistics >= 0")
    return np.asarray(np.log(np.maximum(statistic, SMALLEST_STATISTIC)))
