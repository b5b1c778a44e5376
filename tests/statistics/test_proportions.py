"""Intervals of rates, their comparison and design effects, against statsmodels, scipy and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from clustered_logs import clustered_bucket_counts
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from recsysops.statistics.bucket_jackknife import jackknife_ratio, jackknife_ratio_difference
from recsysops.statistics.design_effect import design_effect, mean_cell_design_effect
from recsysops.statistics.proportion_comparison import compare_proportions
from recsysops.statistics.proportions import clopper_pearson_interval, wilson_interval

CASES = [(0, 50), (1, 50), (25, 50), (49, 50), (50, 50), (3, 100_000), (1_234, 1_000_000)]


@pytest.mark.parametrize("confidence", [0.9, 0.99])
@pytest.mark.parametrize(("k", "n"), CASES)
def test_intervals_equal_statsmodels_and_scipy(k: int, n: int, confidence: float) -> None:
    wilson, exact = wilson_interval(k, n, confidence=confidence), clopper_pearson_interval(k, n, confidence=confidence)
    oracle = proportion_confint(k, n, alpha=1 - confidence, method="wilson")
    assert wilson.low == pytest.approx(oracle[0], abs=1e-12)
    assert wilson.high == pytest.approx(oracle[1], abs=1e-12)
    for low, high in (
        proportion_confint(k, n, alpha=1 - confidence, method="beta"),
        stats.binomtest(k, n).proportion_ci(confidence, method="exact"),
    ):
        assert exact.low == pytest.approx(low, rel=1e-6, abs=1e-12)
        assert exact.high == pytest.approx(high, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(("k", "n"), CASES)
@pytest.mark.parametrize(("j", "m"), CASES)
def test_comparison_equals_statsmodels(k: int, n: int, j: int, m: int) -> None:
    result = compare_proportions(k, n, j, m, confidence=0.95)
    low, high = confint_proportions_2indep(j, m, k, n, method="newcomb", compare="diff")
    assert result.difference_low == pytest.approx(low, abs=1e-12)
    assert result.difference_high == pytest.approx(high, abs=1e-12)
    low, high = confint_proportions_2indep(j, m, k, n, method="log-adjusted", compare="ratio")
    assert result.ratio_low == pytest.approx(low, rel=1e-9)
    assert result.ratio_high == pytest.approx(high, rel=1e-9)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(1, 2_000), st.integers(1, 2_000), st.floats(0, 1), st.floats(0, 1))
def test_intervals_hold_their_estimate_and_mirror(n: int, m: int, share: float, other: float) -> None:
    k, j = round(share * n), round(other * m)
    for interval in (wilson_interval, clopper_pearson_interval):
        rate, mirrored = interval(k, n), interval(n - k, n)
        assert 0 <= rate.low <= rate.estimate <= rate.high <= 1
        assert rate.low == pytest.approx(1 - float(mirrored.high), abs=1e-9)
    forward, backward = compare_proportions(k, n, j, m), compare_proportions(j, m, k, n)
    assert forward.difference_low == pytest.approx(-float(backward.difference_high), abs=1e-9)
    assert forward.ratio_low == pytest.approx(1 / float(backward.ratio_high), rel=1e-9)


def test_no_trials_gives_nan_and_zero_reference_gives_infinite_ratio() -> None:
    assert np.isnan(wilson_interval(0, 0).low)
    assert np.isnan(clopper_pearson_interval(0, 0).high)
    assert np.isnan(compare_proportions(0, 0, 1, 10).difference)
    assert np.isnan(compare_proportions(0, 0, 1, 10).ratio_low)
    assert np.isposinf(compare_proportions(0, 10, 1, 10).ratio)
    assert np.isfinite(compare_proportions(0, 10, 1, 10).ratio_high)


def test_design_effect_shrinks_the_sample() -> None:
    plain, clustered = wilson_interval(15, 300), wilson_interval(30, 600, design_effect=2.0)
    assert clustered.low == pytest.approx(float(plain.low))
    assert clustered.high == pytest.approx(float(plain.high))


@pytest.mark.parametrize(
    ("k", "n", "deff", "message"),
    [(3, 2, 1, "more successes"), (-1, 2, 1, ">= 0"), (1, 2, 0, "numbers > 0"), (1, np.inf, 1, "nan or infinity")],
)
def test_impossible_rates_are_refused(k: float, n: float, deff: float, message: str) -> None:
    for interval in (wilson_interval, clopper_pearson_interval):
        with pytest.raises(ValueError, match=message):
            interval(k, n, design_effect=deff)
    with pytest.raises(ValueError, match="confidence: found 1"):
        wilson_interval(1, 2, confidence=1.0)


def test_design_effect_finds_the_simulated_clustering() -> None:
    rng = np.random.default_rng(5)
    rates = rng.beta(2, 8, size=(200, 3_200))  # ICC = 1/11, so 1 + (20 - 1)/11 = 2.73 with 20 rows a request
    successes = rng.binomial(20, rates).reshape(200, 32, 100).sum(axis=-1)
    assert design_effect(successes, np.full((200, 32), 2_000)).mean() == pytest.approx(1 + 19 / 11, rel=0.05)
    independent = rng.binomial(2_000, 0.1, size=(200, 32))
    assert design_effect(independent, np.full(32, 2_000)).mean() == pytest.approx(1.0, rel=0.05)


def test_mean_cell_design_effect_is_that_of_indicators_not_of_the_value() -> None:
    rng = np.random.default_rng(6)
    counts = np.stack([clustered_bucket_counts(rng) for _ in range(30)])
    assert mean_cell_design_effect(counts).mean() == pytest.approx(1.39, abs=0.08)


def test_design_effect_is_unknown_without_variation_or_buckets() -> None:
    assert np.isnan(design_effect([0] * 8, [10] * 8))
    assert np.isnan(design_effect([10] * 8, [10] * 8))
    assert np.isnan(design_effect([1, 2, 3, 4], [10] * 4))
    assert np.isnan(mean_cell_design_effect(np.zeros((8, 3))))
    assert np.isnan(mean_cell_design_effect(np.ones((8, 1))))
    with pytest.raises(ValueError, match="more successes"):
        design_effect([3], [2])


def test_jackknife_equals_brute_force() -> None:
    rng = np.random.default_rng(7)
    num, den = rng.normal(5, 2, (6, 16)), rng.poisson(30, (6, 16)).astype(np.float64)
    num[:, 3] = den[:, 3] = 0
    result = jackknife_ratio(num, den)
    for row in range(6):
        used = np.flatnonzero(den[row])
        left_out = [np.delete(num[row], i).sum() / np.delete(den[row], i).sum() for i in used]
        variance = (len(used) - 1) / len(used) * np.sum((left_out - np.mean(left_out)) ** 2)
        assert result.standard_error[row] == pytest.approx(np.sqrt(variance), rel=1e-8)
        half = stats.t.ppf(0.975, len(used) - 1) * np.sqrt(variance)
        assert result.high[row] - result.estimate[row] == pytest.approx(half, rel=1e-8)


def test_jackknife_of_equal_buckets_is_the_welch_test_of_bucket_means() -> None:
    rng = np.random.default_rng(8)
    x, y = rng.normal(0, 1, 32), rng.normal(0.2, 3, 96)
    result = jackknife_ratio_difference(x, np.ones(32), y, np.ones(96))
    oracle = stats.ttest_ind(y, x, equal_var=False)
    assert result.estimate / result.standard_error == pytest.approx(oracle.statistic, rel=1e-9)
    assert result.dof == pytest.approx(oracle.df, rel=1e-9)
    interval = oracle.confidence_interval(0.95)
    assert result.low == pytest.approx(interval.low)
    assert result.high == pytest.approx(interval.high)


def test_jackknife_interval_covers_the_truth_of_clustered_rates() -> None:
    rng = np.random.default_rng(9)
    successes = rng.binomial(20, rng.beta(2, 8, size=(1_000, 640))).reshape(1_000, 32, 20).sum(axis=-1)
    result = jackknife_ratio(successes, np.full(32, 400))
    assert np.mean((result.low <= 0.2) & (result.high >= 0.2)) == pytest.approx(0.95, abs=0.02)


def test_jackknife_needs_five_buckets_and_ignores_their_order() -> None:
    assert np.isnan(jackknife_ratio([1, 2, 3, 4, 0], [5, 5, 5, 5, 0]).standard_error)
    assert np.isnan(jackknife_ratio([1], [5]).standard_error)
    assert np.isnan(jackknife_ratio([0] * 8, [0] * 8).estimate)
    assert jackknife_ratio([0] * 8, [5] * 8).standard_error == 0
    order = np.random.default_rng(0).permutation(12)
    num, den = np.arange(12.0), np.arange(5.0, 17.0)
    shuffled = jackknife_ratio(num[order], den[order])
    assert jackknife_ratio(num, den).standard_error == pytest.approx(float(shuffled.standard_error), rel=1e-12)
    with pytest.raises(ValueError, match="expected 3 buckets"):
        jackknife_ratio([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="finite sums"):
        jackknife_ratio([1, np.nan], [1, 2])
