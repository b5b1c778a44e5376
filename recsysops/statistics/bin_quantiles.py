"""Quantiles of numbers that were counted into bins."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsysops.statistics._arrays import FloatArray, as_counts, as_floats, check_fraction


def bin_quantiles(counts: npt.ArrayLike, edges: npt.ArrayLike, level: float) -> FloatArray:
    """The value below which a share ``level`` of the rows lies, linear within its bin.

    Bins are (-inf, e0], (e0, e1] … (en, inf); a row in an open bin counts as at the bin's finite edge. The error is at most
    the width of the bin.

    Parameters: ``counts`` (..., n_bins), rows per bin; ``edges`` (n_bins - 1,), ascending; ``level`` in (0, 1).
    Returns: (...); nan without rows.
    Raises: ``ValueError`` for impossible counts or level, or edges that do not fit.

    Example:
        >>> bin_quantiles([[0, 10, 10, 0], [0, 0, 0, 0]], [0.0, 1.0, 2.0], 0.25).tolist()
        [0.5, nan]

    Source: linear interpolation of the cumulative histogram, as Prometheus and others do.
    """
    check_fraction(level, "level")
    cells, bounds = as_counts(counts, "counts"), as_floats(edges)
    if bounds.shape != (cells.shape[-1] - 1,) or not len(bounds):
        raise ValueError(f"edges: found {bounds.shape}, expected one fewer than the {cells.shape[-1]} bins")
    total = cells.sum(axis=-1)
    reached = np.cumsum(cells, axis=-1)
    wanted = level * total
    index = np.minimum((reached < wanted[..., None]).sum(axis=-1), cells.shape[-1] - 1)
    here = np.take_along_axis(cells, index[..., None], axis=-1)[..., 0]
    below = np.take_along_axis(reached, index[..., None], axis=-1)[..., 0] - here
    left, right = bounds[np.maximum(index - 1, 0)], bounds[np.minimum(index, len(bounds) - 1)]
    inside = np.divide(wanted - below, here, out=np.zeros_like(total), where=here > 0)
    return np.asarray(np.where(total > 0, left + (right - left) * inside, np.nan))
