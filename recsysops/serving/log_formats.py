"""What a log file is: Parquet where pyarrow is installed, JSON lines otherwise. Both hold the same."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Protocol

from recsysops.serving.json_lines_format import JsonLinesFormat
from recsysops.serving.log_rows import Batch
from recsysops.serving.log_schema import Kind
from recsysops.serving.parquet_format import ParquetFormat


class LogFormat(Protocol):
    """How batches become a file: each is encoded soon, by itself, and a file is written of many."""

    suffix: ClassVar[str]

    def encode(self, batch: Batch, kinds: dict[str, Kind]) -> Any:
        """The batch in a compact form, its columns in the order of ``kinds``; raises for text that is not Unicode."""

    def write(self, parts: Sequence[Any], path: Path) -> None:
        """All encoded batches as one file."""


def find_format(name: str | None = None) -> LogFormat:
    """The format of a name, ``parquet`` or ``jsonl``; None: Parquet if pyarrow is installed.

    Raises:
        ValueError: for another name.
        ImportError: if Parquet is asked for and pyarrow is not installed.
    """
    if name not in (None, "parquet", "jsonl"):
        raise ValueError(f"log format: found {name!r}, expected parquet or jsonl")
    if name is None:
        name = "jsonl" if find_spec("pyarrow") is None else "parquet"
    return ParquetFormat() if name == "parquet" else JsonLinesFormat()
