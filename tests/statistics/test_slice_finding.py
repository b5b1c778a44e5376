"""Slices against brute force over all of them; confirmation against scipy's Welch test; honest on clusters and on noise."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from recsysops.statistics import slice_finding
from recsysops.statistics.slice_confirmation import confirm_slices, find_and_confirm, welch_difference
from recsysops.statistics.slice_finding import find_slices, slice_score

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Conditions = tuple[tuple[int, int], ...]


def _by_brute_force(codes: Codes, errors: Floats, alpha: float, least: int, max_level: int) -> dict[Conditions, float]:
    found = {}
    n, mean = len(errors), errors.mean()
    for level in range(1, max_level + 1):
        for features in combinations(range(codes.shape[1]), level):
            for values in product(*(range(codes[:, feature].max() + 1) for feature in features)):
                is_in = (codes[:, features] == values).all(axis=1)
                if is_in.sum() >= least:
                    score = alpha * (errors[is_in].mean() / mean - 1) - (1 - alpha) * (n / is_in.sum() - 1)
                    found[tuple(zip(features, values, strict=True))] = float(score)
    return found


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from([0.6, 0.9, 0.95]), st.integers(1, 12), st.integers(1, 3))
def test_equals_brute_force(seed: int, alpha: float, k: int, max_level: int) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(-1, rng.integers(1, 5, size=4), size=(120, 4))
    errors = rng.choice([rng.exponential(size=120), rng.integers(0, 2, 120) + 0.0, np.ones(120)])
    errors = errors * np.where(codes[:, 1] == codes[:, 2], 2.0, 1.0)
    if not errors.any():
        assert find_slices(codes, errors) == ()
        return
    every = _by_brute_force(codes, errors, alpha, 5, max_level)
    found = find_slices(codes, errors, alpha=alpha, k=k, max_level=max_level, min_rows=5)
    best = sorted((score for score in every.values() if score > 1e-9), reverse=True)[:k]
    assert [one.score for one in found if one.score > 1e-9] == pytest.approx(best)
    for one in found:
        is_in = np.logical_and.reduce([codes[:, feature] == code for feature, code in one.conditions])
        assert one.n == is_in.sum()
        assert one.mean_error == pytest.approx(errors[is_in].mean())
        assert one.score == pytest.approx(every[one.conditions], abs=1e-9)


def test_sets_of_features_that_cannot_win_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 5, (20_000, 15))
    errors = rng.uniform(0.5, 1.5, 20_000) * np.where((codes[:, 2] == 1) & (codes[:, 7] == 3), 6.0, 1.0)
    counted = []
    count = slice_finding._Search._count

    def counting(self: slice_finding._Search, features: tuple[int, ...], *, is_last: bool) -> slice_finding._Table:
        counted.append(features)
        return count(self, features, is_last=is_last)

    monkeypatch.setattr(slice_finding._Search, "_count", counting)
    found = find_slices(codes, errors)
    assert found[0].conditions == ((2, 1), (7, 3))
    assert len(counted) < 200  # of 15 + 105 + 455


def test_planted_slices_are_found_and_confirmed() -> None:
    n_first, n_confirmed = 0, 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        codes = rng.integers(0, 4, (6_000, 8))
        planted = tuple(
            (int(feature), int(rng.integers(4))) for feature in sorted(rng.choice(8, rng.integers(1, 3), replace=False))
        )
        is_in = np.logical_and.reduce([codes[:, feature] == code for feature, code in planted])
        found = find_and_confirm(codes, rng.exponential(np.where(is_in, 3.0, 1.0)), seed=seed)
        n_first += found[0].found.conditions == planted
        n_confirmed += found[0].is_confirmed
        assert found[0].difference.value == pytest.approx(2.0, abs=0.6)
    assert n_first >= 18
    assert n_confirmed == 20


def test_slices_of_noise_are_found_but_hardly_ever_confirmed() -> None:
    n_found, n_alarmed = 0, 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        found = find_and_confirm(rng.integers(0, 4, (2_000, 5)), rng.exponential(size=2_000), alpha=0.99, seed=seed)
        n_found += len(found)
        n_alarmed += any(one.is_confirmed for one in found)
    assert n_found > 40
    assert n_alarmed <= 0.1 * 40 + 6


@pytest.mark.parametrize("seed", range(5))
def test_difference_equals_scipy_without_clusters(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, is_in = rng.gamma(1 + seed, size=60), rng.random(60) < 0.3
    difference, p = welch_difference(values, is_in)
    oracle = stats.ttest_ind(values[is_in], values[~is_in], equal_var=False, alternative="greater")
    assert p == pytest.approx(oracle.pvalue)
    interval = stats.ttest_ind(values[is_in], values[~is_in], equal_var=False).confidence_interval(0.95)
    assert (difference.low, difference.high) == pytest.approx((interval.low, interval.high))


def test_rows_of_one_request_are_not_independent() -> None:
    rng = np.random.default_rng(1)
    requests, covered, covered_naively = np.repeat(np.arange(150), 10), 0, 0
    for _ in range(400):
        is_in = rng.random(1_500) < np.repeat(rng.random(150), 10)
        values = np.repeat(rng.normal(size=150), 10) + rng.normal(size=1_500)
        for clusters, counter in ((requests, 1), (None, 0)):
            difference, _ = welch_difference(values, is_in, clusters)
            is_covered = difference.low <= 0 <= difference.high
            covered, covered_naively = covered + is_covered * counter, covered_naively + is_covered * (1 - counter)
    assert covered / 400 == pytest.approx(0.95, abs=0.03)
    assert covered_naively / 400 < 0.85


def test_too_few_rows_are_not_judged_and_constant_ones_are() -> None:
    codes = np.repeat([[0], [1]], 40, axis=0)
    slices = find_slices(codes, np.repeat([1.0, 2.0], 40))
    few = confirm_slices(slices, [[0], [0], [1]], [1.0, 1.5, 2.0])[0]
    assert (few.n, few.is_confirmed) == (1, False)
    assert np.isnan(few.p_value)
    same = confirm_slices(slices, codes, np.repeat([1.0, 2.0], 40))[0]
    assert (same.p_value, same.difference.low, same.is_confirmed) == (0.0, 1.0, True)
    assert confirm_slices((), codes, np.ones(80)) == ()
    with pytest.raises(ValueError, match="expected as many of all"):
        welch_difference([1.0, 2.0], [True])


def test_scores_of_everything_of_nothing_and_bad_input() -> None:
    np.testing.assert_array_equal(slice_score([10, 0], [5.0, 0.0], 10, 5.0, 0.9), [0.0, -np.inf])
    codes = np.zeros((50, 2), int)
    assert find_slices(codes, np.zeros(50)) == ()
    assert find_slices(codes, np.ones(50)) == ()
    assert find_slices(np.zeros((50, 0), int), np.ones(50)) == ()
    for columns, errors, message in (
        (codes, np.ones(49), "expected \\(n_rows, n_features\\)"),
        (codes, -np.ones(50), ">= 0"),
        (codes + 10, np.ones(50), "bin the features first"),
        (codes - 2, np.ones(50), "found -2"),
    ):
        with pytest.raises(ValueError, match=message):
            find_slices(columns, errors)
    with pytest.raises(ValueError, match="alpha"):
        find_slices(codes, np.ones(50), alpha=1.0)
    with pytest.raises(ValueError, match="found k 0"):
        find_slices(codes, np.ones(50), k=0)
