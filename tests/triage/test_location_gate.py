"""The mean rank: equal to Mann and Whitney's, deaf to noise, keen on small shifts."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from recsysops.profiles.history import HISTOGRAM_SPECIALS, CellContrast, Counts, Window
from recsysops.profiles.measures import N_BUCKETS
from recsysops.profiles.slices import EVERYTHING
from recsysops.triage.location_gate import LocationLimits, location_gate
from recsysops.triage.shape_gate import ShapeChange

EDGES = np.linspace(-2.5, 2.5, 31)
N_SPECIALS = len(HISTOGRAM_SPECIALS)
BINS = tuple(range(N_SPECIALS, N_SPECIALS + len(EDGES) + 1))
Floats = npt.NDArray[np.float64]


def bucketed(values: Floats, requests: npt.NDArray[np.int64]) -> Counts:
    """(32, n_cells) of one day; requests fall into buckets by their number."""
    cells = np.searchsorted(EDGES, values) + N_SPECIALS
    counts = np.zeros((N_BUCKETS, BINS[-1] + 1), np.int64)
    np.add.at(counts, (requests % N_BUCKETS, cells), 1)
    return counts


def contrast_of(reference: list[Counts], current: list[Counts]) -> CellContrast:
    windows: dict[Window, list[Counts]] = {"reference": reference, "current": current}
    days = [date(2026, 3, 1) + timedelta(days=index) for index in range(len(reference) + len(current))]
    return CellContrast(
        slices=(EVERYTHING,),
        cells=(*HISTOGRAM_SPECIALS, *(f"bin {index}" for index in range(len(EDGES) + 1))),
        reference_days=tuple(days[: len(reference)]),
        current_days=tuple(days[len(reference) :]),
        reference=np.array([day.sum(axis=0, keepdims=True) for day in reference]),
        current=np.array([day.sum(axis=0, keepdims=True) for day in current]),
        load_buckets=lambda window, _: np.concatenate(windows[window]),
        edges=EDGES,
    )


def day_of(
    rng: np.random.Generator, n_requests: int, per_request: int, shift: float = 0.0, shared: float = 0.0
) -> Counts:
    """Standard normal values whose share ``shared`` of variance is common to the rows of a request."""
    requests = np.repeat(np.arange(n_requests), per_request)
    common = np.repeat(rng.normal(size=n_requests), per_request)
    values = np.sqrt(shared) * common + np.sqrt(1 - shared) * rng.normal(size=len(requests)) + shift
    return bucketed(values, requests)


def found(reference: list[Counts], current: list[Counts]) -> list[ShapeChange]:
    return list(location_gate(contrast_of(reference, current), BINS, LocationLimits()))


def test_the_statistic_is_that_of_mann_and_whitney() -> None:
    rng = np.random.default_rng(1)
    reference, current = day_of(rng, 5000, 1), day_of(rng, 4000, 1, shift=0.3)
    (change,) = found([reference], [current])
    before, now = (np.repeat(np.arange(len(BINS)), counts.sum(axis=0)[list(BINS)]) for counts in (reference, current))
    expected = stats.mannwhitneyu(now, before).statistic / (len(now) * len(before)) - 0.5
    assert change.value == pytest.approx(expected, abs=1e-12)
    assert change.low is not None
    assert change.high is not None
    assert change.low < expected < change.high


@pytest.mark.parametrize(
    ("n_days", "n_requests", "per_request", "shared"), [(1, 20_000, 1, 0.0), (6, 5000, 4, 0.9), (20, 5000, 4, 0.9)]
)
def test_a_shift_of_a_tenth_of_a_deviation_is_found(
    n_days: int, n_requests: int, per_request: int, shared: float
) -> None:
    hits = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        reference = [day_of(rng, n_requests, per_request, shared=shared) for _ in range(n_days)]
        hits += bool(found(reference, [day_of(rng, n_requests, per_request, shift=0.1, shared=shared)]))
    assert hits >= 9


@pytest.mark.parametrize("shared", [0.0, 0.9])
def test_clean_days_are_silent(shared: float) -> None:
    for seed in range(60):
        rng = np.random.default_rng(seed)
        days = [day_of(rng, 500, 4, shared=shared) for _ in range(1 + seed % 5)]
        assert not found(days[:1] if len(days) == 1 else days[:-1], days[-1:])


def test_movement_between_days_is_learnt() -> None:
    alarms = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        days = [day_of(rng, 5000, 1, shift=0.05 * rng.normal()) for _ in range(11)]
        alarms += bool(found(days[:-1], days[-1:]))
    assert alarms <= 2


def test_without_buckets_rows_count_as_independent() -> None:
    rng = np.random.default_rng(3)
    whole = contrast_of([day_of(rng, 20_000, 1)], [day_of(rng, 20_000, 1, shift=0.2)])
    bare = CellContrast(
        whole.slices, whole.cells, whole.reference_days, whole.current_days, whole.reference, whole.current,
        lambda window, index: np.zeros((0, len(whole.cells)), np.int64), whole.edges,
    )  # fmt: skip
    assert [change.statistic for change in location_gate(bare, BINS, LocationLimits())] == ["rank_shift"]
