"""Distinct counts against the truth and the datasketches library, and the merge law."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recsysops.statistics.hyperloglog import estimate_distinct, merge_registers, registers_from_hashes

datasketches = import_module("datasketches")  # ships no types
THREE_ERRORS = 3 / np.sqrt(4096) * 1.04
hash_arrays = hnp.arrays(np.uint64, st.integers(0, 50), elements=st.integers(0, 2**64 - 1))


def _hashes(seed: int, n_distinct: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint64]]:
    return np.random.default_rng(seed).integers(0, 2**64, size=n_distinct, dtype=np.uint64)


@pytest.mark.parametrize("n_distinct", [1, 100, 3_000, 10_000, 12_288, 20_000, 1_000_000])
def test_estimate_is_near_the_truth_and_datasketches(n_distinct: int) -> None:
    estimate = float(estimate_distinct(registers_from_hashes(_hashes(1, n_distinct))))
    sketch = datasketches.hll_sketch(12, datasketches.tgt_hll_type.HLL_8)
    for value in range(min(n_distinct, 20_000)):
        sketch.update(value)
    assert estimate == pytest.approx(n_distinct, rel=THREE_ERRORS)
    if n_distinct <= 20_000:
        assert estimate == pytest.approx(sketch.get_estimate(), rel=2 * THREE_ERRORS)


@pytest.mark.parametrize("n_distinct", [500, 10_240, 15_000])
def test_estimate_has_no_bias_and_the_promised_error(n_distinct: int) -> None:
    registers = np.stack([registers_from_hashes(_hashes(seed, n_distinct)) for seed in range(200)])
    relative = estimate_distinct(registers) / n_distinct - 1
    assert abs(relative.mean()) < 0.004
    assert relative.std() < 1.15 * 1.04 / 64


@settings(derandomize=True, deadline=None, max_examples=60)
@given(hash_arrays, hash_arrays, hash_arrays)
def test_merge_is_the_union(
    a: np.ndarray[tuple[int, ...], np.dtype[np.uint64]],
    b: np.ndarray[tuple[int, ...], np.dtype[np.uint64]],
    c: np.ndarray[tuple[int, ...], np.dtype[np.uint64]],
) -> None:
    first, second, third = (registers_from_hashes(hashes) for hashes in (a, b, c))
    union = registers_from_hashes(np.concatenate([a, b, c, a[::-1]]))
    np.testing.assert_array_equal(merge_registers(merge_registers(first, second), third), union)
    np.testing.assert_array_equal(merge_registers(first, merge_registers(third, second)), union)
    np.testing.assert_array_equal(merge_registers(first, first), first)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.integers(0, 2**64 - 1), st.integers(12, 18))
def test_rank_is_the_position_of_the_first_one(value: int, precision: int) -> None:
    registers = registers_from_hashes(np.array([value], dtype=np.uint64), precision=precision)
    rest = format(value, "064b")[precision:]
    assert registers.size == 2**precision
    assert registers[int(format(value, "064b")[:precision], 2)] == (rest + "1").index("1") + 1


def test_nothing_is_exactly_zero() -> None:
    assert estimate_distinct(registers_from_hashes(np.empty(0, dtype=np.uint64))) == 0
    assert estimate_distinct(np.zeros((3, 4096), dtype=np.uint8)).tolist() == [0, 0, 0]


def test_wrong_types_are_refused() -> None:
    with pytest.raises(ValueError, match="expected uint64"):
        registers_from_hashes(np.array([1, 2]))
    with pytest.raises(ValueError, match="precision: found 8"):
        registers_from_hashes(_hashes(0, 1), precision=8)
    with pytest.raises(ValueError, match="equal precision"):
        merge_registers(np.zeros(4, dtype=np.uint8), np.zeros(8, dtype=np.uint8))
    with pytest.raises(ValueError, match="expected uint8"):
        estimate_distinct(np.zeros(4))
