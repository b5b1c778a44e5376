"""What every forecaster is: a function of the past alone, remembered so that equal pasts are fitted once."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

import numpy as np

from recsysops.statistics._arrays import FloatArray


class Forecaster(Protocol):
    """Expected values of the next ``horizon`` points, (horizon,); nan where nothing can be said.

    ``past`` (n_past,) with nan for points not to be learnt from, at least one season; ``period`` points make a season;
    ``start`` is the number of ``past[0]`` on the series' own calendar (for days: the day's ordinal).
    """

    def __call__(self, past: FloatArray, period: int, horizon: int, start: int) -> FloatArray: ...


def remembered(forecaster: Forecaster, size: int = 4096) -> Forecaster:
    """The same forecaster, which fits an equal past once: judging yesterday again, or another day of the same week."""

    @lru_cache(maxsize=size)
    def by_content(content: bytes, period: int, horizon: int, start: int) -> FloatArray:
        found = forecaster(np.frombuffer(content, np.float64), period, horizon, start)
        found.flags.writeable = False
        return found

    def forecast(past: FloatArray, period: int, horizon: int, start: int) -> FloatArray:
        return by_content(np.ascontiguousarray(past, np.float64).tobytes(), period, horizon, start)

    return forecast


def filled(past: FloatArray, period: int) -> FloatArray:
    """The past without holes: a missing point is the median of its phase, or of everything."""
    phase = np.arange(len(past)) % period
    known = ~np.isnan(past)
    result = past.copy()
    overall = float(np.median(past[known])) if known.any() else np.nan
    for hole in np.flatnonzero(~known):
        same = past[(phase == phase[hole]) & known]
        result[hole] = np.median(same) if len(same) else overall
    return result
