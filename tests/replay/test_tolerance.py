"""Times are the same to the millisecond and words to the letter, however large the numbers that stand for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from recsysops.replay.differences import ColumnDifferences, differences
from recsysops.replay.explanations import Mismatch
from recsysops.replay.values import TIMES, comparable, is_same

LAUNCHES = np.datetime64("2026-03-01T00:00:00", "us") + np.arange(200) * np.timedelta64(10_007_123_457, "us")
HIT = np.arange(200) % 4 == 0


def _told(logged: Any, source: Any) -> ColumnDifferences:
    both = comparable(pa.array(logged), pa.array(source))
    assert both is not None
    pair = Mismatch("launch", "items.launch", both.logged, both.source, both.is_text, both.tolerance)
    [found] = differences([pair])
    return found


def test_a_launch_an_hour_late_is_a_difference_of_an_hour() -> None:
    found = _told(np.where(HIT, LAUNCHES + np.timedelta64(1, "h"), LAUNCHES), LAUNCHES)
    assert found.counts == {"same": 150, "scaled": 50}
    assert found.details["offset"] == pytest.approx(3.6e9)


def test_times_in_milliseconds_are_the_same() -> None:
    assert _told(LAUNCHES.astype("datetime64[ms]"), LAUNCHES).counts == {"same": 200}


@pytest.mark.parametrize("unit", ["s", "m", "h", "D"])
def test_times_cut_off_are_less_precise(unit: str) -> None:
    cut = LAUNCHES.astype(f"datetime64[{unit}]").astype("datetime64[us]")
    found = _told(np.where(HIT, cut, LAUNCHES), LAUNCHES)
    assert found.counts["same"] == 150 + (HIT & (cut == LAUNCHES)).sum()
    assert found.main_class == "precision"


def test_times_moved_at_random_are_not_explained() -> None:
    moved = LAUNCHES + np.random.default_rng(0).integers(2_000, 10**11, 200) * np.timedelta64(1, "us")
    assert _told(moved, LAUNCHES).counts == {"unexplained": 200}


def test_one_word_of_very_many_is_not_its_neighbour() -> None:
    words = [f"title {number:06d}" for number in range(200_000)]
    found = _told([*words[:-2], words[-1], words[-2]], words)
    assert found.counts["same"] == 199_998
    assert found.mismatch_rate == pytest.approx(1e-5)


def test_missing_times_are_the_same_as_missing_times() -> None:
    values = np.array([np.nan, 1e15, np.nan])
    assert is_same(values, np.array([np.nan, np.nan, 1e15]), TIMES).tolist() == [True, False, False]
