"""Forecasters, their choice by rolling origin, and pinball loss, against statsmodels, scikit-learn and simulated truth."""

from __future__ import annotations

import doctest
import warnings
from datetime import date, timedelta
from importlib import import_module

import numpy as np
import numpy.typing as npt
import pytest

from recsysops.statistics.forecasting.choice import ROBUST, choose_expectation
from recsysops.statistics.forecasting.forecaster import filled, remembered
from recsysops.statistics.forecasting.mstl import mstl
from recsysops.statistics.forecasting.pinball import pinball_loss, rolling_pinball
from recsysops.statistics.forecasting.prophet_forecast import is_country, prophet_with_holidays, public_holidays
from recsysops.statistics.forecasting.robust_seasonal import robust_seasonal
from recsysops.statistics.forecasting.rolling_origin import rolling_origin
from recsysops.statistics.forecasting.transforms import IDENTITY, LOG1P, LOGIT
from recsysops.statistics.seasonal import seasonal_residuals

Floats = npt.NDArray[np.float64]
WEEK = np.array([0.0, -0.1, -0.05, 0.0, 0.1, 0.3, 0.25])
FIRST = date(2026, 3, 2)


def series(n: int, seed: int = 0, slope: float = 0.0, sd: float = 0.02) -> Floats:
    rng = np.random.default_rng(seed)
    return np.asarray(8.0 + WEEK[np.arange(n) % 7] + slope * np.arange(n) + rng.normal(0, sd, n))


def all_learnt(values: Floats) -> npt.NDArray[np.bool_]:
    known = np.ones(len(values), np.bool_)
    known[-1] = False
    return known


@pytest.mark.parametrize(
    "name", ["transforms", "forecaster", "robust_seasonal", "rolling_origin", "pinball", "control_charts"]
)
def test_examples(name: str) -> None:
    assert doctest.testmod(import_module(f"recsysops.statistics.forecasting.{name}")).failed == 0


@pytest.mark.parametrize("transform", [LOG1P, LOGIT, IDENTITY], ids=lambda one: one.name)
def test_scales_can_be_left_again(transform: object) -> None:
    assert isinstance(transform, type(LOG1P))
    values = np.array([0.001, 0.2, 0.5, 0.97, np.nan])
    np.testing.assert_allclose(transform.back(transform.forward(values)), values, rtol=1e-12)


def test_robust_seasonal_is_the_seasonal_expectation_of_each_day() -> None:
    values = series(80, seed=3)
    values[[20, 33, 41]] = np.nan
    expected = seasonal_residuals(values, 7).expected
    forecast = rolling_origin(values, 7, robust_seasonal)
    np.testing.assert_allclose(forecast[14:], expected[14:], rtol=1e-12)
    assert np.isnan(forecast[:10]).all()


def test_mstl_is_that_of_statsmodels() -> None:
    from statsmodels.tsa.seasonal import STL

    values = series(56, slope=0.01)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parts = STL(values, period=7, robust=True, seasonal=11).fit()  # MSTL smooths its first season by 11 points
    forecast = mstl(values, 7, 7, 0)
    np.testing.assert_allclose(forecast, parts.trend[-1] + parts.seasonal[-7:], atol=0.01)


def test_mstl_follows_growth_where_the_median_lags() -> None:
    values = series(63, slope=0.01, sd=0.001)
    truth = 8.0 + WEEK + 0.01 * np.arange(56, 63)
    assert np.abs(mstl(values[:56], 7, 7, 0) - truth).max() < 0.1
    assert np.abs(robust_seasonal(values[:56], 7, 7, 0) - truth).min() > 0.25


def test_mstl_is_silent_without_seasons() -> None:
    assert np.isnan(mstl(series(20), 7, 7, 0)).all()
    assert np.isnan(mstl(series(50), 1, 3, 0)).all()
    assert np.isnan(mstl(np.full(50, np.nan), 7, 7, 0)).all()


def test_holes_are_filled_with_their_weekday() -> None:
    values = series(28, sd=0.0)
    spoiled = values.copy()
    spoiled[[8, 12, 20]] = np.nan
    np.testing.assert_allclose(filled(spoiled, 7), values)


