"""Forecasts of a whole series in which every point is forecast from points before it only."""

from __future__ import annotations

import numpy as np

from recsysops.statistics._arrays import FloatArray
from recsysops.statistics.forecasting.forecaster import Forecaster

TRAINING_SEASONS = 8
EVALUATED_SEASONS = 10
LEAST_SEASONS = 2
"""Points before this many seasons are not forecast."""


def first_forecast(n_times: int, period: int) -> int:
    """Index of the first point that is forecast."""
    return max(LEAST_SEASONS * period, n_times - EVALUATED_SEASONS * period)


def rolling_origin(values: FloatArray, period: int, forecaster: Forecaster, *, start: int = 0) -> FloatArray:
    """Forecasts season by season, (n_times,); nan for the first two seasons.

    Origins lie a season apart at fixed places of the calendar (``start`` + index divisible by ``period``), and a forecast
    learns from the eight seasons before its origin. Judging the next day therefore asks for the same fits again, which a
    remembered forecaster does not repeat.

    Parameters: ``values`` (n_times,), nan where not to be learnt from; ``period`` >= 1 points of a season; ``start`` the
    calendar number of the first point.
    Raises: ``ValueError`` for a period under 1.

    Example:
        >>> naive = lambda past, period, horizon, start: np.full(horizon, past[-1])
        >>> rolling_origin(np.arange(8.0), 2, naive).tolist()
        [nan, nan, nan, nan, 3.0, 3.0, 5.0, 5.0]

    Source: Tashman, Int. J. Forecasting 16 (2000).
    """
    if period < 1:
        raise ValueError(f"period: found {period}, expected at least 1")
    expected = np.full(len(values), np.nan)
    first = first_forecast(len(values), period)
    origins = [first, *(t for t in range(first + 1, len(values)) if (start + t) % period == 0)]
    for origin, until in zip(origins, [*origins[1:], len(values)], strict=True):
        begin = max(0, origin - TRAINING_SEASONS * period)
        if origin < until:
            expected[origin:until] = forecaster(values[begin:origin], period, period, start + begin)[: until - origin]
    return expected
