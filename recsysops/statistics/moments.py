"""Mergeable count, mean, variance and range: what a profile keeps of a numeric column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.statistics._arrays import FloatArray, as_floats, divide


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Sufficient statistics of any number of rows; every field has shape (...)."""

    count: FloatArray
    """Rows."""
    mean: FloatArray
    """Mean; 0 without rows, so that merging needs no special case."""
    m2: FloatArray
    """Sum of squared deviations from the mean."""
    minimum: FloatArray
    """Smallest value; inf without rows."""
    maximum: FloatArray
    """Largest value; -inf without rows."""

    def variance(self, *, ddof: int = 1) -> FloatArray:
        """Variance of the rows, ``m2 / (count - ddof)``.

        Parameters: ``ddof`` 1 for a sample, 0 for the whole.
        Returns: (...), squared units of the rows; nan with no more than ``ddof`` rows.

        Example:
            >>> float(moments_of([1.0, 3.0]).variance())
            2.0

        Source: as ``moments_of``.
        """
        return divide(self.m2, np.where(self.count > ddof, self.count - ddof, np.nan))


def moments_of(values: npt.ArrayLike) -> Moments:
    """Count, mean, sum of squared deviations, minimum and maximum over the last axis.

    Two passes: ``m2 = sum (x - mean)^2``, so a large offset costs no digits.

    Parameters: ``values`` (..., n_rows), finite; count NULL, NaN and infinities in cells of their own.
    Returns: ``Moments`` of arrays (...).
    Raises: ``ValueError`` for nan or infinity.

    Example:
        >>> result = moments_of([1.0, 2.0, 3.0, 6.0])
        >>> float(result.count), float(result.mean), float(result.m2)
        (4.0, 3.0, 14.0)

    Source: Chan, Golub & LeVeque, The American Statistician 37 (1983).
    """
    x = as_floats(values)
    if x.ndim == 0 or not np.isfinite(x).all():
        raise ValueError("values: expected finite numbers over (..., n_rows)")
    n_rows = x.shape[-1]
    mean = x.sum(axis=-1) / max(n_rows, 1)
    return Moments(
        count=np.full(x.shape[:-1], float(n_rows)),
        mean=np.asarray(mean),
        m2=np.asarray(((x - mean[..., None]) ** 2).sum(axis=-1)),
        minimum=np.asarray(x.min(axis=-1, initial=np.inf)),
        maximum=np.asarray(x.max(axis=-1, initial=-np.inf)),
    )


def merge_moments(first: Moments, second: Moments) -> Moments:
    """Moments of the rows of both, without the rows.

    With delta the difference of means and n = n1 + n2: ``mean = mean1 + delta n2/n``, ``m2 = m2_1 + m2_2 + delta^2
    n1 n2 / n``. Associative and commutative up to rounding; empty moments are neutral.

    Parameters: two ``Moments`` whose fields broadcast.
    Returns: ``Moments`` of arrays (...).

    Example:
        >>> merged = merge_moments(moments_of([1.0, 2.0]), moments_of([3.0, 6.0]))
        >>> float(merged.mean), float(merged.m2)
        (3.0, 14.0)

    Source: Chan, Golub & LeVeque, The American Statistician 37 (1983).
    """
    count = first.count + second.count
    share = np.where(count > 0, second.count / np.where(count > 0, count, 1.0), 0.0)
    delta = second.mean - first.mean
    return Moments(
        count=np.asarray(count),
        mean=np.asarray((1.0 - share) * first.mean + share * second.mean),
        m2=np.asarray(first.m2 + second.m2 + delta**2 * first.count * share),
        minimum=np.asarray(np.minimum(first.minimum, second.minimum)),
        maximum=np.asarray(np.maximum(first.maximum, second.maximum)),
    )
