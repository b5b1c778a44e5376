"""Did everything change by one ratio, so that no attribute is to blame?"""

from __future__ import annotations

import numpy as np

from recsysops.statistics._arrays import divide
from recsysops.statistics.leaves import Leaves

_ENOUGH = 100.0


def unevenness(leaves: Leaves) -> float:
    """How much of the change is not shared by all values of some dimension: 0 for one ratio everywhere, about 1 else.

    Of each dimension with two or more values of forecast >= 100, ``sum |d'| / sum |d|`` over these: the deviations
    ``d = 2 (F - V) / (F + V)`` of a value's sums from its forecast, and d' from its forecast times the total's ratio. The
    largest over the dimensions. Where a share a of the values changed alone it is about 2 (1 - a).

    Returns: >= 0; nan where no dimension has two such values, or nothing was forecast.

    Example:
        >>> from recsysops.statistics.leaves import gather_leaves
        >>> codes, forecast = [[0, 0], [0, 1], [1, 0], [1, 1]], [200, 300, 400, 500]
        >>> round(unevenness(gather_leaves(codes, [100, 150, 200, 250], forecast)), 2)
        0.0
        >>> round(unevenness(gather_leaves(codes, [100, 150, 400, 500], forecast)), 2)
        1.02

    Source: the ripple effect of Sun et al., HotSpot, IEEE Access 6 (2018), applied to the margins.
    """
    if not leaves.forecast.any():
        return float("nan")
    ratio = float(leaves.actual.sum() / leaves.forecast.sum())
    found = [float("nan")]
    for codes in leaves.codes.T:
        _, group = np.unique(codes, return_inverse=True)
        v, f = (np.bincount(group, one) for one in (leaves.actual, leaves.forecast))
        v, f = v[f >= _ENOUGH], f[f >= _ENOUGH]
        if len(f) > 1:
            unshared, moved = (np.abs(np.nan_to_num(divide(of - v, of + v))).sum() for of in (f * ratio, f))
            found.append(float(divide(unshared, moved)))
    return float(np.fmax.reduce(found))
