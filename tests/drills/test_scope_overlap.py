"""Scope overlap against a loop over the rows."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsysops.drills.fault import Truth
from recsysops.drills.scorecard.scope_overlap import Scope, scope_overlap

ROW = st.tuples(st.sampled_from(["NO", "SE", None]), st.sampled_from(["tv", "web"]), st.integers(1, 4))
SCOPES = st.builds(
    Scope,
    st.dictionaries(st.sampled_from(["market", "device"]), st.sampled_from(["NO", "SE", "tv"]), max_size=2),
    st.lists(st.sampled_from(["1", "2", "9"]), max_size=2).map(tuple),
)


def is_inside(row: tuple[Any, ...], scope: Scope) -> bool:
    values = dict(zip(("market", "device", "item"), row, strict=True))
    in_slice = all(values[name] == value for name, value in scope.slice.items())
    return in_slice and (not scope.items or str(values["item"]) in scope.items)


@settings(deadline=None, derandomize=True)
@given(st.lists(ROW, max_size=30), SCOPES, SCOPES)
def test_it_is_the_rows_in_both_beside_the_rows_in_either(
    rows: list[tuple[Any, ...]], one: Scope, other: Scope
) -> None:
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    table = pa.table(
        {
            "market": pa.array(columns[0], pa.string()),
            "device": pa.array(columns[1], pa.string()),
            "item": pa.array(columns[2], pa.int64()),
        }
    )
    both = sum(is_inside(row, one) and is_inside(row, other) for row in rows)
    either = sum(is_inside(row, one) or is_inside(row, other) for row in rows)
    found = scope_overlap(table, one, other, "item")
    assert found == pytest.approx(both / either if either else 0.0)
    assert found == scope_overlap(table, other, one, "item")


def test_the_truth_has_slice_and_items() -> None:
    assert Scope.of_truth(Truth((), (), {"market": "NO"}, ("7",))) == Scope({"market": "NO"}, ("7",))
    assert Scope({"market": "NO"}, ("7",)).columns("item_id") == ("market", "item_id")
    assert Scope().columns("item_id") == ()
