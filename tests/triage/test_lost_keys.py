"""How many usual keys are lost, against a loop over days and keys."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsysops.profiles.history import KeyedContrast
from recsysops.triage.exposure_falls import HALF_LIFE_DAYS, MIN_DAYS
from recsysops.triage.lost_keys import lost_keys

FIRST = date(2026, 3, 1)


def contrast(days: npt.NDArray[np.int64]) -> KeyedContrast:
    """Counts (n_days, n_keys + 1), the last day current."""
    table = days.astype(float)[..., None]
    n, keys = len(days) - 1, tuple(f"k{index}" for index in range(days.shape[1] - 1))
    dates = tuple(FIRST + timedelta(days=index) for index in range(n + 1))
    nothing = np.full(n, np.nan)
    return KeyedContrast(keys, ("rows",), dates[:-1], dates[-1:], table[:-1], table[-1:], nothing, nothing[:1])


def lost_by_loop(days: npt.NDArray[np.int64], day: int) -> tuple[set[int], set[int]]:
    """Keys lost on a day, and those still there."""
    lost: set[int] = set()
    there: set[int] = set()
    for key in range(days.shape[1] - 1):
        weights = [0.5 ** ((day - 1 - before) / HALF_LIFE_DAYS) for before in range(day)]
        shares = [days[before, key] / days[before].sum() for before in range(day)]
        expected = sum(w * s for w, s in zip(weights, shares, strict=True)) / sum(weights) * days[day].sum()
        if expected < 20 or any(days[day - back, key] == 0 for back in range(1, MIN_DAYS + 1)):
            continue
        (lost if days[day, key] <= 0.2 * expected else there).add(key)
    return lost, there


@given(seed=st.integers(0, 1000), gone=st.integers(0, 6))
@settings(deadline=None, derandomize=True, max_examples=40)
def test_the_counts_are_those_of_a_loop(seed: int, gone: int) -> None:
    rng = np.random.default_rng(seed)
    means = np.append(rng.uniform(5, 200, 12), 0.0)  # nothing beyond the top
    days = rng.poisson(means, (9, 13))
    days[-1, :gone] = rng.poisson(means[:gone] * 0.05)
    found = lost_keys(contrast(days), np.ones(12, bool), min_expected=20, max_ratio=0.2)
    assert found is not None
    expected = [lost_by_loop(days, day) for day in range(MIN_DAYS, 9)]
    counts = np.vstack([found.contrast.reference[:, 0], found.contrast.current[:, 0]])
    assert [(len(lost), len(there)) for lost, there in expected] == [tuple(one) for one in counts.tolist()]
    assert {f"k{one}" for one in expected[-1][0]} == set(found.lost)


def test_a_key_that_may_not_be_judged_does_not_count_and_one_beyond_the_top_is_not_taken_for_gone() -> None:
    days = np.full((8, 5), 100)
    days[-1, :2] = 0
    days[:, -1] = 0
    found = lost_keys(contrast(days), np.array([False, True, True, True]), min_expected=20, max_ratio=0.2)
    assert found is not None
    assert found.lost == ("k1",)
    days[-1, -1] = 500  # a tail: the two may be in it, with as many rows as the least key within the top
    found = lost_keys(contrast(days), np.ones(4, bool), min_expected=20, max_ratio=0.2)
    assert found is not None
    assert found.lost == ()


@pytest.mark.parametrize("n_days", [2, 4])
def test_too_few_days_say_nothing(n_days: int) -> None:
    assert lost_keys(contrast(np.full((n_days, 3), 100)), np.ones(2, bool), min_expected=20, max_ratio=0.2) is None
