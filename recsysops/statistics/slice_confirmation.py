"""Is a slice that looked bad still bad on rows that had no part in finding it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from recsysops.statistics._arrays import BoolArray, FloatArray, as_counts, check_fraction, divide
from recsysops.statistics.estimate import Estimate
from recsysops.statistics.multiplicity import benjamini_hochberg
from recsysops.statistics.slice_finding import Slice, find_slices


@dataclass(frozen=True)
class ConfirmedSlice:
    """A slice and what other rows say of it."""

    found: Slice
    """As it was found."""
    n: int
    """Its rows among those it was judged on."""
    difference: Estimate
    """Mean error in it minus that of all other rows, with a 95 % interval."""
    p_value: float
    """One-sided, of no more error than elsewhere; nan where it has too few rows to say."""
    adjusted: float
    """Benjamini-Hochberg over the slices."""
    is_confirmed: bool


def welch_difference(
    values: npt.ArrayLike, is_in: npt.ArrayLike, clusters: npt.ArrayLike | None = None
) -> tuple[Estimate, float]:
    """Mean inside minus mean outside, and the one-sided p-value of its being 0 or less; rows may come in clusters.

    Without clusters Welch's t-test. With them, the rows' parts of the difference are added up by cluster before they are
    squared: ``var = sum_g (sqrt(c_1) a_g - sqrt(c_0) b_g)^2`` with a_g the sum of ``(x - mean_1) / n_1`` over the
    cluster's rows inside, b_g the same outside, c = m / (m - 1) for m clusters with rows on that side; Welch's degrees of
    freedom with m in the place of n.

    Parameters: ``values`` (n,); ``is_in`` (n,) flags; ``clusters`` (n,) integers, such as request numbers.
    Returns: the difference with its 95 % interval, and the p-value; nan with under two clusters on either side.
    Raises: ``ValueError`` for unequal lengths.

    Example:
        >>> difference, p = welch_difference([5.0, 6.0, 7.0, 1.0, 2.0, 3.0], [True] * 3 + [False] * 3)
        >>> round(difference.value, 2), round(difference.low, 2), round(p, 4)
        (4.0, 1.73, 0.004)

    Source: Welch, Biometrika 34 (1947); Liang & Zeger, Biometrika 73 (1986) for the clusters.
    """
    x, inside = np.asarray(values, np.float64), np.asarray(is_in, bool)
    group = np.arange(len(x)) if clusters is None else np.unique(np.asarray(clusters), return_inverse=True)[1]
    if not x.shape == inside.shape == group.shape:
        raise ValueError(
            f"found {x.shape} values, {inside.shape} flags, {group.shape} clusters, expected as many of all"
        )
    one, other = (_side(x, side, group) for side in (inside, ~inside))
    value = one.mean - other.mean
    if min(one.n_clusters, other.n_clusters) < 2:
        return Estimate(value, float("nan"), float("nan")), float("nan")
    variances = [float(side.parts @ side.parts) for side in (one, other)]
    error = float(np.linalg.norm(one.parts - other.parts))
    spread = sum(v**2 / (side.n_clusters - 1) for v, side in zip(variances, (one, other), strict=True))
    freedom = float(divide(sum(variances) ** 2, spread))
    if not error > 0:
        return Estimate(value, value, value), 0.0 if value > 0 else 1.0
    half = float(special.stdtrit(freedom, 0.975)) * error
    return Estimate(value, value - half, value + half), float(special.stdtr(freedom, -value / error))


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    mean: float
    n_clusters: int
    parts: FloatArray
    """(n_clusters of both sides,) what each cluster adds to the error of the mean."""


def _side(x: FloatArray, is_in: BoolArray, group: npt.NDArray[np.intp]) -> _Side:
    n, n_all = int(is_in.sum()), int(group.max(initial=-1)) + 1
    if not n:
        return _Side(float("nan"), 0, np.zeros(n_all))
    mean = float(x[is_in].mean())
    m = len(np.unique(group[is_in]))
    parts = np.bincount(group[is_in], (x[is_in] - mean) / n, n_all)
    return _Side(mean, m, np.asarray(parts * np.sqrt(m / max(m - 1, 1))))


def confirm_slices(
    slices: Sequence[Slice],
    codes: npt.ArrayLike,
    errors: npt.ArrayLike,
    clusters: npt.ArrayLike | None = None,
    *,
    q: float = 0.1,
) -> tuple[ConfirmedSlice, ...]:
    """Judge slices on rows that had no part in finding them.

    Parameters: ``slices`` of ``find_slices``; ``codes`` (n_rows, n_features) and ``errors`` (n_rows,) of the other rows;
    ``clusters`` (n_rows,) as in ``welch_difference``; ``q``, the share of false slices allowed.
    Returns: one for each slice, in the order given.
    Raises: ``ValueError`` for lengths that do not fit or a q outside (0, 1).

    Example:
        >>> codes = np.repeat([[0], [1]], 60, axis=0)
        >>> slices = find_slices(codes, np.repeat([1.0, 3.0], 60))
        >>> confirm_slices(slices, codes, np.repeat([1.0, 3.0], 60) + np.tile([0.0, 0.5], 60))[0].is_confirmed
        True

    Source: Welch (1947); Benjamini & Hochberg, J. R. Stat. Soc. B 57 (1995).
    """
    check_fraction(q, "q")
    x, e = np.asarray(codes, np.int64), as_counts(errors, "errors")
    flags = [np.logical_and.reduce([x[:, feature] == code for feature, code in one.conditions]) for one in slices]
    judged = [welch_difference(e, is_in, clusters) for is_in in flags]
    adjusted = benjamini_hochberg([p for _, p in judged]) if judged else np.empty(0)
    return tuple(
        ConfirmedSlice(one, int(is_in.sum()), difference, p, float(fair), bool(fair <= q))
        for one, is_in, (difference, p), fair in zip(slices, flags, judged, adjusted, strict=True)
    )


def find_and_confirm(
    codes: npt.ArrayLike,
    errors: npt.ArrayLike,
    clusters: npt.ArrayLike | None = None,
    *,
    seed: int = 0,
    q: float = 0.1,
    alpha: float = 0.95,
    k: int = 20,
    max_level: int = 3,
) -> tuple[ConfirmedSlice, ...]:
    """Find slices on one half of the clusters and judge them on the other, so that the search cannot flatter itself.

    Parameters: as ``find_slices`` and ``confirm_slices``; without ``clusters`` every row is one; ``seed`` deals them.
    Returns: the slices found, the best first, confirmed or not.
    Raises: ``ValueError`` as those two.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> codes = rng.integers(0, 4, (4_000, 3))
        >>> found = find_and_confirm(codes, rng.exponential(np.where(codes[:, 1] == 2, 3.0, 1.0)))
        >>> found[0].found.conditions, found[0].is_confirmed
        (((1, 2),), True)

    Source: sample splitting, Cox, Biometrika 62 (1975).
    """
    x, e = np.asarray(codes, np.int64), np.asarray(errors, np.float64)
    names, group = np.unique(np.arange(len(e)) if clusters is None else np.asarray(clusters), return_inverse=True)
    is_first = (np.random.default_rng(seed).permutation(len(names)) % 2 == 0)[group]
    slices = find_slices(x[is_first], e[is_first], alpha=alpha, k=k, max_level=max_level)
    return confirm_slices(slices, x[~is_first], e[~is_first], group[~is_first], q=q)
