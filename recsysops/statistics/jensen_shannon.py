"""Jensen-Shannon divergence: a bounded relative of PSI."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsysops.statistics._arrays import FloatArray, as_window_counts
from recsysops.statistics.smoothing import smoothed_probabilities


def jensen_shannon_divergence(reference: npt.ArrayLike, current: npt.ArrayLike) -> FloatArray:
    """How far two windows differ over the same cells, between 0 (equal) and ln 2 (disjoint).

    ``JSD = KL(p||m)/2 + KL(q||m)/2`` with ``m = (p + q)/2``, in nats, on smoothed probabilities. This is the
    divergence; the Jensen-Shannon *distance* is its square root. For small differences PSI ~ 8 JSD.

    Parameters: ``reference`` and ``current`` (..., n_cells), rows per cell; leading dimensions broadcast.
    Returns: (...), nats, in [0, ln 2]; nan where a window has no rows.
    Raises: ``ValueError`` for negative counts or unequal numbers of cells.

    Example:
        >>> round(float(jensen_shannon_divergence([500, 300, 200], [400, 300, 300])), 5)
        0.00779

    Source: Lin, IEEE Trans. Inf. Theory 37 (1991).
    """
    reference_counts, current_counts = as_window_counts(reference, current)
    p, q = smoothed_probabilities(reference_counts), smoothed_probabilities(current_counts)
    mixture = 0.5 * (p + q)
    value = 0.5 * (p * np.log(p / mixture) + q * np.log(q / mixture)).sum(axis=-1)
    empty = (reference_counts.sum(axis=-1) == 0) | (current_counts.sum(axis=-1) == 0)
    return np.asarray(np.where(empty, np.nan, np.maximum(value, 0.0)))
