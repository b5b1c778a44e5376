"""The limit that keeps a budget, on simulated scores whose tails are fatter than honest p-values'."""

from __future__ import annotations

import numpy as np
import pytest

from recsysops.statistics.exceedances import HONEST_SCALE, exceedance_limit


@pytest.mark.parametrize("scale", [HONEST_SCALE, 1.5, 4.0])
def test_realised_rate_is_near_the_budget_whatever_the_tail(scale: float) -> None:
    rng = np.random.default_rng(5)
    rate, days, allowed, start = 0.5, 60, 0.02, 4.0
    beyond = []
    for _ in range(300):
        past = rng.exponential(scale, rng.poisson(rate * days))
        limit = exceedance_limit(list(past), days, start, allowed)
        beyond.append(rate * np.exp(-max(limit - start, 0.0) / scale))
    assert 0.5 * allowed < np.mean(beyond) < 2.5 * allowed


def test_a_few_true_faults_among_the_past_do_not_deafen() -> None:
    rng = np.random.default_rng(7)
    past = list(rng.exponential(HONEST_SCALE, 20))
    assert exceedance_limit([*past, 200.0, 290.0], 60, 4.0, 0.02) < exceedance_limit(past, 60, 4.0, 0.02) + 1.0


def test_without_any_episode_the_limit_is_hardly_above_the_start() -> None:
    assert exceedance_limit([], 60, 4.0, 0.005) < 4.5


def test_a_budget_must_be_positive() -> None:
    with pytest.raises(ValueError, match="allowed per day"):
        exceedance_limit([], 60, 4.0, 0.0)
