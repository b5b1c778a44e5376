"""Rates of single items and of requests that never were flagged: honest on healthy days, sure of what is planted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from recsysops.profiles.history import CellContrast
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.testing.histories import cell_contrast
from recsysops.triage.item_rates import ItemLimits, rising_items
from recsysops.triage.rate_gate import RateLimits
from recsysops.triage.request_rates import Flagged, above, rising_rates

CELLS = ("requests", "flagged_requests", "rows", "flagged_rows")


def _items(rng: np.random.Generator, n_items: int) -> tuple[np.ndarray, np.ndarray]:
    n = rng.poisson(40, (15, n_items)).astype(float)
    return rng.binomial(n.astype(int), rng.beta(2, 6, n_items)).astype(float), n


def test_healthy_items_are_not_told() -> None:
    rng = np.random.default_rng(0)
    k, n = _items(rng, 3000)
    limits = ItemLimits(0.0, 1e-9, max_p=1e-3)
    found = list(rising_items((k[:14], k[14]), (n[:14], n[14]), limits, EVERYTHING))
    assert len(found) <= stats.binom.ppf(0.999, 3000, 1e-3)


def test_an_item_that_is_always_left_out_is_told() -> None:
    rng = np.random.default_rng(1)
    k, n = _items(rng, 50)
    k[:, 7], k[14, 7] = rng.binomial(n[:, 7].astype(int), 0.2), n[14, 7]
    ((index, change),) = rising_items((k[:14], k[14]), (n[:14], n[14]), ItemLimits(0.9), EVERYTHING)
    assert index == 7
    assert change.value == 1.0
    assert change.p_value is not None
    assert change.p_value < 1e-3


def _requests(flagged_before: int, flagged_now: int, in_slice: int = 0) -> CellContrast:
    """Ten days of 1,000 requests, a tenth of them in a slice."""

    def day(flagged: int, of_slice: int) -> np.ndarray:
        counts = np.zeros((2, 32, 4), np.int64)
        counts[0, :, 0], counts[1, :, 0] = 32, 3
        for row, k in ((0, flagged), (1, of_slice)):
            counts[row, np.arange(k) % 32, 1] += 1
        return counts

    reference = np.array([day(flagged_before, 0)] * 10)
    return cell_contrast(
        reference, np.array([day(flagged_now, in_slice)]), CELLS, slices=(EVERYTHING, Slice("host", "a"))
    )


def test_the_first_violation_of_an_invariant_is_told_and_needs_no_chance() -> None:
    (change,) = rising_rates(_requests(0, 1), Flagged("broken_rate", tolerates=False), RateLimits(0.005))
    assert change.p_value is None
    assert change.slice == EVERYTHING
    assert not list(rising_rates(_requests(0, 0), Flagged("broken_rate", tolerates=False), RateLimits(0.005)))


def test_an_invariant_broken_in_one_slice_alone_is_told_there() -> None:
    (change,) = rising_rates(_requests(0, 5, in_slice=5), Flagged("broken_rate", tolerates=False), RateLimits(0.005))
    assert str(change.slice) == "host=a"


@pytest.mark.parametrize(("before", "now", "n_found"), [(3, 4, 0), (3, 60, 1)])
def test_what_happens_anyway_is_judged_as_a_rate(before: int, now: int, n_found: int) -> None:
    found = list(rising_rates(_requests(before, now), Flagged("broken_rate", tolerates=False), RateLimits(0.005)))
    assert len(found) == n_found
    assert all(change.p_value is not None for change in found)


def test_without_a_reference_only_what_no_log_may_have_is_told() -> None:
    assert above(_requests(0, 4), 0.005) is None
    told = above(_requests(0, 40), 0.005)
    assert told is not None
    assert told.low is not None
    assert told.low > 0.005