def test_no_point_takes_part_in_its_own_forecast() -> None:
    values = series(60)
    changed = values.copy()
    changed[40:] += 5.0
    for forecaster in (robust_seasonal, mstl):
        before, after = (rolling_origin(one, 7, forecaster, start=1) for one in (values, changed))
        np.testing.assert_array_equal(before[:41], after[:41])


def test_an_equal_past_is_fitted_once() -> None:
    calls = []

    def counting(past: Floats, period: int, horizon: int, start: int) -> Floats:
        calls.append(start)
        return robust_seasonal(past, period, horizon, start)

    forecaster, values = remembered(counting), series(200)
    rolling_origin(values[:150], 7, forecaster, start=700)
    n_before = len(calls)
    rolling_origin(values[1:151], 7, forecaster, start=701)
    assert len(calls) <= n_before + 2  # the first origin is not at a week's end; the last week may be new
    assert n_before >= 10


def test_a_season_has_points() -> None:
    with pytest.raises(ValueError, match="period"):
        rolling_origin(series(20), 0, robust_seasonal)


def test_pinball_loss_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import mean_pinball_loss

    rng = np.random.default_rng(0)
    values, forecasts = rng.normal(size=(2, 50))
    for level in (0.05, 0.5, 0.95):
        assert pinball_loss(values, forecasts, level).mean() == pytest.approx(
            mean_pinball_loss(values, forecasts, alpha=level)
        )


def test_better_forecasts_lose_less() -> None:
    values = series(90)
    truth = 8.0 + WEEK[np.arange(90) % 7]
    judged = np.ones(90, np.bool_)
    assert rolling_pinball(values, truth, judged, 7) < rolling_pinball(values, np.full(90, 8.0), judged, 7)
    assert np.isnan(rolling_pinball(values[:14], truth[:14], judged[:14], 7))


def test_the_median_stays_where_nothing_is_clearly_better() -> None:
    for seed in range(5):
        values = series(100, seed)
        assert choose_expectation(values, all_learnt(values), 7, {"MSTL": mstl}).name == ROBUST


def test_growth_speaks_for_mstl() -> None:
    values = series(100, slope=0.008, sd=0.01)
    chosen = choose_expectation(values, all_learnt(values), 7, {"MSTL": mstl})
    assert chosen.name == "MSTL"
    assert chosen.losses["MSTL"] < chosen.losses[ROBUST]


def test_a_late_shift_does_not_speak_for_whoever_runs_after_it() -> None:
    values = series(100)
    values[-9:] += 0.3
    assert choose_expectation(values, all_learnt(values), 7, {"MSTL": mstl}, guard=14).name == ROBUST


def test_incidents_are_not_learnt() -> None:
    values = series(100)
    learnt = all_learnt(values)
    learnt[60:80] = False
    spoiled = values.copy()
    spoiled[60:80] -= 3.0
    first, second = (choose_expectation(one, learnt, 7, {"MSTL": mstl}) for one in (values, spoiled))
    np.testing.assert_array_equal(first.expected, second.expected)


def test_prophet_learns_what_holidays_do() -> None:
    free = public_holidays("NO", 2026)
    days = [FIRST + timedelta(days=number) for number in range(70)]
    values = series(70, sd=0.005) - 0.4 * np.array([day in free for day in days])
    forecast = prophet_with_holidays("NO")(values[:56], 7, 14, FIRST.toordinal())
    is_free = np.array([day in free for day in days[56:]])
    assert is_free.any()
    assert np.abs(forecast - values[56:])[is_free].max() < 0.2
    assert np.abs(forecast - values[56:])[~is_free].max() < 0.15


def test_prophet_needs_six_weeks_of_days() -> None:
    prophet = prophet_with_holidays("NO")
    assert np.isnan(prophet(series(41), 7, 7, FIRST.toordinal())).all()
    assert np.isnan(prophet(series(200), 24, 7, FIRST.toordinal())).all()


def test_countries_are_those_of_the_calendar() -> None:
    assert is_country("NO")
    assert not is_country("Norway!")
    assert date(2026, 5, 17) in public_holidays("NO", 2026)
    assert public_holidays("Norway!", 2026) == frozenset()
