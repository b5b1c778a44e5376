"""The log as JSON lines, for a recommender that has nothing but the standard library and numpy."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from recsysops.serving.log_columns import Column
from recsysops.serving.log_rows import Batch
from recsysops.serving.log_schema import Kind
from recsysops.serving.sampler import EPOCH


class JsonLinesFormat:
    """One object a row. ``null`` is NULL, and NaN is written ``NaN``, as Python, Arrow and DuckDB write and read it."""

    suffix: ClassVar[str] = ".jsonl"

    def encode(self, batch: Batch, kinds: dict[str, Kind]) -> bytes:
        """The lines of the batch."""
        rows = batch.request.tolist()
        columns = []
        for name, kind in kinds.items():
            if name in batch.by_request:
                held = _plain(kind, batch.by_request[name])
                columns.append([held[row] for row in rows])
            else:
                columns.append(_plain(kind, batch.by_candidate[name]))
        lines = [
            json.dumps(dict(zip(kinds, row, strict=True)), ensure_ascii=False) for row in zip(*columns, strict=True)
        ]
        return "".join(line + "\n" for line in lines).encode()

    def write(self, parts: Sequence[bytes], path: Path) -> None:
        """One file of lines."""
        with path.open("wb") as stream:
            stream.writelines(parts)


def _plain(kind: Kind, column: Column) -> list[Any]:
    """A column's entries as JSON has them."""
    values, is_null = column
    listed: list[Any] = values.tolist() if isinstance(values, np.ndarray) else list(values)
    if kind == "time":
        listed = [(EPOCH + timedelta(microseconds=value)).isoformat() for value in listed]
    if is_null is not None:
        listed = [None if missing else value for value, missing in zip(listed, is_null.tolist(), strict=True)]
    return listed
