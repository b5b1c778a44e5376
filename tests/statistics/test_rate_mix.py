"""Mix and rate add up exactly, agree with statsmodels and the bootstrap, and their intervals cover the simulated truth."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep

from recsysops.statistics.rate_mix import RateMix, rate_mix

Floats = npt.NDArray[np.float64]
CELL = st.integers(0, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=8))
def test_parts_add_up_exactly(cells: list[tuple[tuple[int, int], tuple[int, int]]]) -> None:
    (k0, n0), (k1, n1) = (np.array([cell[i] for cell in cells]).T for i in (0, 1))
    if not n0.any() or not n1.any():
        with pytest.raises(ValueError, match="no rows"):
            rate_mix(k0, n0, k1, n1)
        return
    found = rate_mix(k0, n0, k1, n1)
    change = k1.sum() / n1.sum() - k0.sum() / n0.sum()
    assert found.change.value == pytest.approx(change, abs=1e-14)
    assert found.mix.estimate.sum() + found.rate.estimate.sum() == pytest.approx(change, abs=1e-14)
    assert found.mix.total.value + found.rate.total.value == pytest.approx(change, abs=1e-14)
    for parts in (found.mix, found.rate):
        assert (parts.low <= parts.estimate).all()
        assert (parts.estimate <= parts.high).all()


def test_equals_the_formula_and_the_change_equals_statsmodels() -> None:
    k0, n0, k1, n1 = (
        np.array(one, np.float64) for one in ([10, 90, 5], [500, 500, 100], [16, 36, 30], [800, 200, 300])
    )
    found = rate_mix(k0, n0, k1, n1)
    w0, w1, r0, r1 = n0 / n0.sum(), n1 / n1.sum(), k0 / n0, k1 / n1
    np.testing.assert_allclose(found.mix.estimate, (w1 - w0) * (r0 - k0.sum() / n0.sum()))
    np.testing.assert_allclose(found.rate.estimate, w1 * (r1 - r0), atol=1e-15)
    low, high = confint_proportions_2indep(k1.sum(), n1.sum(), k0.sum(), n0.sum(), method="wald", compare="diff")
    assert (found.change.low, found.change.high) == pytest.approx((low, high))


def _half_widths(found: RateMix) -> Floats:
    totals = [one.high - one.value for one in (found.change, found.mix.total, found.rate.total)]
    return np.concatenate([totals, found.mix.high - found.mix.estimate, found.rate.high - found.rate.estimate])


def _values(found: RateMix) -> Floats:
    totals = [one.value for one in (found.change, found.mix.total, found.rate.total)]
    return np.concatenate([totals, found.mix.estimate, found.rate.estimate])


def _drawn(rng: np.random.Generator, n: int, share: Floats, rate: Floats) -> tuple[Floats, Floats]:
    rows = rng.multinomial(n, share)
    return rng.binomial(rows, rate).astype(np.float64), rows.astype(np.float64)


def test_standard_errors_equal_those_of_the_bootstrap() -> None:
    rng = np.random.default_rng(0)
    k0, n0, k1, n1 = (np.array(one) for one in ([300, 900, 50, 0], [5_000, 5_000, 1_000, 0], [160, 360, 30, 40], [8_000, 2_000, 600, 500]))  # fmt: skip
    found = rate_mix(k0, n0, k1, n1)
    again = []
    for _ in range(3_000):
        before = _drawn(rng, n0.sum(), n0 / n0.sum(), k0 / np.maximum(n0, 1))
        after = _drawn(rng, n1.sum(), n1 / n1.sum(), k1 / np.maximum(n1, 1))
        again.append(_values(rate_mix(*before, *after)))
    np.testing.assert_allclose(_half_widths(found) / 1.959964, np.std(again, axis=0), rtol=0.06, atol=1e-12)


def _covered(w0: Floats, w1: Floats, r0: Floats, r1: Floats) -> Floats:
    """How often the intervals of total change, mix and rate, then of every value's mix and rate, hold the truth."""
    rng = np.random.default_rng(1)
    mix, rate = (w1 - w0) * (r0 - w0 @ r0), w1 * (r1 - r0)
    truth = np.concatenate([[mix.sum() + rate.sum(), mix.sum(), rate.sum()], mix, rate])
    draws = (rate_mix(*_drawn(rng, 4_000, w0, r0), *_drawn(rng, 3_000, w1, r1)) for _ in range(1_000))
    return np.asarray(np.mean([np.abs(_values(found) - truth) <= _half_widths(found) for found in draws], axis=0))


def test_intervals_cover_the_simulated_truth() -> None:
    shares, rates = np.array([[0.5, 0.3, 0.2], [0.4, 0.35, 0.25]]), np.array([[0.05, 0.2, 0.3], [0.05, 0.15, 0.3]])
    assert _covered(*shares, *rates) == pytest.approx(np.full(9, 0.95), abs=0.025)
    # A product of two factors that are both near 0 varies less than its linearisation: never too narrow.
    assert (_covered(shares[0], shares[0], np.full(3, 0.2), np.full(3, 0.2)) >= 0.93).all()


def test_amounts_with_squares_cover_too_and_rows_may_be_split() -> None:
    rng = np.random.default_rng(2)
    covered = []
    for _ in range(400):
        value, amounts = rng.integers(0, 2, (2, 2_000)), rng.gamma(2.0, 5.0, (2, 2_000))
        windows = [
            [np.bincount(v, x, minlength=2) for x in (y, np.ones(2_000), y**2)]
            for v, y in zip(value, amounts, strict=True)
        ]
        found = rate_mix(
            *windows[0][:2], *windows[1][:2], reference_squares=windows[0][2], current_squares=windows[1][2]
        )
        covered.append(abs(found.change.value) <= found.change.high - found.change.value)
        standard_error = np.sqrt(sum(y.var() / 2_000 for y in amounts))
        assert found.change.high - found.change.value == pytest.approx(1.959964 * standard_error)
    assert np.mean(covered) == pytest.approx(0.95, abs=0.035)


def test_a_value_that_is_new_or_gone_is_mix() -> None:
    found = rate_mix([10, 20, 0], [100, 100, 0], [10, 0, 5], [100, 0, 100])
    np.testing.assert_allclose(found.rate.estimate, 0, atol=1e-15)
    np.testing.assert_allclose(found.mix.estimate, [0.0, -0.5 * (0.2 - 0.15), 0.5 * (0.05 - 0.15)], atol=1e-15)


def test_clusters_widen_and_confidence_narrows() -> None:
    counts = ([10, 90], [500, 500], [16, 36], [800, 200])
    plain = _half_widths(rate_mix(*counts))
    np.testing.assert_allclose(_half_widths(rate_mix(*counts, design_effect=4.0)), 2 * plain)
    assert (_half_widths(rate_mix(*counts, confidence=0.5)) < plain).all()


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (([3], [2], [1], [2]), "give squares"),
        (([1], [0], [1], [2]), "a sum without rows"),
        (([1], [2], [1, 1], [2, 2]), "same in both windows"),
        (([1, 1], [2], [1], [2]), "one shape"),
        (([1], [-2], [1], [2]), ">= 0"),
        (([np.nan], [2], [1], [2]), "finite sums"),
    ],
)
def test_impossible_windows_are_refused(counts: tuple[list[float], ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rate_mix(*counts)
    with pytest.raises(ValueError, match="design_effect: found 0"):
        rate_mix([1], [2], [1], [2], design_effect=0.0)
