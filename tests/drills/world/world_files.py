"""Reads what the simulated service wrote, as anybody would who knows the workspace alone."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Frame = Any
"""A frame of pandas, whose stubs do not know what a column holds."""


def arrow(folder: Path, name: str, root: str = "logs") -> Any:
    """All rows of a table in the order of days; words are texts."""
    parts = [pq.ParquetFile(path).read() for path in sorted((folder / root / name).rglob("*.parquet"))]
    return pa.concat_tables([_texts(part) for part in parts])


def frame(folder: Path, name: str, root: str = "logs") -> Frame:
    """The same as a frame; NULL and NaN look alike."""
    return arrow(folder, name, root).to_pandas()


def digests(folder: Path) -> dict[str, str]:
    """Digest of every file."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _texts(part: Any) -> Any:
    fields = [
        pa.field(one.name, pa.string() if pa.types.is_dictionary(one.type) else one.type, one.nullable)
        for one in part.schema
    ]
    return part.cast(pa.schema(fields))
