"""Items that take over, against items that merely move."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from recsysops.profiles.history import KeyedContrast
from recsysops.triage.exposure_gate import growing_concentration, growing_items, pooled_variance, shares


def exposure(seed: int, n_days: int, moving: float, boost: float = 1.0, n_items: int = 60) -> KeyedContrast:
    """Items of Zipf popularity whose log shares move by ``moving`` a day; the tenth is boosted on the last."""
    rng = np.random.default_rng(seed)
    base = 1.0 / np.arange(1, n_items + 1)
    weights = base * np.exp(moving * rng.normal(size=(n_days + 1, n_items)))
    weights[-1, 9] *= boost
    counts = np.array([rng.multinomial(20_000, day / day.sum()) for day in weights], np.float64)
    counts = np.concatenate([counts, np.zeros((n_days + 1, 1))], axis=1)[..., None]
    days = tuple(date(2026, 3, 2) + timedelta(days=index) for index in range(n_days + 1))
    distinct = np.full(n_days + 1, float(n_items))
    keys = tuple(f"item_{index}" for index in range(n_items))
    return KeyedContrast(
        keys, ("impressions",), days[:-1], days[-1:], counts[:-1], counts[-1:], distinct[:-1], distinct[-1:]
    )


@pytest.mark.parametrize("n_days", [1, 2, 6, 27])
@pytest.mark.parametrize("moving", [0.0, 0.1, 0.3])
def test_items_that_move_are_left_alone(n_days: int, moving: float) -> None:
    contrasts = [exposure(seed, n_days, moving) for seed in range(40)]
    assert sum(bool(list(growing_items(one, 0.02, 3.0))) for one in contrasts) <= 1
    assert sum(growing_concentration(one, 1.5) is not None for one in contrasts) <= 1


@pytest.mark.parametrize(("n_days", "moving", "boost"), [(6, 0.1, 10.0), (27, 0.3, 10.0), (2, 0.0, 15.0)])
def test_an_item_that_takes_over_is_found(n_days: int, moving: float, boost: float) -> None:
    for seed in range(20):
        ((index, change),) = growing_items(exposure(seed, n_days, moving, boost), 0.02, 3.0)
        assert index == 9
        assert change.low is not None
        assert change.low < change.value


def test_concentration_on_one_item_is_found() -> None:
    for seed in range(10):
        change = growing_concentration(exposure(seed, 6, 0.1, 200.0), 1.5)
        assert change is not None
        assert change.value > 0.5


def test_the_tail_is_no_item() -> None:
    assert shares(np.array([[0.0, 0.0]])).tolist() == [[0.0, 0.0]]
    assert pooled_variance(np.ones((1, 3)), 0.1) == (0.0, 0)
