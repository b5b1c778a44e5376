"""The gate of means: agrees with Welch's test where days do not move, is honest where they do, and finds what is planted."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from scipy import stats

from recsysops.profiles.history import MomentContrast, WindowMoments
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.triage.mean_gate import MeanLimits, mean_gate, means_of

DAYS = tuple(date(2026, 3, 2) + timedelta(days=one) for one in range(15))
Values = list[list[np.ndarray]]


def _window(values: Values) -> WindowMoments:
    def of(function: object) -> np.ndarray:
        return np.array([[function(one) for one in unit] for unit in values])  # type: ignore[operator]

    return WindowMoments(of(len), of(np.mean), of(lambda one: np.std(one, ddof=1)), of(np.min), of(np.max))


def _contrast(reference: Values, current: Values) -> MomentContrast:
    slices = (EVERYTHING, Slice("market", "NO"))[: len(current[0])]
    return MomentContrast(slices, DAYS[: len(reference)], DAYS[14:], _window(reference), _window(current))


def _days(
    rng: np.random.Generator, n_days: int, shift: float = 0.0, moving: float = 0.0, n: int = 400
) -> MomentContrast:
    reference = [[rng.normal(moving * rng.normal(), 1.0, n)] for _ in range(n_days)]
    return _contrast(reference, [[rng.normal(shift + moving * rng.normal(), 1.0, n)]])


def test_without_movement_of_days_it_is_welchs_test() -> None:
    rng = np.random.default_rng(1)
    reference, current = rng.normal(0, 1, 5000), rng.normal(0.3, 2, 300)
    contrast = _contrast([[reference]], [[current]])
    (change,) = mean_gate(means_of(contrast), MeanLimits(0.01, prior_sd=1e-9, max_p=1.0))
    welch = stats.ttest_ind(current, reference, equal_var=False)
    said = {term.name: term.value for term in change.arithmetic}
    assert said["t"] == pytest.approx(welch.statistic, rel=1e-6)
    assert change.value == pytest.approx(current.mean())
    assert change.reference == pytest.approx(reference.mean())


@pytest.mark.parametrize("moving", [0.0, 0.05])
def test_healthy_days_give_p_values_that_are_honest(moving: float) -> None:
    rng = np.random.default_rng(2)
    limits = MeanLimits(1e-9, prior_sd=moving, max_p=0.05)
    found = sum(len(list(mean_gate(means_of(_days(rng, 14, moving=moving)), limits))) for _ in range(400))
    assert found <= stats.binom.ppf(0.999, 400, 0.05)


def test_a_shift_beyond_noise_and_days_is_found_and_a_small_one_is_not() -> None:
    rng = np.random.default_rng(3)
    large = list(mean_gate(means_of(_days(rng, 14, shift=0.5, moving=0.03)), MeanLimits(0.2)))
    small = list(mean_gate(means_of(_days(rng, 14, shift=0.1, moving=0.03)), MeanLimits(0.2)))
    assert [one.is_up for one in large] == [True]
    assert large[0].low < large[0].value < large[0].high
    assert not small


def test_a_slice_that_follows_the_whole_is_not_told_again() -> None:
    rng = np.random.default_rng(4)
    reference = [[rng.normal(0, 1, 400), rng.normal(0, 1, 200)] for _ in range(10)]
    both = _contrast(reference, [[rng.normal(0.6, 1, 400), rng.normal(0.6, 1, 200)]])
    one = _contrast(reference, [[rng.normal(0.6, 1, 400), rng.normal(1.4, 1, 200)]])
    found = [[str(change.slice) for change in mean_gate(means_of(of), MeanLimits(0.2))] for of in (both, one)]
    assert found == [["all rows"], ["all rows", "market=NO"]]


def test_too_few_requests_or_none_are_not_judged() -> None:
    rng = np.random.default_rng(5)
    few = means_of(_days(rng, 10, shift=5.0, n=20))
    nothing = replace(few, now=np.array([np.nan]), n_now=np.array([0.0]))
    for means in (few, nothing):
        assert not list(mean_gate(means, MeanLimits(0.1)))
