"""Totals and means of all requests from the logged ones, with their sampling variance.

Requests are the units, never rows: give one value per logged request and the ``sampling_rate`` it was logged with.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Estimate:
    """A number of all requests, estimated from the logged ones."""

    value: float
    variance: float
    """Of the estimate, by sampling alone."""

    @property
    def standard_error(self) -> float:
        """Root of the variance; one that comes out negative, as an unbiased one may, counts as 0."""
        return float(np.sqrt(max(self.variance, 0.0)))

    def interval(self, z: float = 1.959964) -> tuple[float, float]:
        """The value ± z standard errors."""
        return self.value - z * self.standard_error, self.value + z * self.standard_error


@dataclass(frozen=True)
class Clusters:
    """Members' days: requests of one are logged together when the plan's member-day rule picks it."""

    member_day: Integers
    """(n_requests,) number of each request's member and day, from 0; −1 for a request without a member."""
    rate: float
    """The plan's ``member_day_rate``, below 1."""


def horvitz_thompson(values: npt.ArrayLike, rates: npt.ArrayLike, clusters: Clusters | None = None) -> Estimate:
    """The total over all requests: Σ y / π, with variance Σ (1 − π) y² / π²; both unbiased.

    Args:
        values: (n_logged,) one number per logged request.
        rates: (n_logged,) its logged inclusion probability, in (0, 1].
        clusters: needed for a plan with a member-day rule, whose requests are not drawn independently.

    Raises:
        ValueError: for rates outside (0, 1] or arrays of different lengths.

    Source:
        Horvitz & Thompson (1952).
    """
    y, pi = _checked(values, rates)
    return Estimate(float(np.sum(y / pi)), _variance(y, pi, clusters))


def hajek(values: npt.ArrayLike, rates: npt.ArrayLike, clusters: Clusters | None = None) -> Estimate:
    """The mean over all requests: Σ (y / π) / Σ (1 / π), with the variance of its linear part; NaN without requests.

    Args, raises: as ``horvitz_thompson``.

    Source:
        Hájek (1971); Särndal, Swensson & Wretman (1992), linearisation of a ratio.
    """
    y, pi = _checked(values, rates)
    if not len(y):
        return Estimate(float("nan"), float("nan"))
    total = float(np.sum(1 / pi))
    mean = float(np.sum(y / pi)) / total
    return Estimate(mean, _variance(y - mean, pi, clusters) / total**2)


def n_eff(rates: npt.ArrayLike) -> float:
    """How many requests of equal weight tell as much: (Σ w)² / Σ w² with w = 1 / π; 0 without requests.

    Source:
        Kish (1965).
    """
    weights = 1 / _checked(rates, rates)[1]
    return float(weights.sum() ** 2 / np.sum(weights**2)) if len(weights) else 0.0


def _checked(values: npt.ArrayLike, rates: npt.ArrayLike) -> tuple[Floats, Floats]:
    y, pi = np.asarray(values, np.float64), np.asarray(rates, np.float64)
    if y.ndim != 1 or y.shape != pi.shape:
        raise ValueError(f"values and rates: found shapes {y.shape} and {pi.shape}, expected one of each per request")
    is_bad = ~((pi > 0) & (pi <= 1))
    if is_bad.any():
        raise ValueError(f"rates: found {pi[is_bad][0]} in {is_bad.sum():,} requests, expected numbers in (0, 1]")
    return y, pi


def _variance(y: Floats, pi: Floats, clusters: Clusters | None) -> float:
    variance = float(np.sum((1 - pi) * (y / pi) ** 2))
    return variance if clusters is None or not clusters.rate else variance + _within(y, pi, clusters)


def _within(y: Floats, pi: Floats, clusters: Clusters) -> float:
    """The part of pairs of one member and day: Σ (π_ij − π_i π_j) / π_ij · y_i y_j / (π_i π_j).

    With the member-day's rate m and a request's own rate a, π = 1 − (1 − m)(1 − a) and π_ij = m + (1 − m) a_i a_j, so
    π_ij − π_i π_j = m / (1 − m) · (1 − π_i)(1 − π_j).
    """
    m = clusters.rate
    order = np.argsort(clusters.member_day, kind="stable")
    order = order[clusters.member_day[order] >= 0]
    day, y, pi = clusters.member_day[order], y[order], pi[order]
    own = np.clip(1 - (1 - pi) / (1 - m), 0.0, 1.0)
    total = 0.0
    for lag in range(1, int(np.bincount(day).max(initial=0))):
        is_pair = day[lag:] == day[:-lag]
        i, j = np.flatnonzero(is_pair), np.flatnonzero(is_pair) + lag
        covariance = m / (1 - m) * (1 - pi[i]) * (1 - pi[j])
        both = m + (1 - m) * own[i] * own[j]
        total += 2 * float(np.sum(covariance / both * y[i] * y[j] / (pi[i] * pi[j])))
    return total
