"""What every source promises, whatever the format."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lake_tables import LAKES, lake
from table_files import WRITERS, read_rows, source_of

from recsysops.errors import SchemaError
from recsysops.tables.file_source import MAX_BATCH_ROWS
from recsysops.tables.source import Source

ROWS = pa.table(
    {
        "id": pa.array([3, 1, None, 2], pa.int64()),
        "score": pa.array([0.5, None, -1.25, 1e300], pa.float64()),
        "market": pa.array(["NO", None, 'x,"y"', "NA"], pa.string()),
        "shown": pa.array([True, False, None, True], pa.bool_()),
    }
)
LOSES_NAN = {"sqlite", *(name for name, one in LAKES.items() if not one.keeps_nan)}  # SQLite stores NaN as NULL

every_format = pytest.mark.parametrize("name", WRITERS)
every_source = pytest.mark.parametrize("name", [*WRITERS, *LAKES])


def write(root: Path, name: str, table: pa.Table, folder: str = "day=2026-01-02", stem: str = "part-0") -> Path:
    suffix, writer = WRITERS[name]
    path = root / "logs" / folder / f"{stem}{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    writer(path, table)
    return path


def given(root: Path, name: str, table: pa.Table) -> Source:
    """A source of that kind that holds the table; given again, it holds the new one instead."""
    if name in LAKES:
        lake(name).write(root, table)
        return LAKES[name].open(root)
    write(root, name, table)
    return source_of(root, "logs")


def own_columns(name: str) -> list[str]:
    """What a source has beside the table's columns: for files, those of their path."""
    return [] if name in LAKES else ["day"]


@every_source
def test_the_same_rows_come_out(tmp_path: Path, name: str) -> None:
    source = given(tmp_path, name, ROWS)
    assert isinstance(source, Source)
    assert read_rows(source, ROWS.column_names) == ROWS.to_pylist()


@every_source
def test_exactly_the_columns_asked_for_in_their_order(tmp_path: Path, name: str) -> None:
    source = given(tmp_path, name, ROWS)
    [partition] = source.partitions()
    for columns in (["market", "id"], ["score"], [*own_columns(name), "id"], own_columns(name) or ["shown"]):
        batches = list(source.batches(partition, columns))
        assert all(batch.schema.names == columns for batch in batches)
        assert sum(batch.num_rows for batch in batches) == ROWS.num_rows


@every_source
def test_null_and_nan_are_two_things(tmp_path: Path, name: str) -> None:
    source = given(tmp_path, name, pa.table({"score": pa.array([None, math.nan, 1.5]), "id": [1, 2, 3]}))
    null, nan, number = (row["score"] for row in read_rows(source))
    assert null is None
    assert number == 1.5
    assert nan is None if name in LOSES_NAN else math.isnan(nan)


@every_format
def test_hive_values_are_columns_of_text_after_the_files_own(tmp_path: Path, name: str) -> None:
    write(tmp_path, name, ROWS, "day=2026-01-02/place=N%2FO/none=__HIVE_DEFAULT_PARTITION__/id=7")
    source = source_of(tmp_path, "logs")
    [partition] = source.partitions()
    assert source.schema(partition).names == [*ROWS.column_names, "day", "place", "none"]
    row = read_rows(source)[0]
    assert (row["day"], row["place"], row["none"], row["id"]) == ("2026-01-02", "N/O", None, 3)


@every_format
def test_partitions_are_files_in_the_order_of_their_names(tmp_path: Path, name: str) -> None:
    for stem in ("b", "a", "_temporary", ".hidden"):
        write(tmp_path, name, ROWS, stem=stem)
    source = source_of(tmp_path, "logs")
    keys = [Path(partition.key).stem for partition in source.partitions()]
    assert keys == ["a", "b"]
    assert source.partitions() == source.partitions() == source_of(tmp_path, "logs/**").partitions()


