"""Any number falls into the bin that a binary search finds."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recsysops.profiles.bin_table import DEFAULTED, N_SPECIALS, NAN, NEG_INF, POS_INF, BinTable
from recsysops.profiles.edges import EdgeSet, learn_edges

laws = settings(deadline=None, derandomize=True, max_examples=150)
finite = st.floats(allow_nan=False, allow_infinity=False)
HALVES = (np.arange(1 << 16, dtype=np.uint32) << np.uint32(16)).view(np.float32)


def expected(values: npt.NDArray[Any], edges: EdgeSet) -> npt.NDArray[np.int64]:
    numbers = values.astype(np.float64)
    codes = np.searchsorted(np.asarray(edges.edges, np.float64), numbers, side="left") + N_SPECIALS
    codes[np.isnan(numbers)] = NAN
    codes[numbers == np.inf] = POS_INF
    codes[numbers == -np.inf] = NEG_INF
    return codes


@laws
@given(st.sets(finite.map(lambda x: x + 0.0), max_size=40), st.lists(st.floats(), max_size=40))
def test_float64(edges: set[float], values: list[float]) -> None:
    edge_set = EdgeSet(tuple(sorted(edges)))
    near = [math.nextafter(edge, side) for edge in edges for side in (-math.inf, math.inf)]
    numbers = np.array([*values, *edges, *near, 0.0, -0.0, 5e-324, -5e-324, 3.5e38, -3.5e38])
    assert (BinTable(edge_set).codes(numbers, None) == expected(numbers, edge_set)).all()


@laws
@given(hnp.arrays(np.float32, st.integers(0, 60), elements=st.floats(width=32)), st.lists(st.floats(width=32)))
def test_float32(reference: npt.NDArray[np.float32], values: list[float]) -> None:
    edge_set = learn_edges(reference)
    numbers = np.array([*reference, *values, *edge_set.edges], np.float32)
    assert (BinTable(edge_set).codes(numbers, None) == expected(numbers, edge_set)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_borders_of_every_half(dtype: type) -> None:
    around: npt.NDArray[Any] = HALVES[np.isfinite(HALVES)].astype(dtype)
    numbers = np.concatenate([around, np.nextafter(around, dtype(-np.inf)), np.nextafter(around, dtype(np.inf))])
    some = np.unique(np.random.default_rng(0).choice(numbers[np.isfinite(numbers)].astype(np.float64), 500))
    edge_set = EdgeSet(tuple((some + 0.0).tolist()))
    assert (BinTable(edge_set).codes(numbers, None) == expected(numbers, edge_set)).all()


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.int32, np.uint32, np.int64, np.uint64])
def test_integers(dtype: type) -> None:
    limits = np.iinfo(dtype)
    numbers: npt.NDArray[Any] = np.array([limits.min, limits.max, 0, 1, 2, 3, 100, 101], dtype)
    edge_set = learn_edges(numbers, n_bins=3, atoms=(100.0,))
    assert (BinTable(edge_set).codes(numbers, None) == expected(numbers, edge_set)).all()


def test_neighbours_beyond_2_53_share_a_bin() -> None:
    edge_set = EdgeSet((2.0**53,))
    assert BinTable(edge_set).codes(np.array([2**53, 2**53 + 1, 2**53 + 2]), None).tolist() == [5, 5, 6]


def test_a_default_is_compared_in_the_columns_own_precision() -> None:
    table = BinTable(EdgeSet(()))
    assert table.codes(np.array([0.1, 0.2], np.float32), 0.1).tolist() == [DEFAULTED, N_SPECIALS]
    assert table.codes(np.array([0.1, float(np.float32(0.1))]), 0.1).tolist() == [DEFAULTED, N_SPECIALS]
    assert table.codes(np.array([0, -0.0, 1]), 0).tolist() == [DEFAULTED, DEFAULTED, N_SPECIALS]
