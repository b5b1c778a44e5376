"""Trend and season by MSTL: follows a service that grows, where a median of weeks lags behind."""

from __future__ import annotations

import warnings

import numpy as np

from recsysops.statistics._arrays import FloatArray
from recsysops.statistics.forecasting.forecaster import filled

MIN_SEASONS = 3


def mstl(past: FloatArray, period: int, horizon: int, start: int) -> FloatArray:
    """The last trend plus the last season's pattern; nan with under three seasons, or without a season.

    Holes are filled with the median of their phase before the decomposition. Robust LOESS, so that a spike in the past
    does not bend it. The trend is carried on flat: a slope over a week is more often noise than growth.

    Source: Bandara, Hyndman & Bergmeir, arXiv 2107.13462 (2021); statsmodels' MSTL.
    """
    nothing = np.full(horizon, np.nan)
    if period < 2 or len(past) < MIN_SEASONS * period or np.isnan(past).all():
        return nothing
    from statsmodels.tsa.seasonal import MSTL

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parts = MSTL(filled(past, period), periods=(period,), stl_kwargs={"robust": True}).fit()
    ahead = np.arange(horizon) % period - period
    season = np.asarray(parts.seasonal, np.float64).reshape(len(past), -1).sum(axis=1)
    return np.asarray(np.asarray(parts.trend, np.float64)[-1] + season[ahead])
