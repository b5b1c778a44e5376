"""Scores of a bag against numpy's own medians and against counting by hand; every entry is treated alike."""

from __future__ import annotations

import math
from collections import Counter
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from recsysops.statistics.conformal import conformal_p
from recsysops.statistics.leave_one_out import count_of_others, median_of_others, spread_of_others
from recsysops.statistics.surprise import category_surprise, number_surprise, pair_surprise
from recsysops.statistics.symmetric_scale import Transform, symmetric_scale

FEW = settings(derandomize=True, deadline=None, max_examples=60)
NUMBERS = st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 2)) | st.integers(-2, 2), min_size=2, max_size=25)
CODES = st.lists(st.integers(-1, 3), min_size=1, max_size=25)


@FEW
@given(NUMBERS)
def test_leaving_one_out_equals_deleting_it(numbers: list[float]) -> None:
    values = np.asarray(numbers, np.float64)
    medians = median_of_others(values)
    spreads = spread_of_others(values, medians)
    for i in range(len(values)):
        others = np.delete(values, i)
        assert medians[i] == pytest.approx(np.median(others), rel=1e-12)
        mad = stats.median_abs_deviation(others, scale="normal")
        wide = math.sqrt(math.pi / 2) * np.abs(others - np.median(others)).mean()
        assert spreads[i] == pytest.approx(mad if mad > 0 else wide, rel=1e-6, abs=1e-6)
        assert count_of_others(values.astype(np.int64))[i] == Counter(others.astype(int).tolist())[int(values[i])]


@FEW
@given(CODES)
def test_category_surprise_equals_counting(codes: list[int]) -> None:
    scores, k, n_categories = category_surprise(codes), len(codes) - 1, len(set(codes))
    for i, code in enumerate(codes):
        others = codes[:i] + codes[i + 1 :]
        assert scores[i] == pytest.approx(-math.log((others.count(code) + 0.5) / (k + 0.5 * n_categories)))


@FEW
@given(CODES)
def test_pair_surprise_equals_counting(codes: list[int]) -> None:
    other = [(3 * code + i) % 3 for i, code in enumerate(codes)]
    scores, k = pair_surprise(codes, other), max(len(codes) - 1, 1)
    for i, (a, b) in enumerate(zip(codes, other, strict=True)):
        rest = [pair for j, pair in enumerate(zip(codes, other, strict=True)) if j != i]
        expected = sum(x == a for x, _ in rest) * sum(y == b for _, y in rest) / k
        assert scores[i] == pytest.approx(math.log((expected + 0.5) / (rest.count((a, b)) + 0.5)))


@FEW
@given(NUMBERS, st.sampled_from(["auto", "none", "log", "rank"]), st.randoms(use_true_random=False))
def test_every_entry_is_treated_alike(numbers: list[float], transform: Transform, shuffle: Random) -> None:
    values = np.asarray([*numbers, np.nan, np.inf, 0.0], np.float64)
    order = shuffle.sample(range(len(values)), len(values))
    plain, shuffled = (number_surprise(one, transform=transform) for one in (values, values[order]))
    np.testing.assert_allclose(shuffled.scores, plain.scores[order], rtol=1e-9)
    assert shuffled.transform == plain.transform


def test_a_number_is_as_strange_as_its_robust_z() -> None:
    values = np.concatenate([[7.0], np.random.default_rng(0).normal(size=200)])
    found = number_surprise(values, transform="none")
    peers = values[1:]
    z = (7.0 - np.median(peers)) / stats.median_abs_deviation(peers, scale="normal")
    assert found.z[0] == pytest.approx(z)
    assert found.scores[0] == pytest.approx(-math.log(200.5 / 200.5) - math.log(2 * stats.norm.sf(z)))
    assert np.isfinite(number_surprise(np.concatenate([[1e12], values])).scores).all()
    assert conformal_p(number_surprise([1e308, -1.0, 1.0, 2.0, 0.5, 3.0]).scores) == pytest.approx(1 / 6)


def test_an_atom_is_a_category_and_the_rest_are_numbers_still() -> None:
    peers = np.concatenate([np.zeros(60), np.random.default_rng(1).lognormal(size=40)])
    on_atom, usual, far = (number_surprise(np.concatenate([[x], peers])) for x in (0.0, 1.0, 1e6))
    assert np.isnan(on_atom.z[0])
    assert on_atom.scores[0] == pytest.approx(-math.log(60.5 / 101))
    assert far.transform == "log"
    assert on_atom.scores[0] < usual.scores[0] < far.scores[0]
    assert conformal_p(far.scores) == pytest.approx(1 / 101)
    lone = number_surprise([17.0] + [3.0] * 50)
    assert lone.scores[0] == pytest.approx(-math.log(0.5 / 51), rel=1e-3)
    assert conformal_p(lone.scores) == pytest.approx(1 / 51)
    assert conformal_p(number_surprise([3.0] * 51).scores) == 1


def test_kinds_of_missing_are_never_mixed() -> None:
    rng = np.random.default_rng(2)
    values, missing = np.append(np.nan, rng.normal(size=200)), np.zeros(201, np.int64)
    values[1:21] = np.nan
    missing[1:21] = 1  # NULL; the subject's is a NaN
    mixed, apart = number_surprise(values), number_surprise(values, missing=missing)
    assert conformal_p(mixed.scores) > 0.05
    assert conformal_p(apart.scores) == pytest.approx(1 / 201)
    present = number_surprise(np.append(0.3, np.full(100, np.nan)))
    assert conformal_p(present.scores) == pytest.approx(1 / 101)
    with pytest.raises(ValueError, match="missing: found shape"):
        number_surprise(values, missing=[0])


def test_scales_and_their_choice() -> None:
    rng = np.random.default_rng(3)
    skewed, plain = rng.lognormal(0, 2, 400), rng.normal(50, 5, 400)
    np.testing.assert_allclose(symmetric_scale(skewed, "log")[0], np.log(skewed))
    assert symmetric_scale(skewed)[1] == "log"
    assert symmetric_scale(rng.uniform(size=400))[1] == "none"
    scores, _ = symmetric_scale(plain, "rank")
    assert stats.shapiro(scores).pvalue > 0.5
    np.testing.assert_array_equal(stats.rankdata(scores), stats.rankdata(plain))
    both, _ = symmetric_scale(np.append(skewed, -skewed), "log")
    np.testing.assert_allclose(both[:400], -both[400:])
    assert (np.diff(symmetric_scale(np.sort(plain - 50), "log")[0]) > 0).all()
    with pytest.raises(ValueError, match="transform: found 'square'"):
        symmetric_scale(plain, "square")  # type: ignore[arg-type]


def test_a_pair_that_never_goes_together_is_found_and_rare_parts_are_not() -> None:
    rng = np.random.default_rng(4)
    country = rng.choice(4, 400, p=[0.5, 0.3, 0.19, 0.01])
    language = np.where(rng.random(400) < 0.9, country, 0)
    together = [conformal_p(pair_surprise([a, *country], [b, *language])) for a, b in ((0, 1), (1, 1), (3, 3))]
    assert together[0] == pytest.approx(1 / 401)
    assert min(together[1:]) > 0.1
    with pytest.raises(ValueError, match="as many of both"):
        pair_surprise([1, 2], [1])
