"""The median of the same phase over the last eight seasons: cheap, always at hand, hard to mislead."""

from __future__ import annotations

import numpy as np

from recsysops.statistics._arrays import FloatArray

N_SEASONS = 8


def robust_seasonal(past: FloatArray, period: int, horizon: int, start: int) -> FloatArray:
    """``median(y_{t-P}, …, y_{t-8P})`` for each of the next points; the median of all where a phase was never seen.

    The same expectation as ``recsysops.statistics.seasonal`` gives point by point, as a forecaster.

    Example:
        >>> robust_seasonal(np.array([1.0, 5.0, 2.0, 6.0, 3.0, 7.0]), period=2, horizon=2, start=0).tolist()
        [2.0, 6.0]

    Source: Tukey, Exploratory Data Analysis (1977), ch. 10-11.
    """
    recent = past[-N_SEASONS * period :]
    ahead = np.arange(len(recent), len(recent) + horizon) % period
    phase = np.arange(len(recent)) % period
    known = ~np.isnan(recent)
    overall = float(np.median(recent[known])) if known.any() else np.nan
    same = [recent[known & (phase == one)] for one in ahead]
    return np.array([np.median(values) if len(values) else overall for values in same])
