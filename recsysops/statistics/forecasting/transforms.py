"""Scales on which healthy days differ by about the same amount, whatever the level."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from recsysops.statistics._arrays import FloatArray


@dataclass(frozen=True)
class Transform:
    """A scale and the way back; both keep nan."""

    name: str
    forward: Callable[[npt.ArrayLike], FloatArray]
    back: Callable[[npt.ArrayLike], FloatArray]


def _logit(values: npt.ArrayLike) -> FloatArray:
    return np.asarray(special.logit(np.asarray(values, np.float64)))


LOG1P = Transform(
    "log1p",
    lambda values: np.asarray(np.log1p(np.asarray(values, np.float64))),
    lambda values: np.asarray(np.expm1(np.asarray(values, np.float64))),
)
"""Volumes, whose swings are proportional to their level."""
LOGIT = Transform("logit", _logit, lambda values: np.asarray(special.expit(np.asarray(values, np.float64))))
"""Rates strictly between 0 and 1; smooth counts with ``smoothed_rate`` first."""
IDENTITY = Transform("identity", lambda values: np.asarray(values, np.float64), lambda values: np.asarray(values))
"""Levels of either sign."""


def smoothed_rate(successes: npt.ArrayLike, trials: npt.ArrayLike) -> FloatArray:
    """(k + 1/2) / (n + 1), nan without trials: never 0 or 1, so that its logit is finite.

    Example:
        >>> smoothed_rate([0, 5], [9, 9]).tolist()
        [0.05, 0.55]
    """
    k, n = np.asarray(successes, np.float64), np.asarray(trials, np.float64)
    return np.where(n > 0, (k + 0.5) / (n + 1.0), np.nan)
