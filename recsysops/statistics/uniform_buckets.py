"""Are things spread evenly over hash buckets, as a hash spreads them?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from recsysops.statistics._arrays import FloatArray, as_counts, divide


@dataclass(frozen=True, slots=True, eq=False)
class Evenness:
    """Result of ``bucket_evenness``; every field has shape (...)."""

    statistic: FloatArray
    """Pearson's chi-square against equal shares."""
    p_value: FloatArray
    """Chance of a spread this uneven if a hash dealt the things out; 1 without any."""
    imbalance: FloatArray
    """How far a bucket typically is from its share, beyond chance: sqrt(max(0, chi2 - dof) / n), 0.1 = 10 %."""


def bucket_evenness(counts: npt.ArrayLike) -> Evenness:
    """Whether independent things (requests, not rows) fill their buckets evenly.

    ``chi2 = sum_b (n_b - n/B)^2 / (n/B)`` with B - 1 degrees of freedom.

    Parameters: ``counts`` (..., n_buckets).
    Returns: ``Evenness`` of arrays (...).
    Raises: ``ValueError`` for negative counts.

    Example:
        >>> found = bucket_evenness([100, 100, 100, 20])
        >>> round(float(found.statistic), 1), round(float(found.imbalance), 2)
        (60.0, 0.42)

    Source: Pearson (1900); Cohen, Statistical Power Analysis (1988), ch. 7 for the effect w.
    """
    n_b = as_counts(counts, "counts")
    n, size = n_b.sum(axis=-1), n_b.shape[-1]
    share = n / size
    statistic = divide(((n_b - share[..., None]) ** 2).sum(axis=-1), share)
    dof = size - 1.0
    known = n > 0
    return Evenness(
        statistic=statistic,
        p_value=np.asarray(np.where(known, special.chdtrc(dof, np.where(known, statistic, 0.0)), 1.0)),
        imbalance=np.asarray(np.sqrt(np.maximum(divide(np.nan_to_num(statistic) - dof, n), 0.0))),
    )
