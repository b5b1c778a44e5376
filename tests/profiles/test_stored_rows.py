"""Profiles are read back measure by measure, however their rows are laid out in the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsysops.errors import StateError
from recsysops.profiles.fold import BucketFold
from recsysops.profiles.measures import N_BUCKETS
from recsysops.profiles.profile import BUCKETS, RowWriter
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.profiles.stored_rows import buckets_of, rows_of

NORWAY = Slice("market", "NO")


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Two measures, row by row in turns, on days 1 and 2."""
    writer = RowWriter()
    for number in range(8):
        writer.add("ab"[number % 2], 1 + number // 4, NORWAY, key=str(number), counts=[number])
    pq.write_table(writer.rows(), tmp_path / "rows.parquet")
    return tmp_path / "rows.parquet"


@pytest.fixture
def buckets(tmp_path: Path) -> Path:
    """Measures a and b on days 1 and 2 in one row group, c in the next; day 2 of a has no rows of Norway."""
    writer = RowWriter()
    for measure in "abc":
        for day, slice_ in ((1, EVERYTHING), (1, NORWAY), (2, EVERYTHING), (2, NORWAY)):
            if (measure, day, slice_) != ("a", 2, NORWAY):
                writer.add_buckets(measure, day, slice_, np.arange(2 * N_BUCKETS) + 100 * day + len(slice_.value))
    pq.write_table(writer.buckets(), tmp_path / "buckets.parquet", row_group_size=7)
    return tmp_path / "buckets.parquet"


def test_rows_of_a_measure_keep_their_order_though_another_stands_between(rows: Path) -> None:
    found = rows_of([rows, rows], "b", [1, 2])
    assert found["key"].to_pylist() == ["1", "3", "5", "7"] * 2
    assert found["measure"].to_pylist() == ["b"] * 8


def test_days_that_were_not_asked_for_are_left_out(rows: Path) -> None:
    assert rows_of([rows], "a", [2, 9])["key"].to_pylist() == ["4", "6"]
    assert rows_of([rows], "a", [9]).num_rows == 0
    assert rows_of([rows], "none", [1]).num_rows == 0


@pytest.mark.parametrize("measure", ["a", "b", "c"])
def test_buckets_are_those_of_the_measure_alone(buckets: Path, measure: str) -> None:
    whole = pq.read_table(buckets).to_pylist()
    own = [{name: row[name] for name in row if name != "measure"} for row in whole if row["measure"] == measure]
    assert buckets_of([buckets], measure).to_pylist() == own


def test_buckets_without_statistics_are_found_too(buckets: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.parquet"
    pq.write_table(pq.read_table(buckets), bare, row_group_size=5, write_statistics=False)
    assert buckets_of([bare], "b").to_pylist() == buckets_of([buckets], "b").to_pylist()


def test_a_day_with_buckets_but_without_the_slice_is_zero_and_a_day_without_buckets_is_left_out(buckets: Path) -> None:
    fold = BucketFold(buckets_of([buckets], "a"), [3, 2, 1], 2)
    expected = np.arange(2 * N_BUCKETS).reshape(N_BUCKETS, 2)
    np.testing.assert_array_equal(fold.of(EVERYTHING), np.concatenate([expected + 200, expected + 100]))
    np.testing.assert_array_equal(fold.of(NORWAY), np.concatenate([0 * expected, expected + 102]))
    assert not fold.of(Slice("market", "SE")).any()
    assert BucketFold(BUCKETS.empty_table(), [1], 2).of(EVERYTHING).shape == (0, 2)


def test_a_file_of_other_columns_or_cut_short_says_what_to_do(buckets: Path, tmp_path: Path) -> None:
    other, short = tmp_path / "other.parquet", tmp_path / "short.parquet"
    pq.write_table(pa.table({"x": [1]}), other)
    short.write_bytes(buckets.read_bytes()[:-200])
    for path in (other, short):
        with pytest.raises(StateError, match="delete it; the next run counts its partition again"):
            buckets_of([path], "a")
    with pytest.raises(StateError, match="columns x"):
        rows_of([other], "a", [1])
