"""Losses that turn up elsewhere, and losses that do not: simulated traffic of known truth."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

from recsysops.triage import roll_outs
from recsysops.triage.roll_outs import TAKEN_OVER, taken_over

USUAL = np.array([0.3, 0.25, 0.0, 0.25, 0.2])
OLD, OTHER, NEW = 0, 1, 2


def test_examples() -> None:
    assert doctest.testmod(roll_outs).failed == 0


@pytest.mark.parametrize("part", [0.3, 0.6, 1.0])
@pytest.mark.parametrize("volume", [600, 6_000])
def test_what_moved_is_told_from_what_is_lost(part: float, volume: int) -> None:
    rng = np.random.default_rng(0)
    moved, lost = [], []
    for _ in range(200):
        now = rng.poisson(volume * USUAL).astype(float)
        gone = rng.binomial(int(now[OLD]), part)
        now[OLD] -= gone
        lost.append(taken_over(USUAL, now, OLD, [NEW]))
        now[NEW] += gone
        moved.append(taken_over(USUAL, now, OLD, [NEW]))
        assert taken_over(USUAL, now, OLD) >= moved[-1]
    assert np.mean(np.array(moved) >= TAKEN_OVER) > 0.95
    assert max(lost) == 0.0
    if volume * part > 1_000:
        assert np.median(moved) == pytest.approx(1.0, abs=0.15)


def test_a_new_version_takes_from_two_old_ones() -> None:
    now = np.array([200.0, 150.0, 200.0, 250.0, 200.0])  # of 300 and 250
    assert taken_over(USUAL, now, OLD, [NEW]) == 1.0
    assert taken_over(USUAL, now, OTHER, [NEW]) == 1.0


def test_a_loss_beside_a_roll_out_is_not_its() -> None:
    now = np.array(
        [270.0, 100.0, 30.0, 250.0, 200.0]
    )  # the new version took 30 of the old one; 150 of another are gone
    assert taken_over(USUAL, now, OTHER, [NEW]) < TAKEN_OVER
    assert taken_over(USUAL, now, OTHER) < TAKEN_OVER


def test_between_two_values_nobody_can_tell() -> None:
    assert taken_over(np.array([0.5, 0.5]), np.array([50.0, 100.0]), 0) == 1.0
