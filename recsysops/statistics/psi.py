"""Population stability index: how far the current distribution moved from the reference, symmetric."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsysops.statistics._arrays import FloatArray, as_counts, as_window_counts, divide
from recsysops.statistics.smoothing import smoothed_probabilities


def psi(reference: npt.ArrayLike, current: npt.ArrayLike) -> FloatArray:
    """How far two windows differ over the same cells: 0 for equal shapes, higher is further.

    ``PSI = sum_b (p_b - q_b) ln(p_b / q_b)`` in nats, on smoothed probabilities; equals KL(p||q) + KL(q||p).
    A value means nothing without the sample sizes: see ``expected_psi``.

    Parameters: ``reference`` and ``current`` (..., n_cells), rows per cell; leading dimensions broadcast.
    Returns: (...), nats, >= 0; nan where a window has no rows.
    Raises: ``ValueError`` for negative counts or unequal numbers of cells.

    Example:
        >>> round(float(psi([500, 300, 200], [400, 300, 300])), 4)
        0.0627

    Source: Yurdakul & Naranjo, J. Risk Model Validation 14 (2020).
    """
    reference_counts, current_counts = as_window_counts(reference, current)
    p, q = smoothed_probabilities(reference_counts), smoothed_probabilities(current_counts)
    value = ((p - q) * np.log(p / q)).sum(axis=-1)
    empty = (reference_counts.sum(axis=-1) == 0) | (current_counts.sum(axis=-1) == 0)
    return np.asarray(np.where(empty, np.nan, value))


def expected_psi(
    n_reference: npt.ArrayLike, n_current: npt.ArrayLike, n_cells: npt.ArrayLike, design_effect: npt.ArrayLike = 1.0
) -> FloatArray:
    """What PSI reads on average when nothing moved, from sampling noise alone.

    ``E0[PSI] ~ d (B - 1) (1/n + 1/m)``, because PSI nm/(n+m) is close to chi-square with B - 1 degrees of freedom.

    Parameters: rows in each window (...), number of cells B, and ``design_effect`` d, the mean design effect of the
    cell indicators (``design_effect.mean_cell_design_effect``), 1 for independent rows.
    Returns: (...), nats; inf where a window is empty.
    Raises: ``ValueError`` for negative input.

    Example:
        >>> round(float(expected_psi(1_000, 1_000, 20)), 3)
        0.038

    Source: Yurdakul & Naranjo, J. Risk Model Validation 14 (2020).
    """
    n = as_counts(n_reference, "n_reference", min_ndim=0)
    m = as_counts(n_current, "n_current", min_ndim=0)
    cells = as_counts(n_cells, "n_cells", min_ndim=0)
    deff = as_counts(design_effect, "design_effect", min_ndim=0)
    return np.asarray(deff * np.maximum(cells - 1, 0) * (divide(1.0, n) + divide(1.0, m)))
