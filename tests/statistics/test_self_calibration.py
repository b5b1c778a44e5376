"""Limits and p-values from a statistic's own clean history, against scipy and simulated histories."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from recsysops.statistics.self_calibration import calibrated_p_value, robust_log_z, upper_limit


def test_p_value_is_uniform_on_clean_days() -> None:
    series = np.random.default_rng(1).lognormal(size=(8_000, 57))
    p_value = calibrated_p_value(series[:, :-1], series[:, -1])
    assert p_value.min() == pytest.approx(1 / 57)
    for level in (5 / 57, 20 / 57, 40 / 57):
        assert np.mean(p_value <= level + 1e-9) == pytest.approx(level, abs=0.015)


def test_p_value_leaves_incident_days_out() -> None:
    assert calibrated_p_value([0.1, np.nan, 0.4], 0.2) == pytest.approx(2 / 3)
    assert calibrated_p_value([np.nan], 0.2) == 1
    assert np.isnan(calibrated_p_value([0.1, 0.2], np.nan))


def test_robust_z_is_scipys_on_the_log_scale() -> None:
    history, today = np.random.default_rng(2).lognormal(size=(10, 31)), np.linspace(0.1, 5, 10)
    log = np.log(history)
    oracle = (np.log(today) - np.median(log, axis=1)) / stats.median_abs_deviation(log, axis=1, scale="normal")
    np.testing.assert_allclose(robust_log_z(history, today), oracle, rtol=1e-9)


def test_robust_z_at_the_edges() -> None:
    assert np.isnan(robust_log_z([0.1, 0.2, 0.3, 0.4], 0.5))
    assert robust_log_z([0.1] * 8, 0.1) == 0
    assert np.isposinf(robust_log_z([0.1] * 8, 0.2))
    assert np.isfinite(robust_log_z([0.0, 0.1, 0.2, 0.3, 0.4, 0.5], 0.0))
    with pytest.raises(ValueError, match="statistics >= 0"):
        robust_log_z([-0.1] * 8, 0.2)


@pytest.mark.parametrize("n_history", [7, 14, 28, 56, 120])
@pytest.mark.parametrize(("budget", "n_days"), [(1.0, 30.0), (1.0, 100.0)])
def test_clean_days_stay_within_the_alarm_budget(n_history: int, budget: float, n_days: float) -> None:
    series = np.random.default_rng(n_history).lognormal(sigma=0.5, size=(6_000, n_history + 1))
    result = upper_limit(series[:, :-1], budget, n_days)
    realised = np.mean(series[:, -1] > result.limit)
    assert realised <= 1.25 * budget / n_days
    assert realised >= 0.3 * budget / n_days
    assert (result.is_extrapolated == (n_history + 1 < n_days / budget)).all()
    assert (result.n_history == n_history).all()


def test_limit_is_the_order_statistic_when_history_is_long_enough() -> None:
    history = np.random.default_rng(3).permutation(np.arange(1.0, 100.0))
    assert upper_limit(history, 5, 100).limit == 95
    assert upper_limit(history, 1, 100).limit == 99
    assert upper_limit(history, 1, 101).limit >= 99


def test_short_history_gives_no_limit_and_says_how_short() -> None:
    result = upper_limit([[0.1, 0.2, np.nan, np.nan, np.nan, 0.3]] * 2, 1, 30)
    assert np.isnan(result.limit).all()
    assert (result.n_history == 3).all()
    assert np.isnan(upper_limit(np.full(9, np.nan), 1, 30).limit)


@pytest.mark.parametrize(("budget", "n_days"), [(0.0, 30.0), (30.0, 30.0)])
def test_impossible_budgets_and_histories_are_refused(budget: float, n_days: float) -> None:
    with pytest.raises(ValueError, match="budget: found"):
        upper_limit([0.1] * 9, budget, n_days)
    with pytest.raises(ValueError, match="at least one day"):
        calibrated_p_value([], 0.1)
