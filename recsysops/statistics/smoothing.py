"""Smoothed cell probabilities: no cell is ever impossible, and no floor is invented."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsysops.statistics._arrays import FloatArray, as_counts


def smoothed_probabilities(counts: npt.ArrayLike) -> FloatArray:
    """How probable each cell is, with half a row added to every cell.

    ``p_b = (a_b + 1/2) / (n + B/2)`` for B cells holding n rows: the posterior mean under the Jeffreys prior. The pull
    towards uniform fades as 1/n, unlike a fixed floor for empty cells, whose effect on PSI never fades.

    Parameters: ``counts`` (..., n_cells), rows per cell, >= 0.
    Returns: (..., n_cells), each row sums to 1; an empty row gives the uniform distribution.
    Raises: ``ValueError`` for negative or non-finite counts, or no cells.

    Example:
        >>> smoothed_probabilities([3, 0, 0, 0]).tolist()
        [0.7, 0.1, 0.1, 0.1]

    Source: Jeffreys, Proc. R. Soc. A 186 (1946); Krichevsky & Trofimov, IEEE Trans. Inf. Theory 27 (1981).
    """
    cells = as_counts(counts, "counts")
    n_cells = cells.shape[-1]
    return np.asarray((cells + 0.5) / (cells.sum(axis=-1, keepdims=True) + 0.5 * n_cells))
