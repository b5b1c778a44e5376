"""Exposure and outcomes of two cohorts: what is there is said, what the data cannot carry is not claimed."""

from __future__ import annotations

import numpy as np
import pytest

from recsysops.triage.exposure_contrast import contrast_exposure
from recsysops.triage.outcome_contrast import OutcomeContrast, OutcomeCounts, contrast_outcomes


def counts(outcomes: np.ndarray[tuple[int, ...], np.dtype[np.int64]], m: int) -> OutcomeCounts:
    """Sums over requests of m impressions each."""
    y = outcomes.astype(float)
    return OutcomeCounts(
        int(y.sum()), m * len(y), len(y), float((y**2).sum()), float(m * y.sum()), float(m**2 * len(y))
    )


def single(n: int, n_rows: int) -> OutcomeCounts:
    return OutcomeCounts(n, n_rows, n_rows, float(n), float(n), float(n_rows))


def test_few_clicks_carry_no_difference() -> None:
    contrast = contrast_outcomes("click", single(38, 10_000), single(42, 10_000))
    assert not contrast.is_different
    assert contrast.difference == pytest.approx(0.4)
    assert contrast.low < -1 < 1 < contrast.high
    assert contrast.detectable == pytest.approx(2.5, abs=0.1)
    assert contrast.sentence.startswith("No difference in clicks that 38 against 42 of them can carry: +0.40 [−1.")


def test_many_clicks_do() -> None:
    contrast = contrast_outcomes("click", single(3_800, 1_000_000), single(4_200, 1_000_000))
    assert contrast.is_different
    assert contrast.sentence.startswith("Outcomes differ: clicks by +0.40 [+0.2")


def test_no_outcomes_at_all_are_no_difference() -> None:
    contrast = contrast_outcomes("click", single(0, 100), single(0, 100))
    assert (contrast.difference, contrast.is_different) == (0, False)
    assert contrast.low < 0 < contrast.high


def simulated(rng: np.random.Generator, n_requests: int = 400) -> OutcomeContrast:
    """Ten impressions a request; members differ tenfold in how much they click, so clicks cluster by request."""
    own = [rng.binomial(10, rng.beta(0.2, 1.8, n_requests)) for _ in range(2)]
    return contrast_outcomes("click", counts(own[0], 10), counts(own[1], 10))


def test_the_interval_covers_zero_nineteen_times_in_twenty_under_clustering() -> None:
    rng = np.random.default_rng(5)
    contrasts = [simulated(rng) for _ in range(400)]
    assert 0.93 <= np.mean([not contrast.is_different for contrast in contrasts]) <= 0.98
    spread = np.std([contrast.difference for contrast in contrasts])
    assert np.mean([contrast.detectable for contrast in contrasts]) == pytest.approx(2.8 * spread, rel=0.1)


def test_several_outcomes_per_impression_are_means() -> None:
    rng = np.random.default_rng(6)
    contrast = contrast_outcomes("play", counts(rng.poisson(3.0, 2_000), 1), counts(rng.poisson(3.3, 2_000), 1))
    assert contrast.is_different
    assert contrast.low < 300 < contrast.high


def drawn(
    rng: np.random.Generator, weights: np.ndarray[tuple[int, ...], np.dtype[np.float64]], n: int
) -> dict[str, int]:
    return {f"i{index}": int(k) for index, k in enumerate(rng.multinomial(n, weights / weights.sum())) if k}


def test_equal_exposure_moves_by_chance_alone() -> None:
    rng = np.random.default_rng(1)
    weights = 1 / np.arange(1, 301)
    contrasts = [contrast_exposure(drawn(rng, weights, 4_000), drawn(rng, weights, 9_000)) for _ in range(200)]
    assert not any(contrast.is_different for contrast in contrasts)
    mean = np.mean([contrast.total_variation for contrast in contrasts])
    assert mean == pytest.approx(np.mean([contrast.expected_by_chance for contrast in contrasts]), rel=0.05)
    assert np.mean([contrast.p_value < 0.05 for contrast in contrasts]) == pytest.approx(0.05, abs=0.04)


def test_an_item_that_takes_over_is_the_first_mover() -> None:
    rng = np.random.default_rng(2)
    weights = np.ones(50)
    boosted = weights.copy()
    boosted[7] = 20
    contrast = contrast_exposure(drawn(rng, weights, 5_000), drawn(rng, boosted, 5_000))
    assert contrast.is_different
    assert contrast.movers[0].item_id == "i7"
    assert contrast.movers[0].low < 20 / 69 - 1 / 50 < contrast.movers[0].high
    assert contrast.sentence.startswith("Exposure differs: 2")
