"""Bucket permutation: level under clustering and unequal volume, power, tails, laws and degenerate windows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from clustered_logs import clustered_bucket_counts
from scipy import stats

from recsysops.statistics.bucket_permutation import permute_buckets, random_deal
from recsysops.statistics.chi_square import chi_square
from recsysops.statistics.gamma_tail import gamma_tail_probability
from recsysops.statistics.kolmogorov_smirnov import ks_bracket
from recsysops.statistics.psi import psi

Floats = npt.NDArray[np.float64]
N_TRIALS = 300


def _ks(reference: Floats, current: Floats) -> Floats:
    return ks_bracket(reference, current).low


def _windows(seed: int, *, n_days: int = 1, **current: float) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    n_requests = int(current.pop("n_requests", 2_000))
    reference = [np.concatenate([clustered_bucket_counts(rng) for _ in range(n_days)]) for _ in range(N_TRIALS)]
    now = [
        clustered_bucket_counts(rng, n_requests=n_requests, shift=current.get("shift", 0.0)) for _ in range(N_TRIALS)
    ]
    return np.stack(reference), np.stack(now)


@pytest.fixture(scope="module")
def quiet() -> tuple[Floats, Floats]:
    return _windows(1)


@pytest.mark.parametrize("statistic", [psi, _ks])
def test_level_is_nominal_for_clustered_rows(quiet: tuple[Floats, Floats], statistic: object) -> None:
    assert callable(statistic)
    p_value = permute_buckets(*quiet, statistic, n_draws=399, seed=2).p_value
    assert np.mean(p_value <= 0.05) <= 0.08
    assert np.mean(p_value <= 0.01) <= 0.03
    assert stats.kstest(p_value, "uniform").pvalue > 0.001


def test_the_test_for_independent_rows_is_not_nominal(quiet: tuple[Floats, Floats]) -> None:
    reference, current = (window.sum(axis=1) for window in quiet)
    assert np.mean(chi_square(reference, current).p_value <= 0.01) > 0.08


def test_level_is_nominal_with_several_reference_days_and_little_current_volume() -> None:
    reference, current = _windows(3, n_days=2, n_requests=250)
    p_value = permute_buckets(reference, current, psi, n_draws=399, seed=4).p_value
    assert 0.02 <= np.mean(p_value <= 0.05) <= 0.08
    assert stats.kstest(p_value, "uniform").pvalue > 0.001


def test_small_shift_is_found() -> None:
    reference, current = _windows(5, shift=0.08)
    assert np.mean(permute_buckets(reference, current, psi, n_draws=399, seed=6).p_value <= 0.01) > 0.8


def test_tail_p_value_goes_on_below_the_draws() -> None:
    rng = np.random.default_rng(7)
    reference, current = clustered_bucket_counts(rng), clustered_bucket_counts(rng, shift=0.3)
    result = permute_buckets(reference, current, psi, seed=8)
    assert result.p_value == 0.001
    assert 1e-9 <= result.tail_p_value < 1e-6
    assert result.z > 10


def test_tail_p_value_equals_p_value_in_the_bulk(quiet: tuple[Floats, Floats]) -> None:
    result = permute_buckets(*quiet, psi, n_draws=199, seed=9)
    bulk = result.p_value > 0.06
    np.testing.assert_array_equal(result.tail_p_value[bulk], result.p_value[bulk])
    assert (result.tail_p_value <= result.p_value).all()


@pytest.mark.parametrize("dof", [4, 19])
@pytest.mark.parametrize("target", [1e-4, 1e-6])
def test_gamma_tail_is_right_or_cautious_for_chi_square(dof: int, target: float) -> None:
    draws = np.random.default_rng(dof).chisquare(dof, size=(200, 999))
    fitted = gamma_tail_probability(draws, np.full(200, stats.chi2.isf(target, dof)))
    assert target < np.median(fitted) < 6 * target
    assert np.mean(fitted < target / 2) < 0.1
    assert np.mean(fitted > 30 * target) < 0.05


def test_gamma_tail_is_on_the_safe_side_for_lighter_tails() -> None:
    draws = stats.kstwobign.rvs(size=(20, 999), random_state=3)
    assert (gamma_tail_probability(draws, np.full(20, stats.kstwobign.isf(1e-7))) > 1e-7).all()
    normal = -np.abs(np.random.default_rng(4).standard_normal(999))
    assert gamma_tail_probability(normal, 0.5) >= stats.norm.sf((0.5 - normal.mean()) / normal.std())


def test_gamma_tail_is_unknown_for_constant_draws() -> None:
    assert np.isnan(gamma_tail_probability(np.ones(50), 2.0))
    with pytest.raises(ValueError, match="at least 20 draws"):
        gamma_tail_probability(np.ones(19), 2.0)


def test_deal_gives_every_vector_the_same_chance() -> None:
    deal = random_deal(8, 4_000, np.random.default_rng(0))
    assert deal.shape == (4_000, 16)
    assert (deal.sum(axis=1) == 8).all()
    np.testing.assert_allclose(deal.mean(axis=0), 0.5, atol=0.04)


def test_order_of_buckets_does_not_matter() -> None:
    rng = np.random.default_rng(10)
    reference, current = clustered_bucket_counts(rng), clustered_bucket_counts(rng, shift=0.04)
    first = permute_buckets(reference, current, psi, seed=1)
    second = permute_buckets(reference[rng.permutation(32)], current[rng.permutation(32)], psi, seed=1)
    assert first.observed == pytest.approx(float(second.observed), rel=1e-12)
    assert first.null_mean == pytest.approx(float(second.null_mean), rel=0.05)
    assert first.p_value == pytest.approx(float(second.p_value), abs=0.06)


def test_batched_call_equals_single_calls_and_seed_decides() -> None:
    rng = np.random.default_rng(11)
    reference, current = rng.poisson(20, (3, 2, 64, 6)), rng.poisson(20, (3, 2, 32, 6))
    batched = permute_buckets(reference, current, psi, n_draws=99, seed=3)
    assert batched.p_value.shape == (3, 2)
    for i, j in np.ndindex(3, 2):
        single = permute_buckets(reference[i, j], current[i, j], psi, n_draws=99, seed=np.random.default_rng(3))
        assert single.p_value == batched.p_value[i, j]
        assert single.z == pytest.approx(float(batched.z[i, j]), rel=1e-9)


def test_few_buckets_never_claim_a_small_probability() -> None:
    reference, current = np.tile([100.0, 0.0], (3, 1)), np.tile([0.0, 100.0], (3, 1))
    result = permute_buckets(reference, current, psi, seed=1)
    assert result.tail_p_value > 0.08  # 2 of the 20 deals are as extreme
    one_bucket = permute_buckets(reference[:1], current[:1], psi, seed=1)
    assert one_bucket.p_value == 1
    assert one_bucket.tail_p_value == 1


def test_degenerate_windows() -> None:
    some, empty = np.ones((8, 3)), np.zeros((8, 3))
    same = permute_buckets(some, some, psi, n_draws=50)
    assert same.observed == 0
    assert same.p_value == 1
    for reference, current in ((some, empty), (empty, some), (empty, empty)):
        nothing = permute_buckets(reference, current, psi, n_draws=50)
        assert np.isnan(nothing.p_value)
        assert np.isnan(nothing.tail_p_value)
    assert permute_buckets(np.ones((8, 1)), np.ones((8, 1)), psi, n_draws=50).p_value == 1
    assert permute_buckets(np.ones((0, 8, 3)), np.ones((0, 8, 3)), psi, n_draws=50).p_value.shape == (0,)


@pytest.mark.parametrize(
    ("reference", "current", "message"),
    [
        ((33, 4), (32, 4), "multiple of current's 32"),
        ((32, 4), (32, 5), "must agree"),
        ((2, 32, 4), (32, 4), "must agree"),
    ],
)
def test_unequal_shapes_are_refused(reference: tuple[int, ...], current: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        permute_buckets(np.ones(reference), np.ones(current), psi)
    with pytest.raises(ValueError, match="n_draws: found 5"):
        permute_buckets(np.ones((4, 2)), np.ones((4, 2)), psi, n_draws=5)
