"""Tails and predictions of counts against scipy, exact enumeration and simulated days."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.rates import confint_poisson

from recsysops.statistics.count_prediction import prediction_interval, predictive_tails
from recsysops.statistics.count_tails import (
    binomial_tails,
    garwood_interval,
    negative_binomial_tails,
    poisson_tails,
)
from recsysops.statistics.overdispersion import estimate_dispersion

K = np.array([0, 1, 2, 7, 30, 200, 5_000])


@pytest.mark.parametrize("mean", [0.0, 0.3, 5.0, 180.0, 4_800.0])
def test_poisson_tails_are_scipys(mean: float) -> None:
    result = poisson_tails(K, mean)
    np.testing.assert_allclose(result.lower, stats.poisson.cdf(K, mean), rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(result.upper, stats.poisson.sf(K - 1, mean), rtol=1e-9, atol=1e-300)
    assert (result.two_sided <= 1).all()


@pytest.mark.parametrize("rate", [0.0, 1e-4, 0.3, 1.0])
def test_binomial_tails_are_scipys(rate: float) -> None:
    result = binomial_tails(K, 5_000, rate)
    np.testing.assert_allclose(result.lower, stats.binom.cdf(K, 5_000, rate), rtol=1e-9, atol=1e-290)
    np.testing.assert_allclose(result.upper, stats.binom.sf(K - 1, 5_000, rate), rtol=1e-9, atol=1e-290)


@pytest.mark.parametrize("dispersion", [0.01, 0.2, 3.0])
@pytest.mark.parametrize("mean", [0.3, 5.0, 4_800.0])
def test_negative_binomial_tails_are_scipys(mean: float, dispersion: float) -> None:
    size, p = 1 / dispersion, 1 / (1 + dispersion * mean)
    result = negative_binomial_tails(K, mean, dispersion)
    np.testing.assert_allclose(result.lower, stats.nbinom.cdf(K, size, p), rtol=1e-7, atol=1e-290)
    np.testing.assert_allclose(result.upper, stats.nbinom.sf(K - 1, size, p), rtol=1e-7, atol=1e-290)


def test_negative_binomial_without_dispersion_is_poisson() -> None:
    for dispersion in (0.0, 1e-12, 1e-7):
        result = negative_binomial_tails(K, 30.0, dispersion)
        np.testing.assert_allclose(result.upper, poisson_tails(K, 30.0).upper, rtol=1e-2, atol=1e-200)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(0, 500), st.floats(0, 500), st.floats(0, 5))
def test_tails_overlap_in_the_count_itself(count: int, mean: float, dispersion: float) -> None:
    result = negative_binomial_tails(count, mean, dispersion)
    assert 1 <= result.lower + result.upper + 1e-9 <= 2 + 1e-6
    more = negative_binomial_tails(count + 1, mean, dispersion)
    assert more.lower >= result.lower - 1e-12
    assert more.upper <= result.upper + 1e-12


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="expected counts >= 0"):
        poisson_tails(-1, 2.0)
    with pytest.raises(ValueError, match="expected counts >= 0"):
        negative_binomial_tails(1, 2.0, -0.1)
    with pytest.raises(ValueError, match="count <= trials"):
        binomial_tails(3, 2, 0.5)
    with pytest.raises(ValueError, match="a rate in"):
        binomial_tails(1, 2, 1.5)


@pytest.mark.parametrize("count", [0, 1, 12, 4_000])
@pytest.mark.parametrize("exposure", [1.0, 30.0])
def test_garwood_is_exact_c_of_statsmodels(count: int, exposure: float) -> None:
    result = garwood_interval(count, exposure, confidence=0.9)
    low, high = confint_poisson(count, exposure, method="exact-c", alpha=0.1)
    assert result.low == pytest.approx(0.0 if count == 0 else low, rel=1e-9)
    assert result.high == pytest.approx(high, rel=1e-9)


def test_garwood_without_exposure_is_nan() -> None:
    assert np.isnan(garwood_interval(0, 0).high)


@pytest.mark.parametrize("truth", [0.0, 0.05, 0.5])
def test_dispersion_is_recovered(truth: float) -> None:
    rng = np.random.default_rng(1)
    exposure = rng.uniform(50, 150, size=(400, 56))
    rate = rng.gamma(1 / truth, truth, size=(400, 56)) if truth else np.ones((400, 56))
    estimate = estimate_dispersion(rng.poisson(rate * exposure), exposure)
    assert (estimate >= 0).all()
    assert np.median(estimate) == pytest.approx(truth, rel=0.2, abs=0.002)


def test_one_bad_day_does_not_hide_the_next() -> None:
    counts = np.random.default_rng(2).poisson(1_000.0, 28).astype(np.float64)
    clean = float(estimate_dispersion(counts))
    counts[5] = 20_000
    assert estimate_dispersion(counts) < clean + 0.001


def test_dispersion_skips_missing_days_and_knows_its_limits() -> None:
    counts = np.array([70.0, np.nan, 130, 80, 120, np.nan])
    assert estimate_dispersion(counts) == estimate_dispersion([70, 130, 80, 120])
    assert np.isnan(estimate_dispersion([5]))
    assert np.isnan(estimate_dispersion([0, 0, 0]))
    assert np.isnan(estimate_dispersion([np.nan, np.nan]))
    for counts_, exposures in (([-1, 2], 1.0), ([1, 2], 0.0), (3, 1.0)):
        with pytest.raises(ValueError, match="expected"):
            estimate_dispersion(counts_, exposures)


@pytest.mark.parametrize("days", [1, 4, 28])
def test_prediction_tails_are_the_conditional_binomial_test(days: int) -> None:
    rng = np.random.default_rng(days)
    for exposure in (0.25, 1.0, 3.0):
        reference, count = rng.poisson(6.0, days) + 1, int(rng.poisson(8.0))
        result = predictive_tails(count, reference, 1.0, exposure)
        total, share = int(reference.sum()) + count, exposure / (exposure + days)
        assert result.lower == pytest.approx(stats.binomtest(count, total, share, "less").pvalue, rel=1e-8)
        assert result.upper == pytest.approx(stats.binomtest(count, total, share, "greater").pvalue, rel=1e-8)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=6), st.floats(0.1, 5), st.sampled_from([0.0, 0.1, 1.0]))
def test_interval_is_the_set_of_unsurprising_counts(reference: list[int], exposure: float, dispersion: float) -> None:
    interval = prediction_interval(reference, 1.0, exposure, dispersion=dispersion, confidence=0.9)
    low, high = int(interval.low), int(interval.high)
    for count, is_inside in ((low, True), (high, True), (low - 1, False), (high + 1, False)):
        if count >= 0 and low <= high:
            tails = predictive_tails(count, reference, 1.0, exposure, dispersion=dispersion)
            assert (min(tails.lower, tails.upper) > 0.05 - 1e-9) == is_inside


@pytest.mark.parametrize(
    ("mean", "days", "dispersion"), [(0.4, 7, 0.0), (20.0, 1, 0.0), (20.0, 7, 0.1), (500.0, 4, 0.02)]
)
def test_interval_covers_simulated_days(mean: float, days: int, dispersion: float) -> None:
    rng = np.random.default_rng(3)
    n_trials = 4_000
    rate = rng.gamma(1 / dispersion, dispersion, (n_trials, days + 1)) if dispersion else np.ones((n_trials, days + 1))
    counts = rng.poisson(mean * rate)
    interval = prediction_interval(counts[:, :-1], dispersion=dispersion, confidence=0.9)
    covered = np.mean((counts[:, -1] >= interval.low) & (counts[:, -1] <= interval.high))
    assert 0.88 <= covered <= 1.0


def test_no_reference_events_still_gives_an_answer() -> None:
    silent = predictive_tails(0, [0, 0, 0])
    assert [float(p) for p in (silent.lower, silent.upper, silent.two_sided)] == [1, 1, 1]
    assert predictive_tails(4, [0, 0, 0]).upper == pytest.approx((1 / 4) ** 4)
    with pytest.raises(ValueError, match="no exposure at all"):
        predictive_tails(1, [0, 0], 0.0)
