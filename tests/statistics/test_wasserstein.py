"""W1 from bins against scipy on the points it stands for, its error bound on raw rows, clipping and scales."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from recsysops.statistics.wasserstein import wasserstein

Floats = npt.NDArray[np.float64]


def _spread_within_bins(edges: Floats, n_points: int) -> Floats:
    fractions = (np.arange(n_points) + 0.5) / n_points
    return np.asarray((edges[:-1, None] + fractions * np.diff(edges)[:, None]).ravel())


@pytest.mark.parametrize("seed", range(8))
def test_equals_scipy_on_rows_spread_evenly_within_bins(seed: int) -> None:
    rng = np.random.default_rng(seed)
    edges = np.cumsum(rng.gamma(1.0, size=16))
    reference, current = rng.poisson(50, 15), rng.poisson(rng.gamma(2.0, 25.0, 15))
    result = wasserstein(reference, current, edges)
    n_points = 4_000
    points = np.clip(_spread_within_bins(edges, n_points), result.clip_low, result.clip_high)
    weights = [np.repeat(counts / n_points, n_points) for counts in (reference, current)]
    oracle = stats.wasserstein_distance(points, points, *weights)
    assert result.distance == pytest.approx(oracle, rel=2e-3, abs=1e-4)
    oracle_iqr = np.subtract(
        *np.quantile(np.repeat(_spread_within_bins(edges, 50), np.repeat(reference, 50)), [0.75, 0.25])
    )
    assert result.scale == pytest.approx(oracle_iqr, rel=0.01)


@pytest.mark.parametrize("seed", range(8))
def test_error_bound_holds_on_raw_rows(seed: int) -> None:
    rng = np.random.default_rng(100 + seed)
    x, y = rng.lognormal(size=4_000), rng.lognormal(0.1 * seed, 1.1, size=3_000)
    inner = np.quantile(x, np.arange(1, 20) / 20)
    edges = np.array([0.0, *inner, max(x.max(), y.max())])
    counts = [np.bincount(np.searchsorted(inner, v), minlength=20) for v in (x, y)]
    result = wasserstein(counts[0], counts[1], edges)
    low, high = float(result.clip_low), float(result.clip_high)
    exact = stats.wasserstein_distance(np.clip(x, low, high), np.clip(y, low, high))
    assert abs(float(result.distance) - exact) <= result.error_bound


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.integers(0, 10_000), st.floats(-5, 5), st.floats(0.01, 100))
def test_moves_and_scales_with_the_feature(seed: int, offset: float, factor: float) -> None:
    rng = np.random.default_rng(seed)
    edges = np.cumsum(rng.gamma(1.0, size=9))
    reference, current = rng.poisson(20, 8) + 1, rng.poisson(20, 8) + 1
    plain, moved = wasserstein(reference, current, edges), wasserstein(reference, current, offset + factor * edges)
    assert moved.distance == pytest.approx(factor * plain.distance, rel=1e-6)
    assert moved.normalised == pytest.approx(float(plain.normalised), rel=1e-6)
    assert plain.distance >= 0
    assert wasserstein(reference, reference, edges).distance == pytest.approx(0.0, abs=1e-12)


def test_shift_by_one_unit_costs_one_unit() -> None:
    edges = np.linspace(0.0, 100.0, 1_001)
    x, y = np.zeros(1_000), np.zeros(1_000)
    x[100:900], y[110:910] = 5.0, 5.0
    assert wasserstein(x, y, edges).distance == pytest.approx(1.0, abs=0.01)


def test_mass_beyond_the_clip_limits_is_reported_apart() -> None:
    edges = np.array([-np.inf, 0.0, 1.0, 2.0, np.inf])
    result = wasserstein([0, 500, 500, 0], [0, 400, 400, 200], edges)
    assert result.clip_high <= 2.0
    assert result.clipped_reference == pytest.approx(0.002)
    assert result.clipped_current == pytest.approx(0.2 + 0.002 * 0.8)
    assert np.isfinite(result.distance)


def test_scale_falls_back_to_standard_deviation_then_is_undefined() -> None:
    atom = np.array([0.0, 5.0, 5.0, 10.0])
    mostly_atom = wasserstein([10, 80, 10], [10, 70, 20], atom)
    assert mostly_atom.scale > 0
    assert np.isfinite(mostly_atom.normalised)
    constant = wasserstein([0, 100, 0], [50, 0, 50], atom)
    assert np.isnan(constant.scale)
    assert np.isnan(constant.normalised)
    assert constant.clipped_reference == 0
    assert constant.clipped_current == 1


@pytest.mark.parametrize(
    "edges", [[0.0, 1.0], [0.0, 2.0, 1.0], [0.0, np.nan, 1.0], [np.inf, 1.0, 2.0], [0.0, np.inf, np.inf]]
)
def test_impossible_edges_are_refused(edges: list[float]) -> None:
    with pytest.raises(ValueError, match="edges: "):
        wasserstein([1, 2], [2, 1], edges)
