"""The log as Parquet files, for a recommender that has pyarrow.

Arrays are made from their bytes: ``pyarrow.array`` would load pandas into the recommender if it is installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from recsysops.serving.log_columns import Column, Flags
from recsysops.serving.log_rows import Batch
from recsysops.serving.log_schema import Kind


class ParquetFormat:
    """Columns as typed by the schema; text as dictionaries, zstd.

    Raises:
        ImportError: if pyarrow is not installed.
    """

    suffix: ClassVar[str] = ".parquet"

    def __init__(self) -> None:
        # found at run time: a recommender without pyarrow must be able to import this file
        self._arrow = arrow = import_module("pyarrow")
        self._parquet = import_module("pyarrow.parquet")
        self._types: dict[Kind, Any] = {
            "time": arrow.timestamp("us", tz="UTC"),
            "number": arrow.float64(),
            "single": arrow.float32(),
            "integer": arrow.int64(),
            "flag": arrow.bool_(),
        }

    def encode(self, batch: Batch, kinds: dict[str, Kind]) -> Any:
        """An Arrow record batch."""
        arrays = []
        for name, kind in kinds.items():
            if name in batch.by_request:
                arrays.append(self._array(kind, batch.by_request[name], batch.request))
            else:
                arrays.append(self._array(kind, batch.by_candidate[name], None))
        return self._arrow.RecordBatch.from_arrays(arrays, list(kinds))

    def write(self, parts: Sequence[Any], path: Path) -> None:
        """One Parquet file."""
        table = self._arrow.Table.from_batches(parts).unify_dictionaries()
        self._parquet.write_table(table, path, compression="zstd")

    def _array(self, kind: Kind, column: Column, rows: npt.NDArray[np.int32] | None) -> Any:
        """An Arrow array of a column, of its entries at ``rows`` if given."""
        values, is_null = column
        if isinstance(values, list):
            return self._dictionary(values, rows)
        if rows is not None:
            values, is_null = values[rows], None if is_null is None else is_null[rows]
        return self._plain(self._types[kind], values, is_null)

    def _dictionary(self, texts: list[str | None], rows: npt.NDArray[np.int32] | None) -> Any:
        known: dict[str, int] = {}
        codes = np.array([-1 if text is None else known.setdefault(text, len(known)) for text in texts], np.int32)
        codes = codes if rows is None else codes[rows]
        content = [text.encode() for text in known]
        offsets = np.zeros(len(known) + 1, np.int32)
        np.cumsum([len(text) for text in content], out=offsets[1:])
        buffers = [None, self._arrow.py_buffer(offsets), self._arrow.py_buffer(b"".join(content))]
        dictionary = self._arrow.Array.from_buffers(self._arrow.string(), len(known), buffers)
        is_null = codes < 0
        indices = self._plain(self._arrow.int32(), np.maximum(codes, 0), is_null if is_null.any() else None)
        return self._arrow.DictionaryArray.from_arrays(indices, dictionary)

    def _plain(self, type_: Any, values: npt.NDArray[Any], is_null: Flags | None) -> Any:
        """An array over the values' own bytes; flags are packed into bits, as Arrow has them."""
        data = np.packbits(values, bitorder="little") if values.dtype == np.bool_ else np.ascontiguousarray(values)
        valid = None if is_null is None else self._arrow.py_buffer(np.packbits(~is_null, bitorder="little"))
        return self._arrow.Array.from_buffers(type_, len(values), [valid, self._arrow.py_buffer(data)])
