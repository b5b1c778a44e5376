"""How the built-in formats are recognised: by the ending of a file's name, else by its first bytes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ENDINGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "parquet": (".parquet", ".parq", ".pq"),
        "csv": (".csv", ".tsv", ".csv.gz", ".tsv.gz"),
        "jsonl": (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz"),
        "arrow": (".arrow", ".feather", ".arrows", ".ipc"),
        "duckdb": (".duckdb", ".ddb"),
        "sqlite": (".sqlite", ".sqlite3", ".db3"),
    }
)

MAGIC: tuple[tuple[str, int, bytes], ...] = (
    ("parquet", 0, b"PAR1"),
    ("arrow", 0, b"ARROW1"),
    ("arrow", 0, b"\xff\xff\xff\xff"),
    ("sqlite", 0, b"SQLite format 3\x00"),
    ("duckdb", 8, b"DUCK"),
    ("jsonl", 0, b"{"),
)
"""(format, offset, bytes)."""
