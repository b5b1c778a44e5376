"""Sample-ratio mismatch: are members dealt to the arms of an experiment in the shares that they should be?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from recsysops.statistics._arrays import FloatArray, as_counts
from recsysops.statistics.chi_square import chi_square
from recsysops.statistics.design_effect import mean_cell_design_effect


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

    @property
    def largest(self) -> int:
        """The arm whose share is farthest off; of two that are equally far the first, every day anew."""
        return int(np.argmax(np.round(np.abs(self.observed - self.expected), 9)))

    @property
    def deviation(self) -> float:
        """Its share minus what it should be."""
        return float((self.observed - self.expected)[self.largest])


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


def against_reference(reference: npt.ArrayLike, current: npt.ArrayLike) -> SampleRatio:
    """Current counts against those of reference units.

    A 2 x arms chi-square over d. Members come back day after day, so a month of them is no more independent evidence
    than about one day: the reference counts as one average unit.

    Parameters: ``reference`` (n_units, n_buckets, n_arms), ``current`` (n_buckets, n_arms) counts.
    Raises: ``ValueError`` if either has no counts.
    """
    before, now = as_counts(reference, "reference", min_ndim=3), as_counts(current, "current", min_ndim=2)
    used = before[before.sum(axis=(1, 2)) > 0]
    if not len(used) or not now.sum():
        raise ValueError("reference and current: expected counts in both")
    average = used.mean(axis=0).sum(axis=0)
    effect = max(_design_effect(now), _design_effect(used.sum(axis=0)) / len(used), 1.0)
    found = chi_square(average, now.sum(axis=0))
    statistic, dof = float(found.statistic) / effect, float(found.dof)
    return SampleRatio(
        np.asarray(average / average.sum()), np.asarray(now.sum(axis=0) / now.sum()), statistic, effect,
        float(special.chdtrc(dof, statistic)) if dof > 0 else 1.0,
    )  # fmt: skip


def _design_effect(buckets: FloatArray) -> float:
    """From the buckets, at least 1; 1 where they cannot tell."""
    found = float(mean_cell_design_effect(buckets))
    return max(1.0, found) if found == found else 1.0
