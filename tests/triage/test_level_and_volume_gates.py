"""Power and false alarms of the gates for levels and volumes, thousands of series at once."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pytest

from recsysops.triage.gates import LevelLimits, level_gate
from recsysops.triage.moderated import excess_variance, moderated_variance, upper_p
from recsysops.triage.volume_gate import volume_gate

Bools = npt.NDArray[np.bool_]


def found(mean: float, factor: float, n_days: int, moving: float, n_series: int = 2000) -> Bools:
    rng = np.random.default_rng(0)
    reference = rng.poisson(mean * np.exp(moving * rng.normal(size=(n_days, n_series))))
    current = rng.poisson(factor * mean * np.exp(moving * rng.normal(size=n_series)))
    volumes = volume_gate(reference, current, min_change=0.2)
    return np.asarray((volumes.effect >= 1) & (volumes.p_value <= 1e-3))


@pytest.mark.parametrize("mean", [20, 100, 10_000])
@pytest.mark.parametrize("n_days", [1, 6, 27])
@pytest.mark.parametrize("moving", [0.0, 0.05, 0.1, 0.2])
def test_healthy_volumes_are_left_alone(mean: float, n_days: int, moving: float) -> None:
    assert found(mean, 1.0, n_days, moving).mean() <= 0.008


@pytest.mark.parametrize(("mean", "n_days"), [(100, 1), (100, 6), (20, 6), (10_000, 1)])
def test_a_dead_slice_is_found(mean: float, n_days: int) -> None:
    """100 rows are half a percent of 20,000."""
    assert found(mean, 0.0, n_days, 0.1).mean() > 0.99


@pytest.mark.parametrize(("factor", "n_days"), [(0.5, 27), (0.5, 6), (2.0, 27)])
def test_a_half_and_a_double_are_found(factor: float, n_days: int) -> None:
    assert found(10_000, factor, n_days, 0.1).mean() > 0.85


def test_clusters_of_rows_count_once() -> None:
    rng = np.random.default_rng(1)
    reference, current = 50 * rng.poisson(6, (6, 1000)), 50 * rng.poisson(6, 1000)
    volumes = volume_gate(reference, current, min_change=0.2, rows_per_cluster=np.full(1000, 50.0))
    assert ((volumes.effect >= 1) & (volumes.p_value <= 1e-3)).mean() <= 0.003


def test_weekdays_are_compared_with_their_like() -> None:
    days = [date(2026, 3, 2) + timedelta(days=index) for index in range(28)]
    rng = np.random.default_rng(2)
    levels = np.array([3000 if day.weekday() >= 5 else 10_000 for day in days]) * np.exp(0.03 * rng.normal(size=28))
    quiet_monday = volume_gate(levels, np.array(3100), min_change=0.2, days=days, day=date(2026, 3, 30))
    saturday = volume_gate(levels, np.array(3100), min_change=0.2, days=days, day=date(2026, 3, 28))
    assert float(quiet_monday.p_value) < 1e-6 < 0.01 < float(saturday.p_value)
    assert float(saturday.low) < 3000 < float(saturday.high)


def test_levels_are_judged_on_the_log_scale() -> None:
    levels = level_gate(np.array([1.0, 1.1, 0.9, 1.0]), np.array(2.0), LevelLimits(1.5))
    assert float(levels.expected) == pytest.approx(1.0, abs=0.01)
    assert float(levels.effect) == pytest.approx(np.log(2) / np.log(1.5), abs=0.02)
    assert float(levels.low) < 1 < float(levels.high) < 2


def test_few_days_lean_on_the_prior() -> None:
    assert float(moderated_variance(np.asarray(9.0), 0.0, 1.0, 4.0)) == 1.0
    assert float(moderated_variance(np.asarray(9.0), 1e9, 1.0, 4.0)) == pytest.approx(9.0)
    assert float(excess_variance(np.array([1.0]), np.array([0.0]))) == 0.0
    assert float(upper_p(np.asarray(np.nan), 3.0)) == 1.0


def test_counts_beside_a_small_control_are_as_unsure_as_the_control() -> None:
    """Counts are expected in proportion to others of 40; without its noise an eighth of healthy days would be loud."""
    rng = np.random.default_rng(3)
    control, counts = rng.poisson(40, (29, 4_000)), rng.poisson(400, (29, 4_000))
    scaled = counts[:-1] * (control[-1] + 0.5) / (control[:-1] + 0.5)
    noise = 1 / (control[:-1] + 0.5), 1 / (control[-1] + 0.5)
    blind = volume_gate(scaled, counts[-1], min_change=0.2, prior_sd=0.02)
    knowing = volume_gate(scaled, counts[-1], min_change=0.2, prior_sd=0.02, scale_noise=noise)
    assert (knowing.p_tail <= 0.01).mean() < 0.02
    assert (knowing.p_value <= 1e-3).mean() <= 0.002
    level = 2 / 28 * (1 / 400 + 1 / 40) / 2 + 1 / 400 + 1 / 40  # of ln(count / expected), without days
    spread = knowing.level.spread**2 - knowing.level.variance * (1 + 1 / 28)
    assert np.median(spread) == pytest.approx(level, rel=0.1)
    assert np.median(blind.level.spread**2 - blind.level.variance * 29 / 28) < level / 5
