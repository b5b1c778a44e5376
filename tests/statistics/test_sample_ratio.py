"""Shares of arms and evenness of buckets against scipy, and their false alarms with clustered members."""

from __future__ import annotations

import doctest

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from recsysops.statistics import uniform_buckets
from recsysops.statistics.sample_ratio import against_reference, against_shares
from recsysops.statistics.uniform_buckets import bucket_evenness

Counts = npt.NDArray[np.int64]


def dealt(rng: np.random.Generator, n_members: int, shares: list[float], times: int = 1) -> Counts:
    """Counts (32, n_arms) of members who each count ``times`` times, in the bucket of their own hash."""
    arm = rng.choice(len(shares), n_members, p=shares)
    bucket = rng.integers(0, 32, n_members)
    counts = np.zeros((32, len(shares)), np.int64)
    np.add.at(counts, (bucket, arm), times)
    return counts


def test_example() -> None:
    assert doctest.testmod(uniform_buckets).failed == 0


def test_evenness_is_that_of_scipy() -> None:
    counts = np.random.default_rng(0).poisson(50, (5, 32))
    found = bucket_evenness(counts)
    for row in range(5):
        expected = stats.chisquare(counts[row])
        assert found.statistic[row] == pytest.approx(expected.statistic)
        assert found.p_value[row] == pytest.approx(expected.pvalue)
    assert bucket_evenness(np.zeros(32)).p_value == 1.0


def test_imbalance_recovers_what_was_planted() -> None:
    rng = np.random.default_rng(1)
    share = np.repeat([1.2, 0.8], 16) / 32
    counts = rng.multinomial(50_000, share, size=50)
    assert np.mean(bucket_evenness(counts).imbalance) == pytest.approx(0.2, abs=0.01)


def test_declared_shares_are_those_of_scipy() -> None:
    counts = dealt(np.random.default_rng(2), 4_000, [0.5, 0.3, 0.2])
    found = against_shares(counts, [0.5, 0.3, 0.2])
    expected = stats.chisquare(counts.sum(axis=0), 4_000 * np.array([0.5, 0.3, 0.2]))
    assert found.statistic * found.design_effect == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(stats.chi2.sf(found.statistic, 2))


def test_two_days_are_compared_as_scipy_does() -> None:
    rng = np.random.default_rng(3)
    reference, current = dealt(rng, 3_000, [0.5, 0.5])[None], dealt(rng, 3_000, [0.4, 0.6])
    found = against_reference(reference, current)
    table = np.array([reference.sum(axis=(0, 1)), current.sum(axis=0)])
    expected = stats.chi2_contingency(table, correction=False)
    assert found.statistic * found.design_effect == pytest.approx(expected.statistic)
    assert found.p_value < 1e-4
    assert found.deviation == pytest.approx(-0.1, abs=0.03)


@pytest.mark.parametrize("times", [1, 24])
def test_false_alarms_with_members_that_count_several_times(times: int) -> None:
    rng = np.random.default_rng(4)
    p_values = [against_shares(dealt(rng, 2_000, [0.5, 0.5], times), [0.5, 0.5]).p_value for _ in range(1_500)]
    assert np.mean(np.array(p_values) <= 0.05) == pytest.approx(0.05, abs=0.025)


def test_a_month_of_the_same_members_is_no_more_than_a_day() -> None:
    rng = np.random.default_rng(5)
    p_values = []
    for _ in range(400):
        same = dealt(rng, 2_000, [0.5, 0.5])
        p_values.append(against_reference(np.stack([same] * 28), dealt(rng, 2_000, [0.5, 0.5])).p_value)
    assert np.mean(np.array(p_values) <= 0.05) < 0.08


def test_the_arm_named_is_the_same_every_day() -> None:
    rng = np.random.default_rng(6)
    named = {against_shares(dealt(rng, 5_000, [0.4, 0.6]), [0.5, 0.5]).largest for _ in range(30)}
    assert named == {0}


@pytest.mark.parametrize("shares", [[0.5, 0.6], [1.0, 0.0], [1.0]])
def test_impossible_shares_are_refused(shares: list[float]) -> None:
    with pytest.raises(ValueError, match="shares"):
        against_shares(np.ones((32, 2)), shares)


def test_nothing_to_compare_is_refused() -> None:
    with pytest.raises(ValueError, match="no counts"):
        against_shares(np.zeros((32, 2)), [0.5, 0.5])
    with pytest.raises(ValueError, match="counts in both"):
        against_reference(np.zeros((3, 32, 2)), np.ones((32, 2)))
