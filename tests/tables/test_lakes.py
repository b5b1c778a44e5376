"""What lakes promise beyond the contract: appends cost their own files, deletes are heeded, nothing of theirs is run."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lake_tables import LAKES, closing_catalog, lake, write_delta, write_iceberg
from table_files import read_rows, source_of

from recsysops.errors import ConfigError, PluginError, SchemaError, SourceError
from recsysops.tables import extras

ROWS = pa.table({"id": [1, 2, 3], "market": ["NO", None, "SE"]})
MORE = pa.table({"id": [4], "market": ["DK"]})


def append(root: Path, name: str, table: pa.Table) -> None:
    if name == "delta":
        from deltalake import write_deltalake

        write_deltalake(str(root / "logs"), table, mode="append", schema_mode="merge")
        return
    with closing_catalog(root) as catalog:
        found = catalog.load_table("logs.candidates")
        with found.update_schema() as update:
            update.union_by_name(table.schema)
        found.append(table)


@pytest.mark.parametrize("name", ["delta", "iceberg"])
def test_an_append_leaves_the_other_files_as_they_were(tmp_path: Path, name: str) -> None:
    lake(name).write(tmp_path, ROWS)
    source = LAKES[name].open(tmp_path)
    before = source.partitions()
    append(tmp_path, name, MORE)
    after = source.partitions()
    assert len(after) == len(before) + 1
    assert set(before) < set(after)
    assert sorted(row["id"] for row in read_rows(source)) == [1, 2, 3, 4]


@pytest.mark.parametrize("name", ["delta", "iceberg"])
def test_a_column_that_came_later_is_null_in_older_files(tmp_path: Path, name: str) -> None:
    lake(name).write(tmp_path, ROWS)
    append(tmp_path, name, MORE.append_column("score", pa.array([0.5])))
    source = LAKES[name].open(tmp_path)
    assert sorted((row["id"], row["score"]) for row in read_rows(source, ["id", "score"])) == [
        (1, None),
        (2, None),
        (3, None),
        (4, 0.5),
    ]
    plain = [source.parquet_path(one) for one in source.partitions()]
    assert sum(path is not None for path in plain) == 1, "only the new file has all columns of the table"


@pytest.mark.parametrize("name", ["delta", "iceberg", "object store"])
def test_what_another_process_listed_can_be_read(tmp_path: Path, name: str) -> None:
    """A cluster's worker opens the source anew and is told the partition."""
    lake(name).write(tmp_path, ROWS)
    [partition] = LAKES[name].open(tmp_path).partitions()
    [batch] = LAKES[name].open(tmp_path).batches(partition, ["id"])
    assert batch.to_pydict() == {"id": [1, 2, 3]}


@pytest.mark.parametrize("name", ["delta", "iceberg"])
def test_a_file_that_is_gone_is_named(tmp_path: Path, name: str) -> None:
    lake(name).write(tmp_path, ROWS)
    [partition] = LAKES[name].open(tmp_path).partitions()
    lake(name).write(tmp_path, MORE)
    with pytest.raises(SourceError, match=r"a file that the table no longer has.*run again"):
        list(LAKES[name].open(tmp_path).batches(partition, ["id"]))


def test_delta_partition_columns_have_their_types_and_are_not_in_the_files(tmp_path: Path) -> None:
    pytest.importorskip("deltalake")
    from deltalake import write_deltalake

    table = ROWS.append_column("day", pa.array([date(2026, 1, 2), date(2026, 1, 2), None], pa.date32()))
    write_deltalake(str(tmp_path / "logs"), table, partition_by=["day", "market"])
    source = source_of(tmp_path, "logs")  # recognised by its log
    rows = read_rows(source, ["day", "id", "market"])
    assert sorted(rows, key=lambda row: row["id"]) == table.select(["day", "id", "market"]).to_pylist()
    values = {one.values for one in source.partitions()}
    assert (("day", "2026-01-02"), ("market", "NO")) in values
    assert (("day", ""), ("market", "SE")) in values


def test_a_delta_table_that_needs_more_than_we_know_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("deltalake")
    write_delta(tmp_path, ROWS)
    log = sorted((tmp_path / "logs" / "_delta_log").glob("*.json"))[-1]
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    features = {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["deletionVectors"]}
    protocol = {"protocol": {**features, "writerFeatures": ["deletionVectors"]}}
    kept = [protocol, *(line for line in lines if "protocol" not in line)]
    log.write_text("".join(json.dumps(line) + "\n" for line in kept))
    with pytest.raises(SourceError, match="a Delta table with deletionVectors, expected a table without them"):
        source_of(tmp_path, "logs").partitions()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"path": "nothing", "format": "delta"}, "expected a Delta table"),
        ({"path": "sqlite:///no.db", "format": "iceberg", "table": "a.b"}, "expected an Iceberg table"),
        ({"path": "file:///nowhere/logs/*.parquet"}, "found no Parquet file, expected at least one"),
        ({"path": "s3://no such bucket/x"}, "expected Parquet files that can be read"),
    ],
)
def test_no_table_is_one_line(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    if settings.get("format"):
        pytest.importorskip({"delta": "deltalake", "iceberg": "pyiceberg"}[settings["format"]])
    with pytest.raises(SourceError, match=message) as caught:
        source_of(tmp_path, **settings).partitions()
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir()), "looking for a table makes none"


