"""How strongly leaves deviate from their forecast, and how probable it makes a group of them a root cause."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from recsysops.statistics._arrays import BoolArray, FloatArray, divide
from recsysops.statistics.leaves import Leaves

_MOST_EXTREMES = 5
_CAUTION = 0.3
"""The paper's 1 hides a root cause of few leaves: the high risk of three that fell by a quarter would be 0.46."""


@dataclass(frozen=True, slots=True, eq=False)
class JudgedLeaves:
    """Result of ``judge_leaves``; arrays (n_leaves,)."""

    leaves: Leaves
    deviation: FloatArray
    """``2 (f - v) / (f + v)`` in [-2, 2], positive for a drop; 0 where both are 0."""
    is_affected: BoolArray
    """Beyond the cut-off."""
    weight: FloatArray
    """In [0, 1]."""
    change: FloatArray
    """v - f, turned so that the affected leaves' changes add up to more than 0."""
    noise: float
    """Variance of v - f per unit of forecast."""

    @property
    def affected_change(self) -> float:
        """What the affected leaves changed by, >= 0."""
        return float(self.change[self.is_affected].sum())

    def where(self, kept: BoolArray) -> JudgedLeaves:
        """Some of the leaves, as they were judged among all."""
        return JudgedLeaves(
            self.leaves.where(kept),
            self.deviation[kept],
            self.is_affected[kept],
            self.weight[kept],
            self.change[kept],
            self.noise,
        )


def noise_of(actual: FloatArray, expected: FloatArray) -> float:
    """Variance per unit expected, ``sum (v - e)^2 / sum e``: 1 for plain counts.

    Parameters: ``actual`` and ``expected`` (n,), >= 0.
    Returns: >= 0; 0 where nothing was expected.

    Example:
        >>> noise_of(np.array([12.0, 8.0]), np.array([10.0, 10.0]))
        0.4

    Source: Wedderburn, Biometrika 61 (1974), the dispersion of quasi-likelihood.
    """
    return float(np.nan_to_num(divide(((actual - expected) ** 2).sum(), expected.sum()), posinf=0.0))


def judge_leaves(leaves: Leaves) -> JudgedLeaves:
    """Part the leaves into affected ones and others, and weigh both by their distance from the cut-off.

    With ``d = 2 (f - v) / (f + v)``, the side with the smaller extremes is taken for noise and mirrored: the cut-off is
    ``t = -(the nearer to 0 of the two extremes)``, a twentieth of the distinct deviations, five at most, left out at either
    end. Leaves beyond t are affected, with weight ``min(1, |d|)``; the others weigh ``min(1, |d - t|)``, and nothing if
    v = f = 0.

    Returns: ``JudgedLeaves``.

    Example:
        >>> from recsysops.statistics.leaves import gather_leaves
        >>> v = np.append(np.full(3, 40.0), 100.0 + np.arange(-6, 7))
        >>> judged = judge_leaves(gather_leaves(np.arange(16)[:, None], v, np.full(16, 100.0)))
        >>> np.flatnonzero(judged.is_affected).tolist(), judged.affected_change
        ([0, 1, 2, 3], 186.0)

    Source: Kalander, RiskLoc, arXiv 2205.10004 (2022).
    """
    v, f = leaves.smoothed, leaves.forecast
    deviation = np.nan_to_num(divide(2.0 * (f - v), f + v))
    cut = _cut_off(deviation)
    is_affected = deviation > cut if cut >= 0 else deviation < cut
    weight = np.minimum(1.0, np.where(is_affected, np.abs(deviation), np.abs(deviation - cut)))
    weight[(v == 0) & (f == 0)] = 0.0
    change = leaves.actual - f
    noise = noise_of(leaves.actual[~is_affected], f[~is_affected])
    judged = JudgedLeaves(leaves, deviation, is_affected, weight, change, noise)
    return judged if judged.affected_change >= 0 else replace(judged, change=-change)


def _cut_off(deviation: FloatArray) -> float:
    distinct = np.unique(deviation)
    if not len(distinct):
        return 0.0
    n_left_out = min(_MOST_EXTREMES, len(distinct) // 20)
    lowest, highest = distinct[n_left_out], distinct[-1 - n_left_out]
    return float(-lowest if abs(lowest) <= abs(highest) else -highest)


def risk_of_groups(judged: JudgedLeaves, group: npt.NDArray[np.intp]) -> FloatArray:
    """High minus low risk of every group of leaves: how far it is affected, less how far not by one ratio.

    ``A / (A + N + 0.3) - mean |d'| / mean |d|`` with A and N the weights of affected and other leaves, and d' the deviation
    from ``f sum(v) / sum(f)`` of the group, over leaves with v > 0 and f > 0.

    Parameters: ``group`` (n_leaves,) integers from 0.
    Returns: (n_groups,), in [-1, 1) but for groups whose leaves moved against one another.

    Example:
        >>> from recsysops.statistics.leaves import gather_leaves
        >>> v = np.append(np.full(3, 40.0), 100.0 + np.arange(-6, 7))
        >>> judged = judge_leaves(gather_leaves(np.arange(16)[:, None], v, np.full(16, 100.0)))
        >>> risk_of_groups(judged, np.repeat([0, 1], [3, 13])).round(2).tolist()
        [0.9, -0.94]

    Source: Kalander, RiskLoc, arXiv 2205.10004 (2022).
    """
    v, f = judged.leaves.smoothed, judged.leaves.forecast
    affected, other = (np.bincount(group, judged.weight * side) for side in (judged.is_affected, ~judged.is_affected))
    is_comparable = (v > 0) & (f > 0)
    shared = f * divide(np.bincount(group, v * is_comparable), np.bincount(group, f * is_comparable))[group]
    unshared = np.where(is_comparable, np.abs(divide(2.0 * (shared - v), shared + v)), 0.0)
    left, before = (np.bincount(group, one) for one in (unshared, np.abs(judged.deviation) * is_comparable))
    high, low = affected / (affected + other + _CAUTION), np.divide(left, before, np.zeros_like(left), where=before > 0)
    return np.asarray(high - low)
