"""Shares of arms and evenness of buckets against scipy, and their false alarms with clustered members."""

from __future__ import annotations

import doctest

import numpy as np
import numpy.typing as npt
import pytest
from scipy import optimize, stats

from recsysops.statistics import sample_ratio, uniform_buckets
from recsysops.statistics.sample_ratio import against_reference, against_shares, nearest_shares
from recsysops.statistics.uniform_buckets import bucket_evenness

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def dealt(rng: np.random.Generator, n_members: int, shares: list[float], times: int = 1) -> Counts:
    """Counts (32, n_arms) of members who each count ``times`` times, in the bucket of their own hash."""
    arm = rng.choice(len(shares), n_members, p=shares)
    bucket = rng.integers(0, 32, n_members)
    counts = np.zeros((32, len(shares)), np.int64)
    np.add.at(counts, (bucket, arm), times)
    return counts


def test_example() -> None:
    assert doctest.testmod(uniform_buckets).failed == doctest.testmod(sample_ratio).failed == 0


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


def test_a_month_of_other_members_is_compared_as_scipy_does_with_as_many_days() -> None:
    rng = np.random.default_rng(7)
    reference = np.stack([dealt(rng, 2_000, [0.5, 0.3, 0.2]) for _ in range(28)])
    current = dealt(rng, 2_000, [0.47, 0.33, 0.2])
    found = against_reference(reference, current)
    average = reference.sum(axis=(0, 1)) / 28
    table = np.array([average * found.n_units, current.sum(axis=0)])
    expected = stats.chi2_contingency(table, correction=False)
    assert found.statistic * found.design_effect == pytest.approx(expected.statistic)
    days = stats.chi2_contingency(reference.sum(axis=1), correction=False)
    phi = days.statistic / days.dof / found.design_effect  # below 1 here: no more than members differ by
    assert phi < 1
    assert found.n_units == pytest.approx(28 / (1 + 27 * (1 - phi)))


@pytest.mark.parametrize(("alike", "low", "high"), [(0.0, 9, 28), (1.0, 1, 1), (0.5, 1.3, 4)])
def test_days_are_worth_as_much_as_their_members_differ(alike: float, low: float, high: float) -> None:
    rng = np.random.default_rng(8)
    worth = []
    for _ in range(60):
        same = dealt(rng, int(2_000 * alike), [0.5, 0.5])
        days = [same + dealt(rng, 2_000 - int(2_000 * alike), [0.5, 0.5]) for _ in range(28)]
        worth.append(against_reference(np.stack(days), dealt(rng, 2_000, [0.5, 0.5])).n_units)
    assert low <= np.mean(worth) <= high


@pytest.mark.parametrize("n_days", [2, 7, 28])
def test_false_alarms_and_power_when_a_part_of_fixed_members_comes_each_day(n_days: int) -> None:
    rng = np.random.default_rng(9)
    quiet, loud, one_day = [], [], []
    for _ in range(400):
        arm, bucket = rng.integers(0, 2, 3_000), rng.integers(0, 32, 3_000)

        def day(arm: Counts = arm, bucket: Counts = bucket, moved: float = 0.0) -> Counts:
            here = rng.random(3_000) < 0.1
            arms = np.where(rng.random(3_000) < moved, 1, arm)
            return np.histogram2d(bucket[here], arms[here], bins=(np.arange(33), np.arange(3)))[0].astype(np.int64)

        before = np.stack([day() for _ in range(n_days)])
        broken = day(moved=0.28)  # of the members of arm 0, a seventh of all
        quiet.append(against_reference(before, day()).p_value)
        loud.append(against_reference(before, broken).p_value)
        one_day.append(against_reference(before[:1], broken).p_value)
    assert np.mean(np.array(quiet) <= 0.05) <= 0.075
    assert np.mean(np.array(quiet) <= 0.005) <= 0.02
    if n_days == 28:
        assert np.mean(np.array(loud) <= 1e-3) > np.mean(np.array(one_day) <= 1e-3) + 0.2


def test_days_that_differ_by_more_than_members_widen_the_test() -> None:
    rng = np.random.default_rng(10)
    p_values = []
    for _ in range(300):
        shares = rng.beta(60, 60, 15)
        days = np.stack([dealt(rng, 1_000, [one, 1 - one]) for one in shares])
        p_values.append(against_reference(days[:-1], days[-1]).p_value)
    assert np.mean(np.array(p_values) <= 0.01) < 0.05


def test_nearest_shares_are_those_of_a_general_minimiser() -> None:
    rng = np.random.default_rng(11)
    for _ in range(20):
        expected, observed, movable = rng.dirichlet([3, 3, 3, 3]), rng.dirichlet([2, 2, 2, 2]), rng.uniform(0.05, 0.6)
        found = nearest_shares(expected, observed, movable)
        least = (1 - movable) * expected

        def chi_square(shares: Floats, observed: Floats = observed) -> float:
            return float(((observed - shares) ** 2 / shares).sum())

        best = optimize.minimize(
            chi_square, expected, method="SLSQP", bounds=optimize.Bounds(least, 1.0), options={"ftol": 1e-12, "maxiter": 500},
            constraints=optimize.LinearConstraint(np.ones((1, 4)), 1.0, 1.0),
        )  # fmt: skip
        assert found == pytest.approx(best.x, abs=1e-4)
        assert found.sum() == pytest.approx(1)
        assert (found >= least - 1e-9).all()
    assert nearest_shares(expected, observed, 0.0) is expected
    assert nearest_shares(expected, observed, 1.0) == pytest.approx(observed)


def test_a_change_of_the_day_explains_what_came_after_it_and_no_more() -> None:
    rng = np.random.default_rng(12)
    reference = np.stack([dealt(rng, 2_000, [0.5, 0.5]) for _ in range(7)])
    planned, broken = [], []
    for _ in range(300):
        late = dealt(rng, 200, [0.0, 1.0])  # a tenth came after the change, all of them to the other arm
        planned.append(against_reference(reference, late + dealt(rng, 1_800, [0.5, 0.5]), movable=0.1).p_value)
        broken.append(against_reference(reference, dealt(rng, 2_000, [0.35, 0.65]), movable=0.1))
    assert np.mean(np.array(planned) <= 0.05) <= 0.06
    assert np.mean([one.p_value <= 1e-4 for one in broken]) > 0.9
    assert np.mean([one.deviation for one in broken]) == pytest.approx(-0.1, abs=0.01)
    with pytest.raises(ValueError, match="movable"):
        against_reference(reference, reference[0], movable=1.5)


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
