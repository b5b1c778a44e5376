"""Item health against scipy and numerical integration; simulated truth is recovered, intervals hold their level."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from recsysops.statistics.item_health import cohort_places, gamma_poisson, log_ratio


def test_gamma_poisson_posterior_equals_integration() -> None:
    observed, expected = np.array([0.0, 3.0, 40.0, 9.0, 1.0]), np.array([30.0, 20.0, 500.0, 90.0, 0.0])
    observed[4] = 0.0
    rates = gamma_poisson(observed, expected)
    prior = stats.gamma(rates.shape, scale=rates.mean / rates.shape)
    for index, (k, e) in enumerate(zip(observed, expected, strict=True)):

        def density(rate: float, k: float = k, e: float = e) -> float:
            return float(prior.pdf(rate) * stats.poisson.pmf(k, rate * e))

        total = integrate.quad(density, 0, 3, points=[0.05, 0.2], limit=200)[0]
        mean = integrate.quad(lambda rate, f=density: rate * f(rate), 0, 3, points=[0.05, 0.2], limit=200)[0] / total
        below = integrate.quad(density, 0, float(rates.low[index]), limit=200)[0] / total
        assert rates.estimate[index] == pytest.approx(mean, rel=1e-6)
        assert below == pytest.approx(0.025, rel=1e-4)
    assert np.isnan(rates.raw[4])
    assert rates.estimate[4] == pytest.approx(rates.mean)


def test_gamma_poisson_prior_is_the_most_likely_one() -> None:
    rng = np.random.default_rng(2)
    expected = rng.uniform(20, 300, 60)
    observed = rng.poisson(rng.gamma(3.0, 0.1 / 3.0, 60) * expected)
    rates = gamma_poisson(observed, expected)

    def likelihood(shape: float, mean: float) -> float:
        return float(np.sum(stats.nbinom.logpmf(observed, shape, shape / (shape + mean * expected))))

    best = likelihood(rates.shape, rates.mean)
    for shape in np.geomspace(0.3, 30, 41):
        for mean in np.geomspace(0.05, 0.2, 21):
            assert likelihood(shape, mean) <= best + 1e-4


@pytest.mark.parametrize(("shape", "mean"), [(2.0, 0.05), (20.0, 0.3), (0.7, 0.01)])
def test_gamma_poisson_recovers_truth(shape: float, mean: float) -> None:
    rng = np.random.default_rng(int(10 * shape))
    expected, truth = rng.uniform(10, 2_000, 3_000), rng.gamma(shape, mean / shape, 3_000)
    rates = gamma_poisson(rng.poisson(truth * expected), expected)
    assert rates.shape == pytest.approx(shape, rel=0.12)
    assert rates.mean == pytest.approx(mean, rel=0.05)
    assert np.mean((rates.low <= truth) & (truth <= rates.high)) == pytest.approx(0.95, abs=0.015)
    assert np.mean((rates.estimate - truth) ** 2) < np.mean((rates.raw - truth) ** 2)


def test_gamma_poisson_with_little_or_nothing() -> None:
    alone = gamma_poisson([9], [100])
    assert alone.estimate[0] == pytest.approx(0.09, rel=0.01)
    assert alone.high[0] - alone.low[0] > 0.1  # its prior is half an event, no copy of itself
    quiet = gamma_poisson([0, 0, 0], [10, 20, 30])
    assert (quiet.estimate < 0.02).all()
    assert (quiet.low < 0.001).all()
    assert np.isnan(gamma_poisson([0], [0]).estimate).all()
    for observed, expected in (([1], [0]), ([-1], [2]), ([1, 2], [3])):
        with pytest.raises(ValueError, match="expected"):
            gamma_poisson(observed, expected)


def test_log_ratio_is_the_difference_of_two_log_gammas() -> None:
    bias = log_ratio([400, 30, 0], [20, 30, 2], exposure_design_effect=2.0)
    for index, (x, d) in enumerate([(200, 20), (15, 30), (0, 2)]):
        more, less = stats.loggamma(x + 0.5), stats.loggamma(d + 0.5)
        assert bias.raw[index] == pytest.approx(float(more.mean() - less.mean()) - np.log(215 / 52), rel=1e-6)
        assert bias.variance[index] == pytest.approx(float(more.var() + less.var()), rel=1e-6)


def test_log_ratio_recovers_bias_and_shrinks_thin_items() -> None:
    inside, errors = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        truth, demand = rng.normal(0, 0.6, 100), np.exp(rng.normal(2, 1.2, 100))
        exposure = 20 * demand * np.exp(truth)
        truth -= np.log(exposure.sum() / (20 * demand.sum()))
        bias = log_ratio(rng.poisson(exposure), rng.poisson(demand))
        inside.append(np.mean((bias.low <= truth) & (truth <= bias.high)))
        errors.append([float(np.mean((one - truth) ** 2)) for one in (bias.estimate, bias.raw)] + [bias.sd])
    shrunken, raw, sd = np.mean(errors, axis=0)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.02)
    assert shrunken < 0.7 * raw
    assert sd == pytest.approx(0.6, abs=0.06)


def test_log_ratio_of_equals_is_nothing_and_of_nobody_is_unknown() -> None:
    equal = log_ratio([1_000] * 5, [50] * 5)
    assert np.abs(equal.estimate).max() < 1e-6 + abs(equal.mean)
    assert equal.sd == 0
    assert np.isnan(log_ratio([0, 0], [3, 4]).estimate).all()
    alone = log_ratio([10], [5])
    assert alone.estimate[0] == alone.raw[0]
    with pytest.raises(ValueError, match="design effects"):
        log_ratio([1, 2], [1, 2], demand_design_effect=0.0)


def test_places_equal_scipy_percentile_scores() -> None:
    rng = np.random.default_rng(4)
    cohort = rng.integers(0, 12, (30, 25)).astype(float)
    value = rng.integers(0, 12, 30).astype(float)
    places = cohort_places(value, value, value, cohort)
    for row in range(30):
        assert places.estimate[row] == pytest.approx(stats.percentileofscore(cohort[row], value[row], "mean") / 100)
    assert (places.low <= places.estimate).all()
    assert (places.estimate <= places.high).all()


def test_place_holds_its_level() -> None:
    rng = np.random.default_rng(5)
    truth = rng.normal(0, 1, 2_000)
    seen = truth + rng.normal(0, 0.5, 2_000)
    peers = rng.normal(0, 1, (2_000, 30))
    places = cohort_places(seen, seen - 0.98, seen + 0.98, peers)
    inside = (places.low <= stats.norm.cdf(truth)) & (stats.norm.cdf(truth) <= places.high)
    assert inside.mean() >= 0.95
    assert np.median(places.high - places.low) < 0.8


def test_without_peers_there_is_no_place() -> None:
    places = cohort_places([1.0, 1.0], [0.5, 0.5], [2.0, 2.0], [[np.nan, np.nan], [0.2, np.nan]])
    assert np.isnan(places.estimate[0])
    assert places.n_peers.tolist() == [0.0, 1.0]
    assert places.estimate[1] == 1.0
    with pytest.raises(ValueError, match="low <= high"):
        cohort_places([1.0], [2.0], [0.5], [1.0])
