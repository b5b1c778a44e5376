"""From a day of odd logs to rows and back: nothing touched, nothing changed."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsysops.drills.own_logs.names import Seen, seen_columns, used_columns
from recsysops.drills.own_logs.own_rows import ROW, rows_of, table_of
from recsysops.drills.rows import Rows
from recsysops.errors import PluginError
from recsysops.tables.schema import Column, TableSchema

SCHEMA = TableSchema(
    "candidates",
    (
        Column('req "id"', "numeric", "request_id"),
        Column("when", "timestamp", "ts"),
        Column("item", "numeric", "item_id"),
        Column("place", "numeric", "position"),
        Column("p", "numeric", "score"),
        Column("score", "numeric", "price", is_feature=True),
        Column("f", "numeric", is_feature=True, mask="f?"),
        Column("f?", "boolean"),
        Column("genre", "categorical", is_feature=True),
        Column("tv", "boolean"),
        Column("notes", "other"),
        Column("cruft", "categorical"),
    ),
    slices=("tv",),
)
SEEN = seen_columns(SCHEMA)
MOMENTS = st.integers(-(2**40), 2**40).map(lambda second: datetime.fromtimestamp(second / 512, UTC))
TYPES: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    'req "id"': (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "when": (pa.timestamp("us", "UTC"), MOMENTS),
    "item": (pa.uint16(), st.integers(0, 2**16 - 1)),
    "place": (pa.int8(), st.integers(1, 100)),
    "p": (pa.float64(), st.floats()),
    "score": (pa.int64(), st.integers(-(2**62), 2**62)),
    "f": (pa.float32(), st.floats(width=32)),
    "f?": (pa.bool_(), st.booleans()),
    "genre": (pa.string(), st.text(max_size=3)),
    "tv": (pa.bool_(), st.booleans()),
    "notes": (pa.list_(pa.int8()), st.lists(st.integers(0, 9), max_size=2)),
}


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    n = draw(st.integers(0, 8))
    columns = {}
    for name, (type_, values) in TYPES.items():
        columns[name] = pa.array(draw(st.lists(st.none() | values, min_size=n, max_size=n)), type_)
    return pa.table(columns)


def table(**columns: Any) -> pa.Table:
    return pa.table({name: pa.array(values, TYPES[name][0]) for name, values in columns.items()})


def bits(table: pa.Table) -> list[list[str]]:
    """Every value as text, NaN told from NULL."""
    return [[repr(value) for value in column.to_pylist()] for column in table.columns]


@settings(deadline=None, derandomize=True, max_examples=100)
@given(tables())
def test_untouched_rows_come_back_as_they_were(original: pa.Table) -> None:
    back = table_of(rows_of(original, SEEN), original, SEEN)
    assert back.schema == original.schema
    assert bits(back) == bits(original)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(tables(), st.randoms(use_true_random=False))
def test_rows_taken_twice_or_left_out_keep_their_values(original: pa.Table, random: Any) -> None:
    chosen = np.array([number for number in range(len(original)) for _ in range(random.randrange(3))], np.int64)
    back = table_of(rows_of(original, SEEN).take(chosen), original, SEEN)
    assert bits(back) == bits(original.take(chosen))


@settings(deadline=None, derandomize=True, max_examples=100)
@given(tables(), st.randoms(use_true_random=False))
def test_one_changed_cell_changes_that_cell_alone(original: pa.Table, random: Any) -> None:
    if not len(original):
        return
    row = random.randrange(len(original))
    where = np.arange(len(original)) == row
    back = table_of(rows_of(original, SEEN).with_value("f", where, 0.25), original, SEEN)
    expected = original.column("f").to_pylist()
    expected[row] = 0.25
    assert repr(back.column("f").to_pylist()) == repr(expected)
    assert bits(back.drop_columns(["f"])) == bits(original.drop_columns(["f"]))


def test_faults_see_roles_by_name_and_features_by_their_own() -> None:
    named = {name: one.column for one in SEEN for name in one.names}
    assert named["score"] == "p"  # the role wins over a feature of that name
    assert named["price"] == "score"
    assert {"request_id", "ts", "item_id", "position", "f", "f?", "genre", "tv"} <= set(named)
    assert "notes" not in named
    assert used_columns(SCHEMA, {}) == tuple(one.name for one in SCHEMA.columns if one.name not in ("notes", "cruft"))


def test_values_look_as_faults_expect_them() -> None:
    rows = rows_of(table(item=[7, None], place=[None, 2], p=[None, math.nan], tv=[True, None], score=[3, None]), SEEN)
    assert rows["item_id"].tolist() == ["7", None]
    assert rows["position"].tolist() == [0, 2]
    assert rows["position"].dtype == np.int64
    assert rows["tv"].tolist() == ["true", None]
    assert np.isnan(rows["score"]).all()
    assert rows.nulls["score"].tolist() == [True, False]
    assert rows["price"].dtype == np.float64


@pytest.mark.parametrize(
    ("column", "values", "name", "new", "expected"),
    [
        ("score", [10, 20], "price", 12.6, [13, 20]),  # whole numbers stay whole
        ("score", [10, 20], "price", math.nan, [None, 20]),  # which have no NaN
        ("score", [10, 20], "price", math.inf, [math.inf, 20.0]),  # or widen
        ("place", [1, 2], "position", 1000, [1000, 2]),
        ("p", [0.5, 0.25], "score", math.nan, [None, 0.25]),
        ("item", [1, 2], "item_id", "9", [9, 2]),
        ("item", [1, 2], "item_id", "new", ["new", "2"]),
        ("tv", [True, False], "tv", "false", [False, False]),
        ("genre", ["a", "b"], "genre", None, [None, "b"]),
    ],
)
def test_new_values_are_written_in_the_type_of_the_column(
    column: str, values: list[Any], name: str, new: Any, expected: list[Any]
) -> None:
    original = table(**{column: values})
    rows = rows_of(original, SEEN)
    back = table_of(rows.with_value(name, np.array([True, False]), new), original, SEEN)
    assert back.column(column).to_pylist() == expected


def test_nan_is_written_where_the_log_knows_nan() -> None:
    original = table(p=[math.nan, 0.5, None])
    back = table_of(
        rows_of(original, SEEN).with_value("score", np.array([False, True, False]), math.nan), original, SEEN
    )
    assert repr(back.column("p").to_pylist()) == "[nan, nan, None]"


def test_a_null_survives_arithmetic() -> None:
    original = table(score=[10, None])
    rows = rows_of(original, SEEN)
    assert table_of(rows.with_columns(price=rows["price"] * 100), original, SEEN).column("score").to_pylist() == [
        1000,
        None,
    ]


def test_columns_can_be_taken_away_but_not_smuggled_in() -> None:
    original = table(f=[1.0], genre=["a"])
    rows = rows_of(original, SEEN).without("genre").with_columns(other=np.zeros(1))
    assert table_of(rows, original, SEEN).column_names == ["f"]


def test_rows_made_anew_are_refused() -> None:
    original = table(f=[1.0])
    with pytest.raises(PluginError, match="rows made anew"):
        table_of(Rows({"f": np.zeros(1)}), original, SEEN)
    assert ROW in rows_of(original, SEEN)


def test_nothing_is_seen_of_columns_that_a_day_lacks() -> None:
    assert set(rows_of(table(f=[1.0]), (*SEEN, Seen("gone", ("gone",), "number")))) == {"f", ROW}
