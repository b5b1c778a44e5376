"""Rare events: silent on rates that do not change, loud on new ones, never loud because of one cluster."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from recsysops.testing.histories import cell_contrast
from recsysops.triage.rare_events import rare_gate, rows_together
from recsysops.triage.rate_gate import Rate, RateLimits, rate_gate

FLAGGED = Rate("flagged_rate", (1,), (0, 1))
LIMITS = RateLimits(0.001, 3.0)


def counted(flagged: np.ndarray, rows: int = 2000) -> np.ndarray:
    """(n_units, 1, 32, 2) from flagged rows per unit and bucket."""
    spread = np.full(flagged.shape, rows // 32)
    return np.stack([spread - flagged, flagged], axis=-1)[:, None]


def clean(rng: np.random.Generator, n_units: int, mean: float) -> np.ndarray:
    return counted(rng.poisson(mean / 32, (n_units, 32)))


@pytest.mark.parametrize("mean", [0.0, 0.5, 3.0])
def test_false_alarms_are_rarer_than_the_limit(mean: float) -> None:
    rng = np.random.default_rng(1)
    n_found = 0
    for _ in range(400):
        contrast = cell_contrast(clean(rng, 14, mean), clean(rng, 1, mean), ("rest", "flagged"))
        n_found += len(list(rare_gate(contrast, FLAGGED, LIMITS)))
    assert n_found <= stats.binom.isf(1e-4, 400, LIMITS.max_p)


def test_rows_of_one_request_are_one_event() -> None:
    current = np.zeros((1, 32), int)
    current[0, 5] = 40
    contrast = cell_contrast(counted(np.zeros((14, 32), int)), counted(current), ("rest", "flagged"))
    assert rows_together(contrast, FLAGGED, "current", 0) == pytest.approx(40, rel=0.05)
    assert not list(rare_gate(contrast, FLAGGED, LIMITS))


def test_as_many_rows_of_many_requests_are_found_with_the_exact_p_value() -> None:
    current = np.zeros((1, 32), int)
    current[0, :20] = 1
    contrast = cell_contrast(counted(np.zeros((14, 32), int)), counted(current), ("rest", "flagged"))
    (found,) = rare_gate(contrast, FLAGGED, LIMITS)
    assert (found.value, found.reference) == (20 / 1984, 0.0)
    # without a reference event the exact test is a geometric tail; days that vary only widen it
    assert found.p_value >= stats.nbinom.sf(19, 1, 14 / 15)
    assert found.p_value < 1e-6


@pytest.mark.parametrize("k", [40, 100, 400])
def test_clusters_are_counted_from_buckets(k: int) -> None:
    rng = np.random.default_rng(k)
    estimates = []
    for _ in range(200):
        clusters = np.bincount(rng.integers(0, 32, k // 4), minlength=32)
        contrast = cell_contrast(
            counted(np.zeros((1, 32), int)), counted(4 * clusters[None], 64_000), ("rest", "flagged")
        )
        estimates.append(rows_together(contrast, FLAGGED, "current", 0))
    assert np.median(estimates) == pytest.approx(4.0, rel=0.15)


@pytest.mark.parametrize(("n_clusters_", "is_found"), [(6, False), (200, True)])
def test_a_slice_of_a_handful_of_clusters_is_no_evidence_where_that_is_asked(n_clusters_: int, is_found: bool) -> None:
    rng = np.random.default_rng(4)
    rows = np.bincount(rng.integers(0, 32, n_clusters_), minlength=32) * 40
    rest, flagged = np.zeros_like(rows), rows
    current = np.stack([rest, flagged], axis=-1)[None, None]
    reference = np.stack([rng.poisson(40, (10, 32)), rng.poisson(20, (10, 32))], axis=-1)[:, None]
    contrast = cell_contrast(reference, current, ("rest", "flagged"))
    assert bool(list(rate_gate(contrast, [FLAGGED], RateLimits(min_clusters=16)))) is is_found
    assert list(rate_gate(contrast, [FLAGGED], RateLimits()))
