"""Medians of durations that are not all over: against numpy, scipy and statsmodels, and against simulated truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import quantile_test
from statsmodels.duration.survfunc import SurvfuncRight

from recsysops.statistics.median_time import median_time


@pytest.mark.parametrize("n", [1, 2, 5, 6, 7, 20, 51, 200])
def test_without_open_ones_it_is_the_sample_median_with_the_interval_of_scipy(n: int) -> None:
    times = np.random.default_rng(n).exponential(size=n)
    found = median_time(times, np.ones(n, bool))
    assert found.estimate == pytest.approx(np.median(times))
    assert (found.n, found.n_open) == (n, 0)
    lower: Any = quantile_test(times, p=0.5, alternative="greater")
    upper: Any = quantile_test(times, p=0.5, alternative="less")
    low, high = lower.confidence_interval(0.975).low, upper.confidence_interval(0.975).high
    assert found.low == (0.0 if np.isnan(low) else pytest.approx(low))
    assert found.high == (np.inf if np.isnan(high) else pytest.approx(high))


@pytest.mark.parametrize("seed", range(20))
def test_with_open_ones_the_estimate_is_that_of_statsmodels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 31
    lasts, seen_for = rng.exponential(10, n), rng.exponential(25, n)
    over = lasts <= seen_for
    curve = SurvfuncRight(np.minimum(lasts, seen_for), over.astype(int))
    if np.abs(curve.surv_prob - 0.5).min() < 1e-9:
        pytest.skip("statsmodels takes the right end where the curve lies on one half")
    assert median_time(np.minimum(lasts, seen_for), over).estimate == pytest.approx(curve.quantile(0.5))


def test_the_interval_holds_the_true_median_as_often_as_it_says_however_things_stay_open() -> None:
    """Even when exactly the long ones are open, which Kaplan and Meier assume away."""
    rng = np.random.default_rng(5)
    held = []
    for _ in range(600):
        lasts = rng.exponential(10, 25)
        over = lasts < 12
        found = median_time(np.minimum(lasts, 12), over)
        held.append(found.low <= 10 * np.log(2) <= found.high)
    assert np.mean(held) >= 0.94


def test_many_durations_recover_the_median() -> None:
    rng = np.random.default_rng(9)
    lasts, seen_for = rng.lognormal(2, 1, 5000), rng.uniform(0, 60, 5000)
    found = median_time(np.minimum(lasts, seen_for), lasts <= seen_for)
    assert found.estimate == pytest.approx(np.exp(2), rel=0.06)


def test_equal_durations_and_none() -> None:
    same = median_time([24.0] * 8, [True] * 8)
    assert (same.estimate, same.low, same.high) == (24.0, 24.0, 24.0)
    nothing = median_time([], [])
    assert np.isnan(nothing.estimate)
    assert np.isnan(nothing.low)
    open_only = median_time([1.0, 2.0], [False, False])
    assert np.isnan(open_only.estimate)
    assert (open_only.low, open_only.high) == (0.0, np.inf)


@pytest.mark.parametrize("durations", [[-1.0], [np.nan], [np.inf], [[1.0]]])
def test_malformed_durations_are_refused(durations: list[float]) -> None:
    with pytest.raises(ValueError, match="found"):
        median_time(durations, [True])
