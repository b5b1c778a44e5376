"""What is broken is refused in one line that names the file, what was found and what to do next; never a traceback."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from table_files import WRITERS, read_rows, source_of, write_csv, write_duckdb, write_parquet, write_sqlite

from recsysops.errors import ConfigError, PluginError, RecSysOpsError, SchemaError, SourceError

TABLE = pa.table({"id": list(range(1000)), "score": [0.5] * 1000})


def truncated(write: Callable[[Path, pa.Table], None]) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        write(path, TABLE)
        path.write_bytes(path.read_bytes()[:-200])

    return make


def content(data: bytes) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.write_bytes(data)

    return make


BAD_FILES: dict[str, tuple[str, Callable[[Path], None], str]] = {
    **{
        f"empty {name}": (f"x{suffix}", content(b""), "empty file|without tables|not a valid DuckDB")
        for name, (suffix, _) in WRITERS.items()
    },
    "truncated parquet": ("x.parquet", truncated(write_parquet), "complete parquet file; export the file again"),
    "text named parquet": ("x.parquet", content(b"id,score\n1,2\n"), "magic bytes"),
    "truncated arrow": ("x.arrow", truncated(WRITERS["arrow"][1]), "complete arrow file"),
    "truncated arrow stream": ("x.arrows", truncated(WRITERS["arrow stream"][1]), "complete arrow file"),
    "text named duckdb": ("x.duckdb", content(b"junk" * 100), "expected a DuckDB database"),
    "text named sqlite": ("x.sqlite", content(b"junk" * 100), "expected a SQLite database"),
    "csv with a short row": ("x.csv", content(b"a,b,c\n1,2,3\n4,5\n"), "line 3: found 2 columns .* expected 3 columns"),
    "csv with a long row": ("x.csv", content(b"a,b\n1,2\n4,5,6\n"), "line 3: found 3 columns .* expected 2 columns"),
    "csv not in utf-8": ("x.csv", content(b"a,b\n\xff\xfe,2\n"), "not UTF-8 text.*option encoding"),
    "csv with a column twice": ("x.csv", content(b"a,a\n1,2\n"), "column 'a' twice"),
    "jsonl with a broken line": ("x.jsonl", content(b'{"a": 1}\n{"a": \n'), "line 2: found JSONDecodeError"),
    "jsonl that is a list": ("x.jsonl", content(b"[1, 2]\n"), "line 1: found a JSON list"),
    "jsonl nested too deep": ("x.jsonl", content(b'{"a":' + b"[" * 100_000), "line 1: found"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_broken_file_is_named(tmp_path: Path, case: str) -> None:
    name, make, message = BAD_FILES[case]
    make(tmp_path / name)
    with pytest.raises((SourceError, SchemaError), match=message) as caught:
        read_rows(source_of(tmp_path, name))
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_broken_row_after_many_good_ones_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n" + "1,2\n" * 2_000_000 + "3\n")
    with pytest.raises(SourceError, match="line 2000002: found 1 columns"):
        read_rows(source_of(tmp_path, "x.csv"))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nope.parquet", "no such file"),
        ("logs/2026/*.csv", r"nearest folder that exists is .*logs, with 1 visible entries"),
        ("logs", "found logs/notes.txt, of no known format"),
    ],
)
def test_nothing_to_read(tmp_path: Path, path: str, message: str) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "notes.txt").write_text("hello")
    with pytest.raises(SourceError, match=message):
        source_of(tmp_path, path)


def test_several_formats_are_not_guessed_between(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", TABLE)
    write_parquet(tmp_path / "b.parquet", TABLE)
    with pytest.raises(SourceError, match=r"csv \(a.csv\), parquet \(b.parquet\).*set source.format"):
        source_of(tmp_path, ".")
    assert len(read_rows(source_of(tmp_path, ".", format="csv"))) == 1000


def test_the_format_is_known_by_first_bytes_where_the_name_does_not_say(tmp_path: Path) -> None:
    for name, (_, write) in WRITERS.items():
        if name != "csv":
            write(tmp_path / name.replace(" ", "_"), TABLE)
            assert len(read_rows(source_of(tmp_path, name.replace(" ", "_")))) == 1000


def test_a_folder_of_parts_without_endings(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    write_parquet(tmp_path / "logs" / "part-00000", TABLE)
    (tmp_path / "logs" / "_SUCCESS").touch()
    assert len(read_rows(source_of(tmp_path, "logs"))) == 1000


def test_unknown_formats_options_and_tables_name_the_nearest(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", TABLE)
    write_sqlite(tmp_path / "a.sqlite", TABLE)
    write_duckdb(tmp_path / "a.duckdb", TABLE)
    with pytest.raises(PluginError, match="did you mean parquet"):
        source_of(tmp_path, "a.csv", format="parqet")
    with pytest.raises(ConfigError, match="option 'delimeter'"):
        source_of(tmp_path, "a.csv", options={"delimeter": ";"})
    for name in ("a.sqlite", "a.duckdb"):
        with pytest.raises(SourceError, match="did you mean 'logs'"):
            read_rows(source_of(tmp_path, name, table="lgos"))


def test_a_value_that_is_not_of_its_declared_type_is_shown(tmp_path: Path) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(tmp_path / "x.sqlite")) as connection:
        connection.execute("CREATE TABLE logs (id INTEGER)")
        connection.executemany("INSERT INTO logs VALUES (?)", [(1,), ("two",)])
        connection.commit()
    with pytest.raises(SourceError, match=r"x.sqlite column 'id'.*two.*expected values of type int64"):
        read_rows(source_of(tmp_path, "x.sqlite"))


def test_loops_of_links_end_and_dangling_links_are_left_out(tmp_path: Path) -> None:
    logs = tmp_path / "logs" / "day=1"
    logs.mkdir(parents=True)
    write_parquet(logs / "x.parquet", TABLE)
    (logs / "loop").symlink_to(tmp_path / "logs", target_is_directory=True)
    (logs / "self").symlink_to("self")
    (logs / "gone.parquet").symlink_to("nowhere.parquet")
    for pattern in ("logs", "logs/**", "logs/**/*.parquet", "logs/*"):
        assert [partition.key for partition in source_of(tmp_path, pattern).partitions()] == ["logs/day=1/x.parquet"]


def test_an_unreadable_folder_is_named(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("permissions do not apply to root")
    (tmp_path / "logs").mkdir(mode=0o000)
    with pytest.raises(SourceError, match="permission denied"):
        source_of(tmp_path, "logs")


def test_a_refused_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_parquet(tmp_path / "x.parquet", TABLE)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    source = source_of(tmp_path, "x.parquet")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(SourceError, match=r"x.parquet: found permission denied.*check the path"):
        source.partitions()


def test_a_file_that_vanishes_between_listing_and_reading(tmp_path: Path) -> None:
    for name, (suffix, write) in WRITERS.items():
        path = tmp_path / f"x{suffix}"
        write(path, TABLE)
        source = source_of(tmp_path, path.name)
        [partition] = source.partitions()
        path.unlink()
        with pytest.raises(RecSysOpsError, match=path.name):
            source.schema(partition)
        assert name


def test_names_with_glob_characters_that_exist_are_meant_literally(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a[1].parquet", TABLE)
    write_parquet(tmp_path / "a1.parquet", TABLE)
    assert [p.key for p in source_of(tmp_path, "a[1].parquet").partitions()] == ["a[1].parquet"]


def test_ids_and_huge_cells_pass_unharmed(tmp_path: Path) -> None:
    rows = pa.table({"id": ["'; DROP TABLE logs; --", "\x1b[31m[red]", "x" * 1_000_000]})
    for suffix, write in WRITERS.values():
        write(tmp_path / f"x{suffix}", rows)
        assert read_rows(source_of(tmp_path, f"x{suffix}")) == rows.to_pylist()
