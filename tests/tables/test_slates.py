"""Unnesting loses nothing: grouping the candidates again gives the slates back."""

from __future__ import annotations

from itertools import groupby

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsysops.tables.slates import INDEX_COLUMN, UnequalLengthsError, unnest

SLATES = st.lists(
    st.lists(st.tuples(st.integers(0, 99), st.one_of(st.none(), st.floats(allow_nan=False, width=32))), max_size=5)
    | st.none(),
    max_size=12,
)


@given(SLATES, st.integers(0, 3))
@settings(deadline=None, derandomize=True, max_examples=150)
def test_unnest_then_group_is_the_identity(slates: list[list[tuple[int, float | None]] | None], offset: int) -> None:
    batch = pa.record_batch(
        {
            "request": pa.array(range(len(slates)), pa.int64()),
            "items": pa.array([None if s is None else [item for item, _ in s] for s in slates], pa.list_(pa.int64())),
            "scores": pa.array([None if s is None else [x for _, x in s] for s in slates], pa.large_list(pa.float32())),
        }
    ).slice(offset)
    rows = unnest(batch, ["items", "scores"], "items").to_pylist()
    grouped = {request: list(group) for request, group in groupby(rows, key=lambda row: row["request"])}
    expected = {request: slate for request, slate in enumerate(slates) if slate and request >= offset}
    assert {key: [(row["items"], row["scores"]) for row in group] for key, group in grouped.items()} == expected
    assert all([row[INDEX_COLUMN] for row in group] == [*range(1, len(group) + 1)] for group in grouped.values())


def test_a_missing_array_is_as_many_nulls() -> None:
    batch = pa.record_batch(
        {"items": [[1, 2], [3], [4]], "scores": pa.array([None, [0.5], None], pa.list_(pa.float64()))}
    )
    assert unnest(batch, ["items", "scores"], "items").column("scores").to_pylist() == [None, None, 0.5, None]


def test_fixed_size_arrays() -> None:
    batch = pa.record_batch({"items": pa.array([[1, 2], [3, 4]], pa.list_(pa.int64(), 2))})
    assert unnest(batch, ["items"], "items").column("items").to_pylist() == [1, 2, 3, 4]


@pytest.mark.parametrize("items", [[[1], [2, 3], [4, 5]], [[1], [2, 3], None]])
def test_arrays_of_unequal_length_are_refused(items: list[list[int] | None]) -> None:
    batch = pa.record_batch({"items": items, "scores": [[0.1], [0.2, 0.3], [0.4]]})
    with pytest.raises(UnequalLengthsError, match="1 entries in 'scores' but") as caught:
        unnest(batch, ["items", "scores"], "items")
    assert caught.value.row == 2
