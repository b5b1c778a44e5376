"""Gower's distance agrees with scipy and scikit-learn, and with the definition where values are missing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from recsysops.peers.choosing import choose_peers
from recsysops.peers.gower import Scale, gower_distances
from recsysops.peers.metadata import Metadata


def _entities(n: int, seed: int, missing: float = 0.0) -> Metadata:
    rng = np.random.default_rng(seed)
    numbers = np.column_stack([rng.normal(size=n), rng.gamma(2, 3, n), np.round(rng.random(n))])
    codes = np.column_stack([rng.integers(0, 4, n), rng.integers(0, 2, n)])
    numbers[rng.random(numbers.shape) < missing] = np.nan
    codes[rng.random(codes.shape) < missing] = -1
    words = {"c0": ("a", "b", "c", "d"), "c1": ("x", "y")}
    return Metadata(tuple(f"e{row}" for row in range(n)), numbers, ("n0", "n1", "n2"), codes, ("c0", "c1"), words)


def test_on_the_full_range_it_is_city_block_and_hamming() -> None:
    found = _entities(80, 1)
    every = np.arange(80)
    span = found.numbers.max(axis=0) - found.numbers.min(axis=0)
    expected = (
        cdist(found.numbers / span, found.numbers / span, "cityblock") + 2 * cdist(found.codes, found.codes, "hamming")
    ) / 5
    np.testing.assert_allclose(gower_distances(found, every, every, scale="range"), expected, atol=1e-12)


def test_the_nearest_are_those_of_scikit_learn() -> None:
    found = _entities(120, 2)
    low, high = np.percentile(found.numbers[1:], (5, 95), axis=0)
    both = np.column_stack([found.numbers, found.codes])

    def metric(
        one: np.ndarray[tuple[int], np.dtype[np.float64]], other: np.ndarray[tuple[int], np.dtype[np.float64]]
    ) -> float:
        numbers = np.minimum(np.abs(one[:3] - other[:3]) / (high - low), 1)
        return float((numbers.sum() + (one[3:] != other[3:]).sum()) / 5)

    model = NearestNeighbors(n_neighbors=15, metric=metric, algorithm="brute").fit(both[1:])
    distances, rows = model.kneighbors(both[:1])
    peers = choose_peers(found, 0, {}, k=15)
    np.testing.assert_allclose(peers.distances, distances[0], atol=1e-12)
    assert set(peers.rows) == set(rows[0] + 1)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.integers(0, 10_000), st.sampled_from(["quantiles", "range", "rank"]), st.floats(0, 0.9))
def test_laws_of_a_distance(seed: int, scale: Scale, missing: float) -> None:
    found = _entities(12, seed, missing)
    every = np.arange(12)
    distances = gower_distances(found, every, every, scale=scale)
    assert np.array_equal(distances, distances.T, equal_nan=True)
    known = distances[~np.isnan(distances)]
    assert np.all((known >= 0) & (known <= 1))
    itself = np.diag(distances)
    assert np.all((itself == 0) | np.isnan(itself))
    has_any = np.any(~np.isnan(found.numbers), axis=1) | np.any(found.codes >= 0, axis=1)
    assert np.array_equal(~np.isnan(itself), has_any)


def test_attributes_that_one_lacks_are_left_out() -> None:
    numbers = np.array([[0.0, 1.0], [1.0, np.nan], [np.nan, np.nan]])
    found = Metadata(("a", "b", "c"), numbers, ("x", "y"), np.array([[0], [1], [-1]]), ("z",), {"z": ("p", "q")})
    distances = gower_distances(found, [0], [0, 1, 2], scale="range")
    assert distances[0, 1] == pytest.approx((1 + 1) / 2)  # x differs by its range, y is not there, z differs
    assert np.isnan(distances[0, 2])
    weighted = gower_distances(found, [0], [0, 1], weights={"x": 3.0, "z": 0.0, "y": 1.0}, scale="range")
    assert weighted.tolist() == [[0.0, 1.0]]


def test_an_outlier_does_not_make_all_others_alike() -> None:
    numbers = np.append(np.linspace(0, 10, 60), 1e6)[:, None]
    found = Metadata(tuple(map(str, range(61))), numbers, ("x",), np.empty((61, 0), np.int64), (), {})
    every = np.arange(61)
    assert gower_distances(found, [0], every, scale="range")[0, 59] < 1e-4
    assert gower_distances(found, [0], every)[0, 59] > 0.9
    ranks = gower_distances(found, [0], every, scale="rank")[0]
    np.testing.assert_allclose(np.diff(ranks), 1 / 61, atol=1e-12)


def test_a_column_with_one_usual_value_still_counts() -> None:
    numbers = np.zeros((40, 1))
    numbers[7] = 5
    found = Metadata(tuple(map(str, range(40))), numbers, ("x",), np.empty((40, 0), np.int64), (), {})
    assert gower_distances(found, [0], [6, 7]).tolist() == [[0.0, 1.0]]
