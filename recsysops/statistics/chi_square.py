"""Chi-square test and Cramer's V of two windows over categories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from recsysops.statistics._arrays import FloatArray, as_window_counts, divide


@dataclass(frozen=True, slots=True, eq=False)
class ChiSquare:
    """Result of ``chi_square``; every field has the leading shape (...)."""

    statistic: FloatArray
    """Pearson's chi-square, >= 0."""
    dof: FloatArray
    """Degrees of freedom: categories seen in either window, minus one."""
    p_value: FloatArray
    """Probability of a statistic this large for independent rows; 1 with a single category."""
    cramers_v: FloatArray
    """Effect size sqrt(chi-square / N), in [0, 1]."""


def chi_square(reference: npt.ArrayLike, current: npt.ArrayLike) -> ChiSquare:
    """Whether two windows share one distribution over categories, and how strongly they differ.

    ``chi2 = sum_ij (O_ij - E_ij)^2 / E_ij`` over the 2 x C table without continuity correction; categories empty in
    both windows are dropped. ``V = sqrt(chi2 / (N min(r-1, c-1)))``, where the minimum is 1 for two windows. The
    p-value treats rows as independent: for rows clustered in requests use ``bucket_permutation`` instead.

    Parameters: ``reference`` and ``current`` (..., n_categories), rows per category; leading dimensions broadcast.
    Returns: ``ChiSquare`` of arrays (...); all nan but ``dof`` where a window has no rows.
    Raises: ``ValueError`` for negative counts or unequal numbers of categories.

    Example:
        >>> result = chi_square([50, 30, 20, 0], [30, 30, 40, 0])
        >>> round(float(result.statistic), 4), float(result.dof), round(float(result.cramers_v), 4)
        (11.6667, 2.0, 0.2415)

    Source: Pearson (1900); Cramer, Mathematical Methods of Statistics (1946), ch. 21.
    """
    reference_counts, current_counts = as_window_counts(reference, current)
    n, m = reference_counts.sum(axis=-1), current_counts.sum(axis=-1)
    column = reference_counts + current_counts
    # For a 2 x C table both rows deviate by the same amount, so the sum over rows collapses:
    # chi2 = N^2/(nm) * sum_c (m O_rc - n O_cc)^2 / (N^2 column_c)
    deviation = m[..., None] * reference_counts - n[..., None] * current_counts
    cell_terms = np.divide(deviation**2, column, out=np.zeros_like(column), where=column > 0)
    statistic = divide(cell_terms.sum(axis=-1), n * m)
    dof = np.maximum(np.count_nonzero(column > 0, axis=-1) - 1, 0).astype(np.float64)
    p_value = np.where(
        dof > 0, special.chdtrc(np.maximum(dof, 1.0), statistic), np.where(np.isnan(statistic), np.nan, 1.0)
    )
    return ChiSquare(
        statistic=statistic,
        dof=np.asarray(dof),
        p_value=np.asarray(p_value),
        cramers_v=np.asarray(np.minimum(np.sqrt(divide(statistic, n + m)), 1.0)),
    )
