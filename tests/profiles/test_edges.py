"""Edges are learnt the same way from the same values, and bins mean what they say."""

import json
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recsysops.errors import StateError
from recsysops.profiles.edges import EdgeSet, learn_edges

laws = settings(deadline=None, derandomize=True, max_examples=60)
floats32 = hnp.arrays(np.float32, st.integers(0, 60), elements=st.floats(width=32))


def bin_of(edges: EdgeSet, value: float) -> int:
    return int(np.searchsorted(edges.edges, value, side="left"))


@laws
@given(floats32, st.randoms())
def test_order_does_not_matter_and_edges_are_float32(values: npt.NDArray[np.float32], random: Any) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)
    edges = learn_edges(values)
    assert edges == learn_edges(np.array(shuffled, np.float32))
    assert all(float(np.float32(edge)) == edge for edge in edges.edges)
    assert list(edges.edges) == sorted(set(edges.edges))


@laws
@given(floats32)
def test_the_reference_lies_between_the_outer_bins(values: npt.NDArray[np.float32]) -> None:
    finite = values[np.isfinite(values)].astype(np.float64)
    edges = learn_edges(values, atoms=())
    for value in finite:
        is_least_possible = value == np.finfo(np.float32).min  # nothing finite is below it
        assert is_least_possible or bin_of(edges, value) > 0
        assert bin_of(edges, value) < edges.n_bins - 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8, np.int64, np.uint8, np.bool_])
def test_atoms_hold_one_value_alone(dtype: type) -> None:
    values: npt.NDArray[Any] = np.array([0] * 50 + [1] * 50 + list(range(100)), np.int64).astype(dtype)
    edges = learn_edges(values)
    assert {0.0, -1.0, 1.0} <= set(edges.atom_bins)
    for value, index in edges.atom_bins.items():
        assert edges.edges[index] == value
        assert bin_of(edges, value) == index
        if np.dtype(dtype).kind != "f":
            assert edges.edges[index - 1] == value - 1
    if dtype is np.float32:
        assert bin_of(edges, float(np.nextafter(np.float32(1), np.float32(0)))) == edges.atom_bins[1.0] - 1


def test_a_default_is_an_atom_in_the_columns_own_precision() -> None:
    edges = learn_edges(np.array([0.5, 0.7], np.float32), default=0.1)
    assert float(np.float32(0.1)) in edges.atom_bins


def test_bins_hold_about_equal_shares() -> None:
    values = np.random.default_rng(0).normal(size=100_000).astype(np.float32)
    counts = np.bincount(np.searchsorted(learn_edges(values, atoms=()).edges, values, side="left"))
    assert counts.max() <= len(values) / 32 + 1


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.zeros(0, np.float32), 0),
        (np.full(5, np.nan, np.float32), 0),
        (np.array([np.inf, -np.inf]), 0),
        (np.full(9, 7.0, np.float32), 2),
        (np.array([7], np.int32), 2),
        (np.array([-0.0, 0.0]), 2),
        (np.array([np.finfo(np.float64).min, np.finfo(np.float64).max]), 3),
    ],
)
def test_poor_references(values: npt.NDArray[Any], expected: int) -> None:
    assert len(learn_edges(values, atoms=()).edges) == expected


def test_minus_zero_is_zero() -> None:
    edges = learn_edges(np.array([-0.0, 1.0, 2.0]))
    assert all(math.copysign(1, edge) > 0 for edge in edges.edges if edge == 0)


@laws
@given(hnp.arrays(np.float64, st.integers(0, 40), elements=st.floats()))
def test_round_trip_is_exact(values: npt.NDArray[np.float64]) -> None:
    edges = learn_edges(values)
    again = EdgeSet.from_dict(json.loads(json.dumps(edges.to_dict())))
    assert again == edges
    assert again.id == edges.id
    assert hash(again) == hash(edges)


def test_names_are_distinct_and_the_id_follows_the_edges() -> None:
    edges = EdgeSet((0.1, 0.1 + 2**-56, 2.0))
    assert len(set(edges.bin_names)) == edges.n_bins == 4
    assert edges.bin_names[0] == "(-inf, 0.1]"
    assert edges.bin_names[-1] == "(2.0, inf)"
    assert edges.id != EdgeSet((0.1, 2.0)).id


@pytest.mark.parametrize("edges", [(1.0, 1.0), (2.0, 1.0), (math.nan,), (math.inf,)])
def test_refuses_edges_that_do_not_rise(edges: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="edges"):
        EdgeSet(edges)


@pytest.mark.parametrize("stored", [{}, {"edges": 3}, {"edges": ["x"], "atom_bins": {}}, {"edges": [], "atom_bins": 1}])
def test_damaged_content_is_a_state_error(stored: dict[str, Any]) -> None:
    with pytest.raises(StateError, match="edge set"):
        EdgeSet.from_dict(stored)


def test_refuses_a_single_bin() -> None:
    with pytest.raises(ValueError, match="n_bins"):
        learn_edges(np.zeros(3), n_bins=1)
