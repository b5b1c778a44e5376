"""Design effect: how many times larger the variance of a rate is because rows come in requests."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsysops.statistics._arrays import FloatArray, as_counts, divide
from recsysops.statistics.bucket_jackknife import jackknife_ratio


def design_effect(successes: npt.ArrayLike, trials: npt.ArrayLike) -> FloatArray:
    """How many clustered rows carry the information of one independent row, for a rate.

    ``d = SE_jackknife^2 / (R (1 - R) / N)`` with R the rate over all buckets and N all trials; the standard error
    comes from deleting one bucket at a time. From 32 buckets d itself has a relative standard error near 25 %, so a
    value below 1 is usually noise: floor it at 1 before widening an interval with it.

    Parameters: ``successes`` and ``trials`` (..., n_buckets), rows per request-hash bucket.
    Returns: (...), about 1 for independent rows; nan with under 5 buckets holding trials, or a rate of 0 or 1.
    Raises: ``ValueError`` for negative counts, unequal shapes, or successes > trials.

    Example:
        >>> float(design_effect([2, 0, 2, 0, 2, 0], [10, 10, 10, 10, 10, 10]))  # doctest: +ELLIPSIS
        1.33...

    Source: Kish, Survey Sampling (1965), section 8.2; Wolter, Introduction to Variance Estimation (2007), ch. 4.
    """
    k, n = as_counts(successes, "successes"), as_counts(trials, "trials")
    if (k > n).any():
        raise ValueError("successes: found more successes than trials")
    jackknife = jackknife_ratio(k, n)
    binomial_variance = divide(jackknife.estimate * (1.0 - jackknife.estimate), n.sum(axis=-1))
    known = (jackknife.estimate > 0) & (jackknife.estimate < 1)
    return np.asarray(np.where(known, divide(jackknife.standard_error**2, binomial_variance), np.nan))


def mean_cell_design_effect(bucket_counts: npt.ArrayLike) -> FloatArray:
    """Mean design effect of a distribution's cell indicators, which inflates PSI and chi-square under no drift.

    ``d = sum_b (1 - p_b) d_b / (B - 1)`` over the B cells in use (Rao and Scott's first-order correction). It is not
    1 + (k - 1) ICC of the raw value: indicators of narrow cells are far less correlated than the value itself.

    Parameters: ``bucket_counts`` (..., n_buckets, n_cells), rows per bucket and cell.
    Returns: (...), about 1 for independent rows; nan with under 5 buckets in use or fewer than 2 cells in use.
    Raises: ``ValueError`` for negative counts.

    Example:
        >>> float(mean_cell_design_effect([[2, 8], [0, 10], [2, 8], [0, 10], [2, 8], [0, 10]]))  # doctest: +ELLIPSIS
        1.33...

    Source: Rao & Scott, J. Am. Stat. Assoc. 76 (1981).
    """
    counts = as_counts(bucket_counts, "bucket_counts", min_ndim=2)
    by_cell = np.swapaxes(counts, -1, -2)
    rows = np.broadcast_to(counts.sum(axis=-1)[..., None, :], by_cell.shape)
    effects = design_effect(by_cell, rows)
    total = rows.sum(axis=-1)
    share = divide(by_cell.sum(axis=-1), total)
    in_use = share > 0
    weighted = np.where(in_use, (1.0 - share) * effects, 0.0).sum(axis=-1)
    n_in_use = np.count_nonzero(in_use, axis=-1)
    return divide(weighted, np.where(n_in_use >= 2, n_in_use - 1.0, np.nan))
