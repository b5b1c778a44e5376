"""Charts against straightforward loops and pandas, false alarms under independence and autocorrelation, power."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy import stats

from recsysops.statistics.forecasting.control_charts import Charts, control_charts

Floats = npt.NDArray[np.float64]


def noise(n_series: int, n: int, correlation: float = 0.0, seed: int = 0) -> Floats:
    """Autoregressive residuals of variance 1."""
    rng = np.random.default_rng(seed)
    fresh = rng.normal(size=(n_series, n))
    values = np.zeros_like(fresh)
    values[:, 0] = fresh[:, 0]
    for t in range(1, n):
        values[:, t] = correlation * values[:, t - 1] + fresh[:, t] * np.sqrt(1 - correlation**2)
    return values


def charts(values: Floats, guard: int = 0) -> Charts:
    return control_charts(values, np.ones(values.shape, np.bool_), guard=guard)


def test_scale_and_centre_are_those_of_scipy() -> None:
    values = noise(1, 60)[0]
    found = charts(values)
    assert found.centre == pytest.approx(np.median(values[:-1]))
    assert found.scale == pytest.approx(stats.median_abs_deviation(values[:-1], scale="normal"))
    assert found.z == pytest.approx((values[-1] - found.centre) / found.scale)


def test_ewma_is_that_of_pandas() -> None:
    values = noise(1, 60)[0]
    found = charts(values)
    clipped = np.clip((values - found.centre) / found.scale, -3, 3)
    smoothed = pd.Series(np.concatenate([[0.0], clipped])).ewm(alpha=0.2, adjust=False).mean()
    assert found.ewma == pytest.approx(smoothed.iloc[-1])


def test_cusum_is_the_plain_recursion() -> None:
    values = noise(1, 60, seed=1)[0]
    values[-8:] -= 1.5
    found = charts(values, guard=8)
    unsure = 1 + 1 / np.sqrt(2 * max(4.0, 0.37 * 51))
    sum_, n_since, average = 0.0, 0, 0.0
    for z in (values - found.centre) / found.scale:
        average = 0.2 * np.clip(z, -3, 3) + 0.8 * average
        sum_ = max(0.0, sum_ - np.clip(z, -3, 3) / unsure - 0.5) if average < 0 else 0.0
        n_since = n_since + 1 if sum_ > 0 else 0
    assert found.cusum == pytest.approx(-sum_)
    assert found.n_since == n_since >= 6


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.5])
@pytest.mark.parametrize("n", [30, 60, 110])
def test_false_alarms_keep_their_rate(n: int, correlation: float) -> None:
    found = charts(noise(8_000, n, correlation))
    for p_values in (found.p_spike, found.p_ewma, found.p_cusum):
        assert np.mean(p_values <= 0.01) <= 0.01 * (1.8 if correlation < 0.5 else 3.0)
        assert np.mean(p_values <= 0.001) <= 0.001 * (1.8 if correlation < 0.5 else 3.0)


def test_a_lasting_shift_is_found_by_those_that_sum_up() -> None:
    values = noise(500, 100)
    values[:, -10:] += 2.0
    found = charts(values, guard=14)
    assert np.mean(np.minimum(found.p_ewma, found.p_cusum) <= 1e-3) > 0.7
    assert np.mean(found.p_spike <= 1e-3) < 0.3
    assert np.median(found.n_since) == pytest.approx(10, abs=2)


def test_a_spike_is_found_by_the_day_alone() -> None:
    values = noise(500, 100)
    values[:, -1] += 9.0
    found = charts(values)
    assert np.mean(found.p_spike <= 1e-3) > 0.9
    assert np.mean(found.p_ewma <= 1e-3) < 0.02


def test_what_the_clean_history_reached_is_no_evidence() -> None:
    values = noise(200, 60)
    values[:, 20] = values[:, -1] = 12.0
    found = charts(values)
    assert (found.p_spike > 0.01).all()
    forgotten = np.ones(values.shape, np.bool_)
    forgotten[:, 20] = False
    assert np.median(control_charts(values, forgotten).p_spike) < 1e-4


def test_what_is_long_over_is_forgotten() -> None:
    values = noise(200, 120)
    values[:, 60:90] -= 15.0
    clean = np.ones(values.shape, np.bool_)
    clean[:, 60:90] = False
    found = control_charts(values, clean)
    assert np.mean(np.minimum(found.p_ewma, found.p_cusum) <= 1e-3) < 0.02
    assert np.quantile(found.n_since, 0.95) < 30


def test_holes_are_passed_over() -> None:
    values = noise(1, 60)[0]
    spoiled = np.insert(values, [10, 30], np.nan)
    first, second = charts(values), charts(spoiled)
    assert (first.z, first.ewma, first.cusum) == (second.z, second.ewma, second.cusum)


def test_too_little_and_constant_history() -> None:
    assert np.isnan(charts(noise(1, 14)).p_ewma).all()
    assert not np.isnan(charts(noise(1, 15)).p_ewma).any()
    constant = np.zeros((1, 40))
    assert np.isnan(charts(constant).z).all()
    with_floor = control_charts(np.append(constant, [[0.1]], axis=1), np.ones((1, 41), np.bool_), 0.02)
    assert with_floor.z == pytest.approx(5.0)
    missing = noise(1, 40)
    missing[:, -1] = np.nan
    found = charts(missing)
    assert np.isnan([found.z, found.ewma, found.p_spike, found.p_ewma, found.p_cusum]).all()
