"""Power and false alarms of the rate gate, by simulation with fixed seeds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from recsysops.profiles.history import CellContrast
from recsysops.testing.histories import cell_contrast
from recsysops.testing.simulated_counts import flags_contrast
from recsysops.triage.gates import Rate, RateChange, RateLimits, rate_gate

Floats = npt.NDArray[np.float64]
FLAGGED = [Rate("flagged_rate", (0,))]
LIMITS = RateLimits()


def clustered_flags(
    rng: np.random.Generator, rate: float, n_rows: int, per_request: int = 1, icc: float = 0.0
) -> Floats:
    """Beta-binomial requests: flags of one request agree more than by chance."""
    if icc == 0 or rate == 0:
        return (rng.random(n_rows) < rate).astype(np.float64)
    size = (1 - icc) / icc
    of_request = np.repeat(rng.beta(rate * size, (1 - rate) * size, n_rows // per_request), per_request)
    return (rng.random(len(of_request)) < of_request).astype(np.float64)


def simulated(
    seed: int, before: float, now: float, n_days: int, *, n_rows: int = 20_000, moving: float = 0.0
) -> CellContrast:
    """Days whose rate moves by ``moving`` on the logit scale."""
    rng = np.random.default_rng(seed)

    def of_day(rate: float) -> float:
        return rate if rate in (0, 1) else float(1 / (1 + (1 - rate) / rate * np.exp(-moving * rng.normal())))

    days = [clustered_flags(rng, of_day(before), n_rows) for _ in range(n_days)]
    return flags_contrast(days, [clustered_flags(rng, of_day(now), n_rows)])


def found(contrast: CellContrast, limits: RateLimits = LIMITS) -> list[RateChange]:
    return list(rate_gate(contrast, FLAGGED, limits))


@pytest.mark.parametrize(
    ("before", "now", "n_days", "largest_p"),
    [(0.0, 0.1, 1, 1e-8), (0.002, 0.1, 1, 1e-7), (0.0, 0.01, 1, 1e-4), (0.0, 0.01, 6, 1e-7), (0.01, 0.05, 6, 1e-5)],
)
def test_faults_are_found(before: float, now: float, n_days: int, largest_p: float) -> None:
    changes = [found(simulated(seed, before, now, n_days)) for seed in range(10)]
    assert all(len(change) == 1 for change in changes)
    assert max(change[0].p_value for change in changes) < largest_p
    assert all(change[0].low <= change[0].value <= change[0].high for change in changes)


@pytest.mark.parametrize("rate", [0.001, 0.01, 0.1, 0.5])
@pytest.mark.parametrize(("n_days", "moving"), [(1, 0.1), (2, 0.1), (6, 0.1), (6, 0.3)])
def test_honest_days_are_left_alone(rate: float, n_days: int, moving: float) -> None:
    alarms = sum(bool(found(simulated(seed, rate, rate, n_days, n_rows=4000, moving=moving))) for seed in range(40))
    assert alarms <= (4 if moving > 0.2 else 2)


@pytest.mark.parametrize("n_days", [1, 6])
def test_rows_that_come_in_requests_are_not_taken_for_evidence(n_days: int) -> None:
    alarms = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        days = [clustered_flags(rng, 0.02, 2000, 20, 0.5) for _ in range(n_days + 1)]
        alarms += bool(found(flags_contrast(days[:-1], days[-1:], 20)))
    assert alarms <= 1


def test_two_requests_are_few_however_many_rows_they_have() -> None:
    reference = np.zeros((6, 1, 32, 2), np.int64)
    reference[:, 0, :2, 1] = 50
    current = np.zeros((1, 1, 32, 2), np.int64)
    current[0, 0, 0, 0], current[0, 0, 1, 1] = 50, 50
    assert not found(cell_contrast(reference, current, ("flagged", "rest")))


def test_buckets_are_read_only_for_suspects() -> None:
    contrast = simulated(0, 0.01, 0.01, 3)

    def refuse(window: object, index: int) -> npt.NDArray[np.int64]:
        raise AssertionError("read")

    from dataclasses import replace

    assert not list(rate_gate(replace(contrast, load_buckets=refuse), FLAGGED, RateLimits()))


def test_dropped_buckets_are_no_crash() -> None:
    from dataclasses import replace

    contrast = replace(simulated(0, 0.0, 0.1, 3), load_buckets=lambda window, index: np.zeros((0, 2), np.int64))
    assert len(found(contrast)) == 1


def test_only_up_ignores_falls() -> None:
    falling = simulated(0, 0.1, 0.0, 6)
    assert found(falling)
    assert not found(falling, RateLimits(only_up=True))


def test_a_doubling_needs_a_fifth_of_the_floor() -> None:
    assert found(simulated(1, 0.0, 0.003, 6), RateLimits(0.005))
    assert not found(simulated(1, 0.02, 0.023, 6), RateLimits(0.005))


@pytest.mark.parametrize("shape", [(0, 1), (1, 0)])
def test_empty_windows_give_nothing(shape: tuple[int, int]) -> None:
    reference, current = (np.ones((n, 1, 32, 2), np.int64) for n in shape)
    assert not found(cell_contrast(reference, current, ("flagged", "rest")))
    assert not found(cell_contrast(np.zeros((3, 1, 32, 2)), np.ones((1, 1, 32, 2)), ("flagged", "rest")))


def test_several_current_units_are_summed() -> None:
    rng = np.random.default_rng(0)
    days = [clustered_flags(rng, 0.02, 4000) for _ in range(4)]
    shifted = [clustered_flags(rng, 0.06, 4000) for _ in range(4)]
    (change,) = found(flags_contrast(days, shifted))
    assert change.n_current == 16_000
    assert change.value == pytest.approx(0.06, abs=0.01)
    assert len(change.series) == 5
