"""Kolmogorov-Smirnov statistic from binned counts, as a bracket that surely holds the exact one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.statistics._arrays import FloatArray, as_window_counts, cell_shares


@dataclass(frozen=True, slots=True, eq=False)
class KsBracket:
    """Result of ``ks_bracket``: the exact two-sided statistic lies in [low, high]; fields have shape (...)."""

    low: FloatArray
    """Largest gap between the cumulative shares at a bin edge; a lower limit of the exact statistic."""
    high: FloatArray
    """Largest gap possible inside any bin; an upper limit. ``high - low`` <= the largest share of a bin."""


def ks_bracket(reference: npt.ArrayLike, current: npt.ArrayLike) -> KsBracket:
    """Largest vertical gap between two cumulative distributions, from counts in ordered bins.

    With cumulative shares F, G at the bins' right edges: ``max_b |F_b - G_b| <= KS <= max_b max(F_b - G_{b-1},
    G_b - F_{b-1})``. The bins must be in order and hold only ordinary numbers (no NULL, NaN or default cells); the
    edges must be the same in both windows, and need not be known.

    Parameters: ``reference`` and ``current`` (..., n_cells), rows per bin; leading dimensions broadcast.
    Returns: ``KsBracket`` of arrays (...), in [0, 1]; nan where a window has no rows.
    Raises: ``ValueError`` for negative counts or unequal numbers of bins.

    Example:
        >>> bracket = ks_bracket([10, 20, 10], [10, 10, 20])
        >>> float(bracket.low), float(bracket.high)
        (0.25, 0.5)

    Source: Kolmogorov (1933), Smirnov (1939); the bracket follows from the monotonicity of F and G within a bin.
    """
    reference_counts, current_counts = as_window_counts(reference, current)
    p, q = cell_shares(reference_counts), cell_shares(current_counts)
    cumulative_reference, cumulative_current = np.cumsum(p, axis=-1), np.cumsum(q, axis=-1)
    gap = cumulative_reference - cumulative_current
    low = np.abs(gap).max(axis=-1)
    high = np.maximum(gap + q, p - gap).max(axis=-1)
    return KsBracket(low=np.asarray(np.minimum(low, 1.0)), high=np.asarray(np.clip(high, low, 1.0)))
