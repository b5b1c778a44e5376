"""Power and false alarms of the shape gate, by simulation with fixed seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pytest

from recsysops.testing.simulated_counts import values_contrast
from recsysops.triage.gates import Rate, RateLimits, ShapeChange, ShapeLimits, rate_gate, shape_gate
from recsysops.triage.shape_gate import tail_bins

Floats = npt.NDArray[np.float64]


def of_day(rng: np.random.Generator, n_rows: int = 20_000, per_request: int = 1, mean: float = 0.0) -> Floats:
    """Normal values; rows of one request have intraclass correlation 0.3."""
    of_request = np.repeat(rng.normal(size=n_rows // per_request), per_request)
    return np.asarray(mean + np.sqrt(0.3) * of_request + np.sqrt(0.7) * rng.normal(size=n_rows))


def judged(reference: Sequence[Floats], current: Sequence[Floats], per_request: int = 1) -> list[ShapeChange]:
    contrast = values_contrast(reference, current, per_request)
    return list(shape_gate(contrast, tuple(range(contrast.n_specials, len(contrast.cells))), ShapeLimits()))


def hits(
    n_seeds: int,
    n_days: int,
    spoil: Callable[[Floats, np.random.Generator], Floats],
    n_rows: int = 20_000,
    per_request: int = 1,
) -> int:
    count = 0
    for seed in range(n_seeds):
        rng = np.random.default_rng(seed)
        days = [of_day(rng, n_rows, per_request) for _ in range(n_days + 1)]
        count += bool(judged(days[:-1], [spoil(days[-1], rng)], per_request))
    return count


def unspoilt(values: Floats, rng: np.random.Generator) -> Floats:
    return values


def filled(values: Floats, rng: np.random.Generator) -> Floats:
    return np.where(rng.random(len(values)) < 0.05, 0.0, values)


@pytest.mark.parametrize(
    ("n_days", "n_rows", "per_request"), [(6, 20_000, 1), (1, 20_000, 1), (6, 20_000, 20), (6, 2000, 20), (2, 500, 1)]
)
def test_clean_days_are_left_alone(n_days: int, n_rows: int, per_request: int) -> None:
    assert hits(20, n_days, unspoilt, n_rows, per_request) == 0


@pytest.mark.parametrize("n_days", [6, 20])
def test_a_shift_of_9_hundredths_of_sigma_is_found(n_days: int) -> None:
    assert hits(8, n_days, lambda values, rng: values + 0.09) == 8


@pytest.mark.parametrize("n_days", [1, 6])
def test_a_twentieth_filled_with_0_is_found(n_days: int) -> None:
    assert hits(8, n_days, filled) == 8


def test_a_percent_a_hundredfold_is_found_in_the_tails() -> None:
    for seed in range(8):
        rng = np.random.default_rng(seed)
        days = [of_day(rng) for _ in range(7)]
        days[-1] = np.where(rng.random(20_000) < 0.01, 100 * days[-1], days[-1])
        contrast = values_contrast(days[:-1], days[-1:])
        bins = tuple(range(contrast.n_specials, len(contrast.cells)))
        low, high = tail_bins(contrast.reference[:, 0, bins].sum(axis=0))
        tails = Rate("tail_rate", (*bins[: low + 1], *bins[high:]), bins)
        (change,) = rate_gate(contrast, [tails], RateLimits(0.005, 10.0))
        assert change.p_value < 1e-5


@pytest.mark.parametrize(("n_days", "allowed"), [(1, 8), (2, 4), (6, 1), (20, 1)])
def test_movement_between_days_is_learnt(n_days: int, allowed: int) -> None:
    """Every day's mean moves by 0.05 standard deviations; one reference day cannot know that yet."""
    alarms = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        days = [of_day(rng, 5000, mean=0.05 * rng.normal()) for _ in range(n_days + 1)]
        alarms += bool(judged(days[:-1], days[-1:]))
    assert alarms <= allowed


@pytest.mark.parametrize(("n_days", "weekday"), [(7, 5), (6, 6), (7, 0), (28, 5)])
def test_weekends_seen_in_the_reference_are_no_news(n_days: int, weekday: int) -> None:
    for seed in range(8):
        rng = np.random.default_rng(seed)
        days = [of_day(rng, 5000, mean=0.3 * (day % 7 >= 5)) for day in range(n_days)]
        assert not judged(days, [of_day(rng, 5000, mean=0.3 * (weekday >= 5))])


def test_a_wandering_feature_that_jumps_is_found() -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        days = [of_day(rng, 5000, mean=0.1 * rng.normal()) for _ in range(6)]
        (change,) = judged(days, [of_day(rng, 5000, mean=0.8)])
        assert change.low is not None
        assert change.high is not None
        assert change.low <= change.value <= change.high
        assert change.p_value < 1e-4


def test_few_rows_are_not_judged() -> None:
    rng = np.random.default_rng(0)
    assert not judged([of_day(rng, 300)], [of_day(rng, 300, mean=5.0)])


def test_a_constant_that_stays_gives_nothing() -> None:
    assert not judged([np.zeros(1000)] * 3, [np.zeros(1000)])


def test_tails_are_the_outermost_bins_of_any_reference() -> None:
    assert tail_bins(np.array([1, 5000, 4999, 0])) == (0, 3)
    assert tail_bins(np.array([0, 2, 5000, 4990, 3, 1])) == (1, 4)
    assert tail_bins(np.array([10, 10])) == (0, 1)
    assert tail_bins(np.zeros(4, np.int64)) == (0, 3)
