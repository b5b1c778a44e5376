"""Sample-ratio mismatch: are members dealt to the arms of an experiment in the shares that they should be?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from recsysops.statistics._arrays import FloatArray, as_counts
from recsysops.statistics.chi_square import chi_square
from recsysops.statistics.design_effect import mean_cell_design_effect

_PRIOR_DOF, _BEYOND_CHANCE = 8.0, 0.05


@dataclass(frozen=True, slots=True, eq=False)
class SampleRatio:
    """Result of a test of shares; arms are the last axis of ``expected`` and ``observed``."""

    expected: FloatArray
    observed: FloatArray
    """Shares of the arms, each summing to 1."""
    statistic: float
    """Pearson's chi-square over the design effect."""
    design_effect: float
    """How many counts one independent member stands for, at least 1."""
    p_value: float
    n_units: float = 1.0
    """How many independent units the reference is worth, at least 1."""
    movable: float = 0.0
    """Share of the counts that a known change may have moved; what it may explain is no deviation."""

    @property
    def largest(self) -> int:
        """The arm whose share is farthest off; of two that are equally far the first, every day anew."""
        return int(np.argmax(np.round(np.abs(self.observed - self.nearest), 9)))

    @property
    def deviation(self) -> float:
        """Its share minus the nearest that it should be."""
        return float((self.observed - self.nearest)[self.largest])

    @property
    def nearest(self) -> FloatArray:
        """Of the shares that the change may have led to, those nearest to what was observed; else ``expected``."""
        return nearest_shares(self.expected, self.observed, self.movable)


def against_shares(buckets: npt.ArrayLike, shares: npt.ArrayLike) -> SampleRatio:
    """Observed counts against declared shares.

    ``chi2 = sum_a (n_a - n s_a)^2 / (n s_a) / d`` with arms - 1 degrees of freedom and d the mean design effect of the
    arms' indicators over the hash buckets of members (1 where each member counts once).

    Parameters: ``buckets`` (n_buckets, n_arms) counts; ``shares`` (n_arms,) > 0, summing to 1.
    Raises: ``ValueError`` for shares that do not, or without counts.

    Source: Fabijan et al., KDD (2019), sample-ratio mismatch; Rao & Scott, J. Am. Stat. Assoc. 76 (1981).
    """
    counts, wanted = as_counts(buckets, "buckets", min_ndim=2), np.asarray(shares, np.float64)
    if (wanted <= 0).any() or abs(float(wanted.sum()) - 1.0) > 1e-6 or len(wanted) != counts.shape[-1]:
        raise ValueError(f"shares: found {wanted.tolist()}, expected one above 0 for each arm, together 1")
    observed = counts.sum(axis=0)
    n = observed.sum()
    if not n:
        raise ValueError("buckets: found no counts")
    effect = _design_effect(counts)
    statistic = float(((observed - n * wanted) ** 2 / (n * wanted)).sum()) / effect
    p_value = float(special.chdtrc(len(wanted) - 1.0, statistic)) if len(wanted) > 1 else 1.0
    return SampleRatio(wanted, np.asarray(observed / n), statistic, effect, p_value)


def against_reference(reference: npt.ArrayLike, current: npt.ArrayLike, movable: float = 0.0) -> SampleRatio:
    """Current counts against those of reference units.

    A 2 x arms chi-square over d. Members come back day after day: the mean of K units is worth
    ``K / (1 + (K - 1) r)`` of them, where r = max(0, 1 - phi) is how alike units are, by the dispersion phi of their
    shares (Pearson's chi-square of units x arms over d and its degrees of freedom). The same members every day (phi = 0)
    are one unit, others every day (phi = 1) are K. Where phi is above 1, d is enlarged by it, moderated by eight degrees of
    freedom at 1; where that is no chance (p <= 0.05) by all of it, and Fisher's F takes the place of the chi-square.

    Parameters: ``reference`` (n_units, n_buckets, n_arms), ``current`` (n_buckets, n_arms) counts; ``movable`` in [0, 1],
    the share of the current counts that a known change may have moved to any arm.
    Raises: ``ValueError`` if either has no counts, or for another ``movable``.

    Source: Rao & Scott (1981); Kish, Survey Sampling (1965), section 8.2; Smyth (2004) for the moderation.
    """
    before, now = as_counts(reference, "reference", min_ndim=3), as_counts(current, "current", min_ndim=2)
    used = before[before.sum(axis=(1, 2)) > 0]
    if not len(used) or not now.sum():
        raise ValueError("reference and current: expected counts in both")
    if not 0 <= movable <= 1:
        raise ValueError(f"movable: found {movable}, expected a share in [0, 1]")
    by_unit, n = used.sum(axis=1), float(now.sum())
    clustered = max(_design_effect(now), _design_effect(used.sum(axis=0)) / len(used), 1.0)
    phi, freedom = _dispersion(by_unit)
    phi /= clustered
    n_units = len(used) / (1.0 + (len(used) - 1) * max(0.0, 1.0 - phi))
    is_beyond = freedom > 0 and float(special.chdtrc(freedom, phi * freedom)) <= _BEYOND_CHANCE
    effect = clustered * max(1.0, phi if is_beyond else (_PRIOR_DOF + freedom * phi) / (_PRIOR_DOF + freedom))
    average = by_unit.mean(axis=0)
    expected, observed = average / average.sum(), now.sum(axis=0) / n
    beyond = expected + observed - nearest_shares(expected, observed, movable)
    found = chi_square(average * n_units, n * np.maximum(beyond, 0.0))
    statistic, dof = float(found.statistic) / effect, float(found.dof)
    tail = special.fdtrc(dof, freedom, statistic / dof) if is_beyond else special.chdtrc(max(dof, 1.0), statistic)
    return SampleRatio(expected, observed, statistic, effect, float(tail) if dof > 0 else 1.0, n_units, movable)


def nearest_shares(expected: FloatArray, observed: FloatArray, movable: float) -> FloatArray:
    """Of all mixtures ``(1 - movable) expected + movable r``, the one that minimises Pearson's chi-square of ``observed``.

    No arm can fall below ``(1 - movable) expected``: those that did are held there, the others share the rest in
    proportion to what was observed (the Karush-Kuhn-Tucker conditions).

    Example:
        >>> [round(float(one), 2) for one in nearest_shares(np.array([0.5, 0.5]), np.array([0.3, 0.7]), 0.1)]
        [0.45, 0.55]
    """
    if movable <= 0:
        return expected
    least = (1.0 - movable) * expected
    held = np.zeros(len(expected), np.bool_)
    shares = observed
    for _ in expected:
        rest = float(observed[~held].sum())
        scale = (1.0 - float(least[held].sum())) / rest if rest > 0 else 0.0
        shares = np.where(held, least, observed * scale)
        if not (shares < least - 1e-12).any():
            break
        held |= shares < least
    return np.asarray(shares)


def _dispersion(by_unit: FloatArray) -> tuple[float, float]:
    """Pearson's chi-square of units x arms over its degrees of freedom, and these; (0, 0) for a single unit or arm."""
    counts = by_unit[:, by_unit.sum(axis=0) > 0]
    freedom = float((len(counts) - 1) * (counts.shape[1] - 1))
    if not freedom:
        return 0.0, 0.0
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    return float(((counts - expected) ** 2 / expected).sum()) / freedom, freedom


def _design_effect(buckets: FloatArray) -> float:
    """From the buckets, at least 1; 1 where they cannot tell."""
    found = float(mean_cell_design_effect(buckets))
    return max(1.0, found) if found == found else 1.0
