"""Types of CSV and JSON lines are the narrowest that fit all values, also those far down the file."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from table_files import read_rows, source_of

from recsysops.errors import ConfigError
from recsysops.tables import csv_source, jsonl_source


def csv_column(root: Path, text: str, **settings: Any) -> tuple[str, list[Any]]:
    (root / "x.csv").write_text("n,c\n" + "".join(f"{index},{line}\n" for index, line in enumerate(text.split("|"))))
    source = source_of(root, "x.csv", **settings)
    [partition] = source.partitions()
    batches = list(source.batches(partition, ["c"]))
    return str(batches[0].schema.field("c").type), [value for batch in batches for value in batch.column(0).to_pylist()]


@pytest.mark.parametrize(
    ("text", "type_", "values"),
    [
        ("1|2", "int64", [1, 2]),
        ("1||3", "int64", [1, None, 3]),
        ("1|2.5", "double", [1.0, 2.5]),
        ("1|x", "string", ["1", "x"]),
        ("true|false|", "bool", [True, False, None]),
        ("|NULL|\\N", "null", [None, None, None]),
        ('a|""|NULL|"NULL"|NA', "string", ["a", "", None, "NULL", "NA"]),
        ("18446744073709551615|7", "string", ["18446744073709551615", "7"]),
        ("1.5|18446744073709551615", "double", [1.5, 18446744073709551615.0]),
    ],
)
@pytest.mark.parametrize("n_before", [0, 40])
def test_csv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, type_: str, values: list[Any], n_before: int
) -> None:
    """With small blocks and repeated first values the telling value stands far below the block that types come from."""
    first, value = text.split("|")[0], values[0]
    if n_before:
        monkeypatch.setattr(csv_source, "BLOCK_BYTES", 64)
    found, got = csv_column(tmp_path, "|".join([first] * n_before + [text]))
    assert (found, got) == (type_, [value] * n_before + values)


def test_csv_times_keep_whether_a_zone_was_written(tmp_path: Path) -> None:
    assert csv_column(tmp_path, "2026-01-01T10:00:00Z|2026-01-01T10:00:00+02:00")[0] == "timestamp[s, tz=UTC]"
    assert csv_column(tmp_path, "2026-01-01 10:00:00|2026-01-01 10:00:01")[0] == "timestamp[s]"
    assert csv_column(tmp_path, "2026-01-01 10:00:00|2026-01-01T10:00:00Z")[0] == "string"


def test_csv_options(tmp_path: Path) -> None:
    assert csv_column(tmp_path, "007|008", options={"type.c": "string"}) == ("string", ["007", "008"])
    assert csv_column(tmp_path, "1|NA", options={"null_values": ",NA"}) == ("int64", [1, None])
    with pytest.raises(ConfigError, match=r"type.c: found 'text'"):
        csv_column(tmp_path, "1", options={"type.c": "text"})
    (tmp_path / "y.csv").write_bytes("n;c\n1;'é;'\n".encode("latin-1"))
    options = {"delimiter": ";", "quote_char": "'", "encoding": "latin-1"}
    assert read_rows(source_of(tmp_path, "y.csv", options=options)) == [{"n": 1, "c": "é;"}]


def test_csv_with_newlines_in_quotes_tabs_and_gzip(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text('a,b\n"two\nlines",1\n')
    (tmp_path / "x.tsv").write_text("a\tb\nx\t1\n")
    (tmp_path / "y.csv.gz").write_bytes(gzip.compress(b"a,b\nx,1\n"))
    assert read_rows(source_of(tmp_path, "x.csv")) == [{"a": "two\nlines", "b": 1}]
    assert read_rows(source_of(tmp_path, "x.tsv")) == read_rows(source_of(tmp_path, "y.csv.gz")) == [{"a": "x", "b": 1}]


@pytest.mark.parametrize(
    ("lines", "type_", "values"),
    [
        (["1", "2"], "int64", [1, 2]),
        (["1", "2.5"], "double", [1.0, 2.5]),
        (["null", "2"], "int64", [None, 2]),
        (["1", '"x"'], "string", ["1", "x"]),
        (["true", '"x"', "null"], "string", ["true", "x", None]),
        (["18446744073709551615", "7"], "string", ["18446744073709551615", "7"]),
        (["[1, 2]", "[2.5]", "[]", "null"], "list<item: double>", [[1.0, 2.0], [2.5], [], None]),
        (["[1]", '["a"]'], "list<item: string>", [["1"], ["a"]]),
        (['{"k": 1}', '{"l": 2}'], "struct<k: int64, l: int64>", [{"k": 1, "l": None}, {"k": None, "l": 2}]),
        (['"2026-01-01T10:00:00Z"'], "string", ["2026-01-01T10:00:00Z"]),
        (["1", '{"k": 1}'], "string", ["1", '{"k": 1}']),
    ],
)
@pytest.mark.parametrize("chunk_bytes", [16, 1 << 22])
def test_jsonl(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str], type_: str, values: list[Any], chunk_bytes: int
) -> None:
    monkeypatch.setattr(jsonl_source, "CHUNK_BYTES", chunk_bytes)
    (tmp_path / "x.jsonl").write_text("".join(f'{{"c": {line}}}\n\n' for line in lines))
    source = source_of(tmp_path, "x.jsonl")
    batches = list(source.batches(source.partitions()[0], ["c"]))
    assert {str(batch.schema.field("c").type) for batch in batches} == {type_}
    assert pa.Table.from_batches(batches).column("c").to_pylist() == values


def test_jsonl_gzip_and_missing_keys(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl.gz").write_bytes(gzip.compress(b'{"a": 1}\n{"b": "x"}'))
    assert read_rows(source_of(tmp_path, "x.jsonl.gz")) == [{"a": 1, "b": None}, {"a": None, "b": "x"}]
