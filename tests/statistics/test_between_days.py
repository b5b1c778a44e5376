"""Between-day variance against statsmodels, and the level of the new-day test on simulated days."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from recsysops.statistics.between_days import between_day_variance, new_day_rate_test


def test_variance_equals_statsmodels() -> None:
    rng = np.random.default_rng(1)
    effects, variances = rng.normal(0.1, 0.02, (20, 9)), rng.uniform(1e-4, 9e-4, (20, 9))
    result = between_day_variance(effects, variances)
    assert (result.tau2 == 0).any()
    assert (result.tau2 > 0).any()
    for row in range(20):
        with np.errstate(invalid="ignore"):  # statsmodels lets tau2 go below zero, then takes roots
            oracle = combine_effects(effects[row], variances[row], method_re="dl")
        assert result.tau2[row] == pytest.approx(max(oracle.tau2, 0.0), rel=1e-9, abs=1e-15)
        if oracle.tau2 > 0:
            assert result.mean[row] == pytest.approx(oracle.mean_effect_re, rel=1e-9)
            assert result.mean_variance[row] == pytest.approx(oracle.var_eff_w_re, rel=1e-9)


def test_missing_days_are_left_out() -> None:
    result = between_day_variance([0.1, np.nan, 0.3, 0.5], [0.01, 0.01, 0.01, 0.01])
    assert result.n_days == 3
    assert result.tau2 == pytest.approx(0.03)
    nothing = between_day_variance([np.nan], [1.0])
    assert np.isnan(nothing.mean)
    assert np.isnan(nothing.tau2)
    with pytest.raises(ValueError, match="variances > 0"):
        between_day_variance([1.0], [0.0])


@pytest.mark.parametrize("n_days", [2, 4, 14])
@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_level_is_nominal_when_days_vary_by_themselves(n_days: int, spread: float) -> None:
    rng = np.random.default_rng(n_days)
    rates = np.clip(0.02 * np.exp(spread * rng.standard_normal((6_000, n_days + 1))), 0, 1)
    counts = rng.binomial(20_000, rates)
    result = new_day_rate_test(counts[:, :-1], np.full(n_days, 20_000), counts[:, -1], 20_000)
    assert np.mean(result.p_value <= 0.05) <= 0.065
    if spread:
        assert np.mean(result.p_sampling <= 0.05) > 0.3
        assert np.mean(result.p_value <= 0.05) >= (0.02 if n_days > 2 else 0.004)


def test_one_reference_day_uses_sampling_noise_and_says_so() -> None:
    result = new_day_rate_test([100], [10_000], 150, 10_000)
    assert not result.between_known
    assert np.isnan(result.tau2)
    assert result.z == pytest.approx(float(result.z_sampling))
    assert result.p_value == pytest.approx(2 * stats.norm.sf(abs(float(result.z))))
    pooled = 100.5 / 10_001
    assert result.z == pytest.approx(0.005 / np.sqrt(pooled * (1 - pooled) * 2 / 10_000))


def test_design_effect_widens_and_empty_days_are_left_out() -> None:
    plain = new_day_rate_test([100, 100, 0], [10_000, 10_000, 0], 150, 10_000)
    wide = new_day_rate_test([100, 100], [10_000, 10_000], 150, 10_000, design_effect=4.0)
    assert plain.z_sampling == pytest.approx(2 * float(wide.z_sampling))
    batched = new_day_rate_test([[100, 100], [5, 9]], [10_000, 10_000], [150, 7], 10_000, design_effect=[4.0, 1.0])
    assert batched.z[0] == pytest.approx(float(wide.z))


def test_degenerate_counts() -> None:
    assert np.isnan(new_day_rate_test([0, 0], [0, 0], 1, 10).p_value)
    assert np.isnan(new_day_rate_test([1, 1], [10, 10], 0, 0).p_value)
    silent = new_day_rate_test([0, 0, 0], [1_000] * 3, 0, 1_000)
    assert silent.z == 0
    assert silent.p_value == 1
    with pytest.raises(ValueError, match="successes <= trials"):
        new_day_rate_test([2], [1], 0, 1)
