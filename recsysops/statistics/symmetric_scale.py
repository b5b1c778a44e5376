"""A scale on which numbers spread alike to both sides, so that a robust z-score is fair to them."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from scipy import special

from recsysops.statistics._arrays import FloatArray

Transform: TypeAlias = Literal["auto", "none", "log", "rank"]
_SKEWED = 0.25


def symmetric_scale(values: FloatArray, transform: Transform = "auto") -> tuple[FloatArray, Transform]:
    """The numbers on another scale, and which.

    ``log``: ln x if all are above 0, else ``sign(x) ln(1 + |x| / m)`` with m the median of ``|x| > 0``. ``rank``: normal
    scores of mid-ranks, ``Phi^-1((rank - 3/8) / (n + 1/4))``, for any shape; it forgets how far the farthest is. ``auto``:
    log where Kelly's skewness ``|q90 + q10 - 2 q50| / (q90 - q10)`` is above 1/4 (it is for 2 % of samples of 100 normal
    numbers) and less after it; else none.

    Parameters: ``values`` (n,), finite.
    Returns: (n,) and "none", "log" or "rank". No answer depends on the order of the values.
    Raises: ``ValueError`` for another transform.

    Example:
        >>> symmetric_scale(np.array([1.0, 10.0, 100.0, 1000.0, 10000.0]))[1]
        'log'

    Source: Kelly, Fundamentals of Statistics (1947); Blom (1958) for the normal scores.
    """
    if transform == "none":
        return values, "none"
    if transform == "log":
        return _log(values), "log"
    if transform == "rank":
        return _normal_scores(values), "rank"
    if transform == "auto":
        skewness = _skewness(values)
        return symmetric_scale(values, "log" if skewness > _SKEWED and _skewness(_log(values)) < skewness else "none")
    raise ValueError(f"transform: found {transform!r}, expected auto, none, log or rank")


def _log(values: FloatArray) -> FloatArray:
    if (values > 0).all():
        return np.asarray(np.log(values))
    sizes = np.abs(values[values != 0])
    unit = np.median(sizes) if len(sizes) else 1.0
    return np.asarray(np.sign(values) * np.log1p(np.abs(values) / unit))


def _normal_scores(values: FloatArray) -> FloatArray:
    ordered = np.sort(values)
    rank = 0.5 * (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right") + 1)
    return np.asarray(special.ndtri((rank - 0.375) / (len(values) + 0.25)))


def _skewness(values: FloatArray) -> float:
    low, middle, high = np.quantile(values, [0.1, 0.5, 0.9])
    return float(abs(high + low - 2.0 * middle) / (high - low)) if high > low else 0.0