@every_format
def test_a_rewritten_file_has_another_fingerprint(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name, ROWS)
    source = source_of(tmp_path, "logs")
    before, status = source.partitions()[0], path.stat()
    write(tmp_path, name, ROWS.set_column(0, "id", pa.array([3, 1, None, 9], pa.int64())))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    after = source.partitions()[0]
    assert after.key == before.key
    assert after.fingerprint != before.fingerprint
    assert after.n_bytes == path.stat().st_size
    assert [row["id"] for row in read_rows(source)] == [3, 1, None, 9]


@every_source
def test_no_rows_are_no_error(tmp_path: Path, name: str) -> None:
    if name == "jsonl":
        pytest.skip("a JSON lines file without lines has no columns: it is refused as empty")
    source = given(tmp_path, name, ROWS.slice(0, 0))
    for partition in source.partitions():
        assert source.schema(partition).names == [*ROWS.column_names, *own_columns(name)]
    assert read_rows(source) == []


@every_source
def test_batches_are_bounded(tmp_path: Path, name: str) -> None:
    n_rows = MAX_BATCH_ROWS + 5
    source = given(tmp_path, name, pa.table({"id": pa.array(range(n_rows))}))
    sizes = [batch.num_rows for batch in source.batches(source.partitions()[0], ["id"])]
    assert sum(sizes) == n_rows
    assert 0 < max(sizes) <= MAX_BATCH_ROWS


@every_source
def test_an_unknown_column_is_named_with_the_nearest(tmp_path: Path, name: str) -> None:
    source = given(tmp_path, name, ROWS)
    with pytest.raises(SchemaError, match=r"no column 'scoer'.*did you mean 'score'"):
        list(source.batches(source.partitions()[0], ["scoer"]))


@every_source
def test_any_name_can_be_a_column(tmp_path: Path, name: str) -> None:
    names = ['a "quoted"', "a.b", "a", "with space", "🎬", "'; DROP TABLE logs; --", "SELECT", "[red]x[/]"]
    source = given(tmp_path, name, pa.table({column: [index] for index, column in enumerate(names)}))
    assert read_rows(source, names) == [{column: index for index, column in enumerate(names)}]


@every_source
def test_ten_thousand_columns(tmp_path: Path, name: str) -> None:
    limits = {"sqlite": 1_900} | {name: one.columns_at_most for name, one in LAKES.items()}  # SQLite's is 2,000
    n_columns = limits.get(name, 10_000)
    source = given(tmp_path, name, pa.table({f"f{index}": [float(index)] for index in range(n_columns)}))
    assert len(source.schema(source.partitions()[0]).names) == n_columns + len(own_columns(name))
    assert read_rows(source, ["f1899", "f7"]) == [{"f1899": 1899.0, "f7": 7.0}]


@every_format
def test_only_parquet_may_be_read_by_others(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name, ROWS)
    source = source_of(tmp_path, "logs")
    assert source.parquet_path(source.partitions()[0]) == (path if name == "parquet" else None)


@pytest.mark.parametrize("name", LAKES)
def test_a_rewritten_table_has_other_fingerprints(tmp_path: Path, name: str) -> None:
    source = given(tmp_path, name, ROWS)
    before = source.partitions()
    assert before == source.partitions() == LAKES[name].open(tmp_path).partitions()
    given(tmp_path, name, ROWS.set_column(0, "id", pa.array([3, 1, None, 9], pa.int64())))
    after = source.partitions()
    assert {one.fingerprint for one in before}.isdisjoint(one.fingerprint for one in after)
    assert [row["id"] for row in read_rows(source)] == [3, 1, None, 9]


@pytest.mark.parametrize("name", LAKES)
def test_only_a_plain_local_file_of_a_lake_may_be_read_by_others(tmp_path: Path, name: str) -> None:
    source = given(tmp_path, name, ROWS)
    [partition] = source.partitions()
    path = source.parquet_path(partition)
    assert (path is not None) == (name in {"delta", "iceberg"})
    assert path is None or pq.read_table(path, partitioning=None).to_pylist() == ROWS.to_pylist()
