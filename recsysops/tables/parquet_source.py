"""Parquet files, read row group by row group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from recsysops.tables.file_source import FileSource
from recsysops.tables.formats import ENDINGS
from recsysops.tables.source import Partition

BATCH_ROWS = 65_536


class ParquetSource(FileSource):
    """Parquet files; strings arrive as dictionaries, which are cheapest to count."""

    format: ClassVar[str] = "parquet"
    suffixes: ClassVar[tuple[str, ...]] = ENDINGS["parquet"]

    def read_schema(self, path: Path) -> pa.Schema:
        """Columns from the footer alone, with the types of the file."""
        return pq.read_schema(path)

    def read_batches(self, path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Batches of up to 65,536 rows."""
        # never memory-mapped: a file truncated by its writer while it is mapped would kill the process
        with pq.ParquetFile(path) as file:
            schema, metadata = file.schema_arrow, file.metadata
        strings = [name for name in columns if _is_string(schema.field(name).type)]
        with pq.ParquetFile(path, metadata=metadata, read_dictionary=strings) as file:
            yield from file.iter_batches(BATCH_ROWS, columns=list(columns))

    def parquet_path(self, partition: Partition) -> Path | None:
        """The file itself."""
        return self.path(partition)


def _is_string(type_: pa.DataType) -> bool:
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_))
