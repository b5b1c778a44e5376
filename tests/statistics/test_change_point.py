"""The onset against brute force over all splits, its interval against simulated truth, its p-value against no change."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from recsysops.statistics.change_point import onset_of

Floats = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Floats]


def _profile(times: Floats, values: Floats) -> dict[int, float]:
    """Log-likelihood of every admissible split by scipy's densities, each part with its own maximum."""

    def rate(part: Floats) -> float:
        return float(np.sum(stats.bernoulli.logpmf(part, part.mean())))

    found = {}
    for s in range(1, len(values)):
        if times[s] > times[s - 1]:
            if set(values) <= {0.0, 1.0}:
                found[s] = rate(values[:s]) + rate(values[s:])
            else:
                fitted = np.repeat([values[:s].mean(), values[s:].mean()], [s, len(values) - s])
                sigma = np.sqrt(np.mean((values - fitted) ** 2))
                found[s] = float(np.sum(stats.norm.logpdf(values, fitted, sigma)))
    return found


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(3, 60), st.booleans(), st.sampled_from([0.5, 0.9, 0.95]))
def test_equals_brute_force(seed: int, n: int, is_rate: bool, confidence: float) -> None:
    rng = np.random.default_rng(seed)
    times = np.sort(rng.integers(0, n, n)).astype(np.float64)
    level = np.where(np.arange(n) < rng.integers(1, n), 0.2, 0.7)
    values = np.where(rng.random(n) < level, 1.0, 0.0) if is_rate else level + rng.normal(size=n)
    shuffled = rng.permutation(n)
    onset = onset_of(times[shuffled], values[shuffled], confidence=confidence)
    order = shuffled[np.argsort(times[shuffled], kind="stable")]
    profile = _profile(times, values[order])
    if not profile:
        assert np.isnan(onset.time)
        return
    whole = values.mean()
    alone = stats.bernoulli.logpmf(values, whole) if is_rate else stats.norm.logpdf(values, whole, values.std())
    top = max(profile.values())
    assert onset.log_likelihood_ratio == pytest.approx(top - np.sum(alone), abs=1e-7)
    assert profile[onset.n_before] == pytest.approx(top, abs=1e-7)
    kept = [s for s, one in profile.items() if one >= top + np.log(1 - np.sqrt(confidence))]
    assert (onset.low, onset.high) == (times[min(kept) - 1], times[max(kept)])
    assert onset.low < onset.time <= onset.high
    assert onset.before == pytest.approx(values[order][: onset.n_before].mean())
    assert onset.after == pytest.approx(values[order][onset.n_before :].mean())


def _events(rate: float) -> Draw:
    return lambda rng, n: np.where(rng.random(n) < rate, 1.0, 0.0)


CHANGES: dict[str, tuple[Draw, Draw]] = {
    "NULLs begin": (_events(0.0), _events(0.3)),
    "a rate doubles": (_events(0.1), _events(0.2)),
    "a rare event": (_events(0.01), _events(0.05)),
    "a mean moves": (lambda rng, n: rng.normal(size=n), lambda rng, n: rng.normal(0.5, size=n)),
    "a skewed mean": (lambda rng, n: rng.exponential(size=n), lambda rng, n: rng.exponential(1.8, size=n)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_interval_covers_the_simulated_onset(name: str) -> None:
    before, after = CHANGES[name]
    rng = np.random.default_rng(1)
    covered, errors = [], []
    for _ in range(400):
        true = int(rng.integers(400, 1_600))
        times = np.cumsum(rng.exponential(size=2_000))
        values = np.concatenate([before(rng, true), after(rng, 2_000 - true)])
        onset = onset_of(times, values)
        covered.append([onset.low < times[true] <= onset.high, *_narrow(times, values, times[true])])
        errors.append(abs(onset.time - times[true]))
    share, share_half, share_regular = np.mean(covered, axis=0)
    assert share >= 0.93
    assert 0.45 <= share_half <= 0.85
    assert share_regular < share  # the drop of 1.92 that a regular parameter would have
    assert np.median(errors) < 40


def _narrow(times: Floats, values: Floats, true: float) -> list[bool]:
    found = [onset_of(times, values, confidence=one) for one in (0.5, (1 - np.exp(-1.92)) ** 2)]
    return [one.low < true <= one.high for one in found]


def test_the_drop_is_the_larger_of_two_exponentials() -> None:
    rng = np.random.default_rng(2)
    drops = []
    for _ in range(300):
        values = np.concatenate([rng.normal(size=15_000), rng.normal(0.1, size=15_000)])
        profile = np.cumsum(0.1 * (0.05 - values))  # log-likelihood of a change at every row, both levels known
        drops.append(profile.max() - profile[14_999])
    assert stats.kstest(drops, lambda c: (1 - np.exp(-c)) ** 2).statistic < 0.1


@pytest.mark.parametrize("n", [100, 3_000])
@pytest.mark.parametrize("is_rate", [True, False])
def test_p_values_are_not_too_small_where_nothing_changed(n: int, is_rate: bool) -> None:
    rng = np.random.default_rng(3)
    draws = np.where(rng.random((600, n)) < 0.2, 1.0, 0.0) if is_rate else rng.normal(size=(600, n))
    p = np.array([onset_of(np.arange(n), one).p_value for one in draws])
    for level in (0.01, 0.05, 0.2):
        assert np.mean(p <= level) <= level + 3 * np.sqrt(level / 600)
    assert np.mean(p <= 0.05) > 0.01


def test_rows_of_requests_need_their_design_effect() -> None:
    rng = np.random.default_rng(4)
    alarms = {1.0: 0, 10.0: 0}
    for _ in range(200):
        values = np.repeat(np.where(rng.random(200) < 0.2, 1.0, 0.0), 10)
        for effect in alarms:
            alarms[effect] += onset_of(np.repeat(np.arange(200), 10), values, design_effect=effect).p_value <= 0.05
    assert alarms[10.0] <= 0.05 * 200 + 10
    assert alarms[1.0] > 100


def test_times_and_values_may_be_scaled() -> None:
    rng = np.random.default_rng(5)
    values = np.concatenate([rng.normal(size=80), rng.normal(1, size=40)])
    plain, scaled = onset_of(np.arange(120), values), onset_of(60.0 * np.arange(120) + 1.7e9, 1e-6 * values - 3)
    assert scaled.time == 60 * plain.time + 1.7e9
    assert (scaled.low, scaled.high) == (60 * plain.low + 1.7e9, 60 * plain.high + 1.7e9)
    assert scaled.p_value == pytest.approx(plain.p_value, rel=1e-3)


def test_nothing_to_part_and_bad_input() -> None:
    for times, values in (([], []), ([1.0], [0.0]), ([1.0, 1.0], [0.0, 1.0])):
        assert np.isnan(onset_of(times, values).time)
    for constant in (1.0, 0.3):
        same = onset_of([1, 2, 3], [constant] * 3)
        assert same.p_value == 1
        assert (same.low, same.high) == (1, 3)
    exact = onset_of(np.arange(40), np.repeat([0.3, 0.7], 20))
    assert (exact.time, exact.low, exact.high) == (20, 19, 20)
    for times, values, message in (
        ([1.0], [1.0, 2.0], "one length"),
        ([1.0, np.nan], [1.0, 2.0], "nan or infinity"),
        ([1.0, 2.0], [1.0, np.inf], "nan or infinity"),
    ):
        with pytest.raises(ValueError, match=message):
            onset_of(times, values)
    with pytest.raises(ValueError, match="design_effect"):
        onset_of([1, 2], [0, 1], design_effect=0.5)
