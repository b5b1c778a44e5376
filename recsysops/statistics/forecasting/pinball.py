"""Pinball loss of forecasts with the quantiles that their own earlier errors give them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsysops.statistics._arrays import FloatArray

LEVELS = (0.05, 0.5, 0.95)


def pinball_loss(values: npt.ArrayLike, forecasts: npt.ArrayLike, level: float) -> FloatArray:
    """``level (y - q)`` above the forecast quantile and ``(1 - level) (q - y)`` below it, point by point.

    Example:
        >>> pinball_loss([1.0, 3.0], [2.0, 2.0], 0.9).round(2).tolist()
        [0.1, 0.9]

    Source: Koenker & Bassett, Econometrica 46 (1978).
    """
    error = np.asarray(values, np.float64) - np.asarray(forecasts, np.float64)
    return np.asarray(np.maximum(level * error, (level - 1.0) * error))


def rolling_pinball(values: FloatArray, expected: FloatArray, judged: npt.NDArray[np.bool_], period: int) -> float:
    """Mean pinball loss at 5, 50 and 95 %, each point's quantiles from the errors at least one season before it.

    Parameters: ``values`` and ``expected`` (n_times,); ``judged`` (n_times,) says which points count.
    Returns: the mean loss; nan when no judged point has two seasons of errors before it.
    """
    error = values - expected
    known = judged & ~np.isnan(error)
    losses: list[float] = []
    for t in np.flatnonzero(known):
        before = error[: max(t - period + 1, 0)][known[: max(t - period + 1, 0)]]
        if len(before) >= 2 * period:
            offsets = np.quantile(before, LEVELS)
            losses += [float(pinball_loss(values[t], expected[t] + o, q)) for o, q in zip(offsets, LEVELS, strict=True)]
    return float(np.mean(losses)) if losses else float("nan")
