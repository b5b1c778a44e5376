"""Spread of exposure against brute force, scipy and simulation."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats

from recsysops.statistics.diversity import collision_noise, effective_items, gini, rarefied_items
from recsysops.triage.exposure_gate import concentration

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("n_items", [2, 5, 30])
def test_gini_is_the_mean_absolute_difference(n_items: int) -> None:
    counts = RNG.integers(0, 50, n_items).astype(float)
    pairs = [abs(a - b) for a, b in product(counts, counts)]
    assert gini(counts) == pytest.approx(np.mean(pairs) / (2 * counts.mean()))


def test_effective_items_is_the_exponential_of_scipys_entropy() -> None:
    counts = np.array([400_000.0, 300_000, 200_000, 0, 100_000])
    assert effective_items(counts) == pytest.approx(np.exp(stats.entropy(counts)), rel=1e-5)


def test_effective_items_do_not_depend_on_traffic() -> None:
    share = 1 / np.arange(1, 61)
    share /= share.sum()
    few = effective_items(RNG.multinomial(600, share, 400)).mean()
    many = effective_items(RNG.multinomial(60_000, share, 50)).mean()
    assert few == pytest.approx(many, rel=0.03)


def test_rarefied_items_are_what_samples_hold() -> None:
    counts = np.array([40, 20, 10, 5, 2, 1])
    rows = np.repeat(np.arange(len(counts)), counts)
    drawn = [len(set(RNG.choice(rows, 15, replace=False))) for _ in range(4000)]
    assert rarefied_items(counts, 15) == pytest.approx(np.mean(drawn), rel=0.02)
    missed = [stats.hypergeom.pmf(0, counts.sum(), n, 15) for n in counts]
    assert rarefied_items(counts, 15) == pytest.approx(len(counts) - sum(missed))
    assert np.isnan(rarefied_items(counts, 100))


def test_noise_of_collisions_is_that_of_simulated_days() -> None:
    share = 1 / np.arange(1, 41)
    share /= share.sum()
    days = RNG.multinomial(500, share, 4000).astype(float)
    levels = concentration(np.column_stack([days, np.zeros(len(days))]))
    assert collision_noise(days).mean() == pytest.approx(np.log(levels).var(), rel=0.25)


def test_nothing_shown_is_nan_and_no_warning() -> None:
    nothing = np.zeros(4)
    assert np.isnan([gini(nothing), effective_items(nothing), collision_noise(nothing)]).all()
