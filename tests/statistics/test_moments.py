"""Mergeable moments against numpy, and their merge laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsysops.statistics.moments import Moments, merge_moments, moments_of

law = settings(derandomize=True, deadline=None, max_examples=100)
rows = st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), max_size=20)


def _assert_same(first: Moments, second: Moments, scale: float) -> None:
    """Equal within 1e-12 of the size of the rows (of their square for the sum of squares)."""
    assert first.count == second.count
    assert first.mean == pytest.approx(float(second.mean), rel=1e-12, abs=1e-12 * scale)
    assert first.m2 == pytest.approx(float(second.m2), rel=1e-12, abs=1e-12 * scale**2)
    assert (first.minimum, first.maximum) == (second.minimum, second.maximum)


@law
@given(rows, rows, rows)
def test_merging_is_associative_and_counts_every_row(a: list[float], b: list[float], c: list[float]) -> None:
    first, second, third = moments_of(a), moments_of(b), moments_of(c)
    left = merge_moments(merge_moments(first, second), third)
    scale = max((abs(x) for x in a + b + c), default=0.0)
    _assert_same(left, merge_moments(first, merge_moments(second, third)), scale)
    _assert_same(left, merge_moments(third, merge_moments(second, first)), scale)
    _assert_same(left, moments_of(a + b + c), scale)


def test_equal_to_numpy_in_parts_and_far_from_zero() -> None:
    x = np.random.default_rng(1).normal(1e9, 1.0, (5, 10_000))
    merged = moments_of(x[:, :10])
    for start in range(10, 10_000, 999):
        merged = merge_moments(merged, moments_of(x[:, start : start + 999]))
    np.testing.assert_allclose(merged.mean, x.mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(merged.variance(), x.var(axis=1, ddof=1), rtol=1e-6)
    np.testing.assert_allclose(merged.variance(ddof=0), x.var(axis=1), rtol=1e-6)
    np.testing.assert_array_equal(merged.minimum, x.min(axis=1))
    np.testing.assert_array_equal(merged.maximum, x.max(axis=1))


def test_nothing_is_neutral() -> None:
    nothing, some = moments_of([]), moments_of([2.0, 4.0])
    for merged in (merge_moments(nothing, some), merge_moments(some, nothing)):
        fields = (merged.count, merged.mean, merged.m2, merged.minimum, merged.maximum)
        assert [float(field) for field in fields] == [2, 3, 2, 2, 4]
    assert merge_moments(nothing, nothing).count == 0
    assert np.isnan(nothing.variance())
    assert np.isnan(moments_of([1.0]).variance())


@pytest.mark.parametrize("values", [[1.0, np.nan], [np.inf], 3.0])
def test_rows_that_are_no_numbers_are_refused(values: float | list[float]) -> None:
    with pytest.raises(ValueError, match="expected finite numbers"):
        moments_of(values)
