"""Why a ratio changed: the values of a dimension changed their share (mix), or their own ratio (rate). Adds up exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from recsysops.statistics._arrays import FloatArray, as_counts, as_floats, check_fraction, divide
from recsysops.statistics.estimate import Estimate


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """One part of the change by value of the dimension; arrays (n_values,)."""

    estimate: FloatArray
    low: FloatArray
    high: FloatArray
    total: Estimate
    """Sum over the values, with its own interval."""


@dataclass(frozen=True, slots=True, eq=False)
class RateMix:
    """Result of ``rate_mix``; ``change`` = ``mix.total`` + ``rate.total``."""

    change: Estimate
    """Current minus reference ratio."""
    mix: Parts
    """``(w1 - w0) (r0 - R0)``: what a value's change of share did."""
    rate: Parts
    """``w1 (r1 - r0)``: what its change of ratio did."""


@dataclass(frozen=True, slots=True, eq=False)
class _Window:
    """Means over the rows of a window, by value: share of rows, sum and sum of squares per row of the window."""

    n: float
    share: FloatArray
    sums: FloatArray
    squares: FloatArray

    def variance(self, slope_share: FloatArray, slope_sum: FloatArray) -> FloatArray:
        """Variance (m,) of m functions of ``share`` and ``sums``, from their derivatives (n_values, m)."""
        mean = self.share @ slope_share + self.sums @ slope_sum
        square = self.share @ slope_share**2 + 2.0 * self.sums @ (slope_share * slope_sum) + self.squares @ slope_sum**2
        return np.maximum(square - mean**2, 0.0) / self.n


def rate_mix(
    reference_sums: npt.ArrayLike,
    reference_counts: npt.ArrayLike,
    current_sums: npt.ArrayLike,
    current_counts: npt.ArrayLike,
    *,
    reference_squares: npt.ArrayLike | None = None,
    current_squares: npt.ArrayLike | None = None,
    design_effect: float = 1.0,
    confidence: float = 0.95,
) -> RateMix:
    """Split the change of a ratio into mix and rate over the values of one dimension.

    With shares w, ratios r by value and R overall, ``R1 - R0 = sum (w1 - w0)(r0 - R0) + sum w1 (r1 - r0)``. A value that
    the reference does not have is all mix, ``w1 (r1 - R0)``; so is one that is gone. Intervals are normal, by the delta
    method: every part is a smooth function of the two windows' means, linearised at what was observed.

    Parameters: ``sums`` and ``counts`` (n_values,) of both windows, such as clicks and impressions; ``squares``
    (n_values,), sums of squared outcomes, needed unless outcomes are 0 or 1; ``design_effect`` > 0 of clustered rows;
    ``confidence`` of the intervals.
    Returns: ``RateMix``.
    Raises: ``ValueError`` for unequal shapes, negative counts, an empty window, sums without rows, or sums above counts
    where no squares are given.

    Example:
        >>> found = rate_mix([10, 90], [500, 500], [16, 36], [800, 200])
        >>> [round(one.value, 3) for one in (found.change, found.mix.total, found.rate.total)]
        [-0.048, -0.048, 0.0]

    Source: Kitagawa, J. Am. Stat. Assoc. 50 (1955), with the reference's ratio for weight; van der Vaart, Asymptotic
    Statistics (1998), ch. 3, for the delta method.
    """
    check_fraction(confidence, "confidence")
    if not design_effect > 0:
        raise ValueError(f"design_effect: found {design_effect:g}, expected a number > 0")
    before = _window(reference_sums, reference_counts, reference_squares, "reference")
    after = _window(current_sums, current_counts, current_squares, "current")
    if before.share.shape != after.share.shape:
        raise ValueError(f"found {len(before.share)} and {len(after.share)} values, expected the same in both windows")
    reach = float(special.ndtri(0.5 + 0.5 * confidence) * np.sqrt(design_effect))
    is_old, overall = before.share > 0, float(before.sums.sum())
    ratio = np.where(is_old, divide(before.sums, before.share), 0.0)
    mix = np.where(is_old, (after.share - before.share) * (ratio - overall), after.sums - after.share * overall)
    rate = np.where(is_old, after.sums - after.share * ratio, 0.0)
    slopes_mix, slopes_rate = _slopes(before, after, ratio, overall)
    whole = [one + other for one, other in zip(slopes_mix, slopes_rate, strict=True)]
    change = float(after.sums.sum()) - overall
    return RateMix(
        _total(change, before, after, whole, reach),
        _parts(mix, before, after, slopes_mix, reach),
        _parts(rate, before, after, slopes_rate, reach),
    )


def _slopes(
    before: _Window, after: _Window, ratio: FloatArray, overall: float
) -> tuple[list[FloatArray], list[FloatArray]]:
    """Derivatives of mix and of rate, each by the reference's shares and sums, then by the current ones: (value, part)."""
    is_old = before.share > 0
    grown = np.where(is_old, divide(after.share, before.share), 0.0)
    mix = [
        np.diag(np.where(is_old, overall - grown * ratio, 0.0)),
        np.diag(np.where(is_old, grown - 1.0, 0.0)) + (before.share - after.share),  # every row moves the overall ratio
        np.diag(ratio - overall),
        np.diag(np.where(is_old, 0.0, 1.0)),
    ]
    return mix, [np.diag(grown * ratio), np.diag(-grown), np.diag(-ratio), np.diag(np.where(is_old, 1.0, 0.0))]


def _parts(values: FloatArray, before: _Window, after: _Window, slopes: list[FloatArray], reach: float) -> Parts:
    half = reach * np.sqrt(before.variance(slopes[0], slopes[1]) + after.variance(slopes[2], slopes[3]))
    return Parts(values, values - half, values + half, _total(float(values.sum()), before, after, slopes, reach))


def _total(value: float, before: _Window, after: _Window, slopes: list[FloatArray], reach: float) -> Estimate:
    a, b, c, d = (one.sum(axis=1, keepdims=True) for one in slopes)
    half = reach * float(np.sqrt(before.variance(a, b) + after.variance(c, d))[0])
    return Estimate(value, value - half, value + half)


def _window(sums: npt.ArrayLike, counts: npt.ArrayLike, squares: npt.ArrayLike | None, name: str) -> _Window:
    rows, s = as_counts(counts, f"{name}_counts"), as_floats(sums)
    q = s if squares is None else as_counts(squares, f"{name}_squares")
    if rows.ndim != 1 or s.shape != rows.shape or q.shape != rows.shape or not np.isfinite(s).all():
        raise ValueError(f"{name}: expected finite sums, counts and squares of one shape (n_values,)")
    if not rows.any() or ((rows == 0) & (s != 0)).any():
        raise ValueError(f"{name}: found no rows, or a sum without rows")
    if squares is None and ((s > rows) | (s < 0)).any():
        raise ValueError(f"{name}: found sums outside [0, counts]; give squares where outcomes are not 0 or 1")
    n = float(rows.sum())
    return _Window(n, rows / n, s / n, q / n)
