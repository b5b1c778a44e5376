"""Hashes of rows and values: equal where the rows are, different where anything is."""

import numpy as np
import pyarrow as pa

from recsysops.profiles.column_codes import doubles_of
from recsysops.profiles.fast_hash import hash_rows, hash_values


def test_rows_agree_only_if_every_value_does() -> None:
    texts = pa.array(["a", "a", "b", None, "", "a"])
    numbers = pa.array([1, 1, 1, 1, 1, None], pa.int32())
    hashes = hash_rows([texts, numbers], 6)
    assert hashes[0] == hashes[1]
    assert len(set(hashes.tolist())) == 5
    assert (hash_rows([texts.dictionary_encode(), numbers.cast(pa.int64())], 6) == hashes).all()
    assert (hash_rows([numbers, texts], 6) != hashes).all(), "the order of the columns matters"


def test_floats_agree_where_they_are_equal_whatever_their_width() -> None:
    wide = pa.array([0.5, 0.0, -0.0, float("nan"), 3.0])
    hashes = hash_values(wide)
    assert (hash_values(wide.cast(pa.float32())) == hashes).all()
    assert hashes[1] == hashes[2]
    assert len(set(hashes.tolist())) == 4


def test_times_agree_whatever_their_unit() -> None:
    seconds = pa.array([0, 1, None], pa.timestamp("s", "UTC"))
    for unit in ("ms", "us", "ns"):
        assert (hash_values(seconds.cast(pa.timestamp(unit, "UTC")))[:2] == hash_values(seconds)[:2]).all()


def test_never_changes() -> None:
    assert hash_rows([pa.array(["r-1"]), pa.array([7])], 1).tolist() == [18193245733981042549]


def test_numbers_of_any_column() -> None:
    columns = {
        "texts": (pa.array(["1.5", "x", None, "-2"]), [1.5, np.nan, np.nan, -2]),
        "categories": (pa.array(["1.5", "x", None]).dictionary_encode(), [1.5, np.nan, np.nan]),
        "integers": (pa.array([1, None], pa.int16()), [1, np.nan]),
        "flags": (pa.array([True, None, False]), [1, np.nan, 0]),
        "times": (pa.array([1, None], pa.timestamp("us", "UTC")), [np.nan, np.nan]),
    }
    for name, (column, expected) in columns.items():
        np.testing.assert_array_equal(doubles_of(column, name), expected)
