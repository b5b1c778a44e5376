"""Copies of the streaming sample with rows of its log changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

SAMPLE = Path(__file__).parents[2] / "sample_logs" / "streaming"
FIRST = "2026-10-29"
"""The last three days are changed."""


def copy_of_sample(folder: Path) -> Path:
    """A workspace of its own."""
    shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__", ".recsysops"))
    return folder


def replace_columns(folder: Path, condition: str, **columns: str) -> None:
    """Rewrite the candidates of the last days: where the condition holds, columns get the value of an SQL expression."""
    changed = ", ".join(f"CASE WHEN {condition} THEN {sql} ELSE {name} END AS {name}" for name, sql in columns.items())
    _rewrite(folder, f"SELECT * REPLACE ({changed}) FROM before")


def keep_rows(folder: Path, condition: str) -> None:
    """Rewrite the candidates of the last days with only the rows where the condition holds."""
    _rewrite(folder, f"SELECT * FROM before WHERE {condition}")


def _rewrite(folder: Path, query: str) -> None:
    for file in sorted((folder / "logs" / "candidates").rglob("*.parquet")):
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            before = connection.read_parquet(str(file), hive_partitioning=False).to_arrow_table()
            connection.register("before", before)
            [(last,)] = connection.execute("SELECT strftime(max(ts), '%Y-%m-%d') FROM before").fetchall()
            if last >= FIRST:
                after = connection.sql(query).to_arrow_table().cast(before.schema)
                connection.from_arrow(after).write_parquet(str(file))
