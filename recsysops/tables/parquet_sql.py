"""Parquet files in SQL text, where paths cannot be bound."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def read_parquet_sql(paths: Iterable[Path]) -> str:
    """A table function over exactly these files, columns matched by name; quotes are doubled, glob characters escaped.

    Example:
        >>> read_parquet_sql([Path("it's [1].parquet")])
        "read_parquet(['it''s [[]1].parquet'], union_by_name = true, hive_partitioning = false)"
    """
    files = ", ".join(_literal(str(path)) for path in paths)
    return f"read_parquet([{files}], union_by_name = true, hive_partitioning = false)"


def _literal(path: str) -> str:
    escaped = "".join(f"[{character}]" if character in "*?[" else character for character in path)
    return "'" + escaped.replace("'", "''") + "'"
