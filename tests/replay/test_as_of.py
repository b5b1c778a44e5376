"""The upstream row that serving could see, against pandas, DuckDB and a plain loop."""

from __future__ import annotations

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from recsysops.replay.as_of import Timeline
from recsysops.replay.upstream import Upstream

Integers = npt.NDArray[np.int64]


def _random(seed: int, n_rows: int, n_asked: int, n_keys: int = 12) -> tuple[Integers, ...]:
    """Keys, as-of times and availability of rows, without two alike; keys and times of questions."""
    rng = np.random.default_rng(seed)
    pairs = rng.choice(n_keys * 200, n_rows, replace=False)
    keys, as_of = pairs // 200, pairs % 200
    available = as_of + rng.integers(0, 60, n_rows)
    return keys, as_of, available, rng.integers(0, n_keys + 2, n_asked), rng.integers(-5, 260, n_asked)


def test_one_clock_agrees_with_pandas_and_duckdb() -> None:
    keys, as_of, _, asked, at = _random(1, 600, 2000)
    found = Timeline.of(keys, as_of).rows(asked, at)
    upstream = pd.DataFrame({"key": keys, "t": as_of, "row": np.arange(len(keys))}).sort_values("t")
    questions = pd.DataFrame({"key": asked, "t": at, "place": np.arange(len(at))})
    merged = pd.merge_asof(questions.sort_values("t"), upstream, on="t", by="key").sort_values("place")
    assert np.array_equal(found, merged["row"].fillna(-1).astype(int))
    with duckdb.connect() as connection:
        connection.register("u", upstream)
        connection.register("q", questions)
        rows = connection.sql(
            "SELECT coalesce(u.row, -1) FROM q ASOF LEFT JOIN u ON q.key = u.key AND q.t >= u.t ORDER BY q.place"
        ).fetchall()
    assert found.tolist() == [row for (row,) in rows]


def test_two_clocks_agree_with_a_query_of_both() -> None:
    keys, as_of, available, asked, at = _random(2, 600, 1500)
    found = Timeline.of(keys, as_of, available).rows(asked, at)
    upstream = pd.DataFrame({"key": keys, "as_of": as_of, "seen": available, "row": np.arange(len(keys))})
    questions = pd.DataFrame({"key": asked, "t": at, "place": np.arange(len(at))})
    with duckdb.connect() as connection:
        connection.register("u", upstream)
        connection.register("q", questions)
        rows = connection.sql(
            "SELECT coalesce(arg_max(u.row, u.as_of), -1) FROM q LEFT JOIN u "
            "ON q.key = u.key AND u.as_of <= q.t AND u.seen <= q.t GROUP BY q.place ORDER BY q.place"
        ).fetchall()
    assert found.tolist() == [row for (row,) in rows]
    assert np.any(found != Timeline.of(keys, as_of).rows(asked, at))  # the second clock matters


@settings(deadline=None, derandomize=True, max_examples=120)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5), st.integers(0, 5)), max_size=14),
    st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, 7)), max_size=8),
)
def test_repeated_rows_and_corrections(rows: list[tuple[int, int, int]], asked: list[tuple[int, int]]) -> None:
    table = np.array(rows, np.int64).reshape(-1, 3)
    questions = np.array(asked, np.int64).reshape(-1, 2)
    timeline = Timeline.of(table[:, 0], table[:, 1], table[:, 2])
    found = timeline.rows(questions[:, 0], questions[:, 1])
    for (key, at), row in zip(asked, found, strict=True):
        seen = [
            (as_of, available, n)
            for n, (k, as_of, available) in enumerate(rows)
            if k == key and max(as_of, available) <= at
        ]
        assert row == (max(seen)[2] if seen else -1)


def test_older_versions_stand_in_the_order_of_their_time() -> None:
    keys = np.array([0, 1, 0, 0, 1])
    timeline = Timeline.of(keys, np.array([5, 1, 3, 9, 2]))
    assert timeline.earlier(np.array([3, 0, 2, 4, -1]), 1).tolist() == [0, 2, -1, 1, -1]
    assert timeline.earlier(np.array([3, 0]), 2).tolist() == [2, -1]


def _times(*moments: np.datetime64 | None) -> pa.Array:
    return pa.array(np.array(moments, "datetime64[us]"), pa.timestamp("us", "UTC"))


def test_keys_and_times_as_logs_have_them() -> None:
    day = np.datetime64("2026-11-01T00:00:00", "us")
    hours = np.timedelta64(1, "h")
    upstream = Upstream(
        "item_features",
        pa.array(["a", "a", None, "b"]),
        _times(day, day + 24 * hours, day, None),
        _times(day + 3 * hours, None, day, day),
        {},
    )
    ids = pa.array(["a", "a", "a", "b", None, "c"]).dictionary_encode()
    at = _times(day, day + 3 * hours, day + 24 * hours, day + 90 * hours, day, day)
    assert upstream.rows(ids, at).tolist() == [-1, 0, 1, -1, -1, -1]
    numbers = Upstream("items", pa.array(["7"]), _times(day), None, {})
    assert numbers.rows(pa.array([7, 8]), at[:2]).tolist() == [0, -1]


def test_nothing_known_is_nothing_found() -> None:
    empty = np.empty(0, np.int64)
    timeline = Timeline.of(empty, empty, empty)
    assert timeline.rows(np.array([0, -1]), np.array([1, 1])).tolist() == [-1, -1]
    assert timeline.earlier(np.array([-1]), 1).tolist() == [-1]
