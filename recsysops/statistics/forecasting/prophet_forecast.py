"""Prophet with the public holidays of a country, as one effect common to all of them."""

from __future__ import annotations

import logging
import warnings
from datetime import date, timedelta
from functools import lru_cache

import numpy as np

from recsysops.statistics._arrays import FloatArray
from recsysops.statistics.forecasting.forecaster import Forecaster, remembered

MIN_SEASONS = 6


@lru_cache(maxsize=64)
def prophet_with_holidays(country: str) -> Forecaster:
    """A forecaster of daily series; nan with under six weeks of past. Slow: a fit takes tenths of a second.

    Half a year has few holidays, none of them twice, so they share one effect instead of having one each.

    Args:
        country: ISO 3166 code such as ``NO``.
    """

    def forecast(past: FloatArray, period: int, horizon: int, start: int) -> FloatArray:
        if period != 7 or np.count_nonzero(~np.isnan(past)) < MIN_SEASONS * period:
            return np.full(horizon, np.nan)
        return _fitted(past, horizon, date.fromordinal(start), country)

    return remembered(forecast)


@lru_cache(maxsize=1024)
def public_holidays(country: str, year: int) -> frozenset[date]:
    """Public holidays of a country in a year; none for a code nobody knows (see ``is_country``)."""
    import holidays

    try:
        return frozenset(holidays.country_holidays(country, years=year))
    except NotImplementedError:
        return frozenset()


def is_country(country: str) -> bool:
    """Whether holidays of that code are known."""
    import holidays

    return country in holidays.list_supported_countries()


def _fitted(past: FloatArray, horizon: int, first: date, country: str) -> FloatArray:
    import pandas as pd
    from prophet import Prophet

    days = [first + timedelta(days=number) for number in range(len(past) + horizon)]
    free = sorted({day for year in {one.year for one in days} for day in public_holidays(country, year)})
    kept = [day for day in free if days[0] <= day <= days[-1]]
    effects = pd.DataFrame({"holiday": "public", "ds": pd.to_datetime(kept)}) if kept else None
    stamps = pd.to_datetime(days)
    for name in ("prophet", "prophet.plot", "cmdstanpy"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = Prophet(
            holidays=effects, weekly_seasonality=True, daily_seasonality=False, yearly_seasonality=False,
            uncertainty_samples=0,
        )  # fmt: skip
        model.fit(pd.DataFrame({"ds": stamps[: len(past)], "y": past}), seed=1)
        found = model.predict(pd.DataFrame({"ds": stamps[len(past) :]}))
    return np.asarray(found["yhat"], np.float64).copy()