def test_a_damaged_file_of_a_lake_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("deltalake")
    write_delta(tmp_path, ROWS)
    [file] = (tmp_path / "logs").glob("*.parquet")
    file.write_bytes(b"junk" * 100)
    source = source_of(tmp_path, "logs")
    with pytest.raises(SourceError, match="expected a Delta table; check"):
        list(source.batches(source.partitions()[0], ["id"]))


def test_iceberg_deletes_are_heeded_and_renamed_columns_found(tmp_path: Path) -> None:
    """Two columns that swapped their names since the file was written must not be taken by name."""
    pytest.importorskip("pyiceberg")
    write_iceberg(tmp_path, pa.table({"a": [1, 2, 3], "b": [10, 20, 30]}))
    source = LAKES["iceberg"].open(tmp_path)
    before = source.partitions()
    with closing_catalog(tmp_path) as catalog:
        table = catalog.load_table("logs.candidates")
        for old, new in (("a", "was a"), ("b", "a"), ("was a", "b")):
            with table.update_schema() as update:
                update.rename_column(old, new)
    [partition] = source.partitions()
    assert source.parquet_path(partition) is None
    assert read_rows(source, ["a", "b"]) == [{"a": 10, "b": 1}, {"a": 20, "b": 2}, {"a": 30, "b": 3}]
    with closing_catalog(tmp_path) as catalog:
        catalog.load_table("logs.candidates").delete("b = 2")
    assert set(source.partitions()).isdisjoint(before)
    assert read_rows(source, ["a", "b"]) == [{"a": 10, "b": 1}, {"a": 30, "b": 3}]


def test_nothing_that_an_iceberg_table_names_is_loaded(tmp_path: Path) -> None:
    pytest.importorskip("pyiceberg")
    write_iceberg(tmp_path, ROWS)
    metadata = sorted((tmp_path / "warehouse").rglob("*.metadata.json"))[-1]
    document = json.loads(metadata.read_text())
    document["properties"] = {"py-io-impl": "no_such_module.FileIO"}
    metadata.write_text(json.dumps(document))
    assert len(read_rows(LAKES["iceberg"].open(tmp_path))) == 3
    settings = {"format": "iceberg", "table": "logs.candidates", "options": document["properties"]}
    with pytest.raises(ConfigError, match="found 'py-io-impl', expected no option that names code"):
        source_of(tmp_path, "sqlite:///catalog.db", **settings)


def test_a_glob_of_an_object_store_is_that_of_files(tmp_path: Path) -> None:
    for name in ("day=1/a.parquet", "day=1/b.pq", "day=2/deep/c.parquet", "day=2/_temporary/d.parquet", "notes.txt"):
        (tmp_path / "logs" / name).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(ROWS, tmp_path / "logs" / name)
    found = {}
    for pattern in ("logs", "logs/**/*.parquet", "logs/*/*.parquet", "logs/day=1/*", "logs/**", "logs/day=1/a.parquet"):
        url = f"file://{tmp_path}/{pattern}"
        found[pattern] = [
            one.key.removeprefix(f"file://{tmp_path}/logs/") for one in source_of(tmp_path, url).partitions()
        ]
        local = source_of(tmp_path, pattern.removesuffix("/**"), format="parquet").partitions()
        if pattern != "logs/**":
            assert found[pattern] == [one.key.removeprefix("logs/") for one in local], pattern
    assert found["logs/**"] == [*found["logs"], "notes.txt"]
    source = source_of(tmp_path, f"file://{tmp_path}/logs/day=1/*")
    assert {row["day"] for row in read_rows(source)} == {"1"}


@pytest.mark.parametrize(
    ("settings", "module", "extra"),
    [
        ({"path": "logs", "format": "delta"}, "deltalake", "delta"),
        ({"path": "x", "format": "iceberg", "table": "a.b"}, "pyiceberg", "iceberg"),
    ],
)
def test_a_missing_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], module: str, extra: str
) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(extras, "import_module", absent)
    with pytest.raises(
        PluginError, match=rf"found no {module}, expected the extra '{extra}'; pip install 'recsysops\[{extra}\]'"
    ):
        source_of(tmp_path, **settings)


def test_other_formats_of_an_object_store_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"found a URL, expected a local file.*parquet, delta, iceberg or database"):
        source_of(tmp_path, "s3://bucket/logs/*.csv", format="csv").partitions()
    pq.write_table(ROWS, tmp_path / "x.parquet")
    source = source_of(tmp_path, f"file://{tmp_path}/x.parquet")
    with pytest.raises(SchemaError, match="did you mean 'market'"):
        list(source.batches(source.partitions()[0], ["markt"]))
