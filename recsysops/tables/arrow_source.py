"""Arrow IPC: files (Feather version 2) and streams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from recsysops.tables.file_source import FileSource
from recsysops.tables.formats import ENDINGS

FILE_MAGIC = b"ARROW1"


class ArrowSource(FileSource):
    """Arrow IPC files and streams, told apart by their first bytes."""

    format: ClassVar[str] = "arrow"
    suffixes: ClassVar[tuple[str, ...]] = ENDINGS["arrow"]

    def read_schema(self, path: Path) -> pa.Schema:
        """Columns from the header or footer."""
        with pa.OSFile(str(path)) as stream:
            return _reader(stream).schema

    def read_batches(self, path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The batches as they were written."""
        with pa.OSFile(str(path)) as stream:
            reader = _reader(stream)
            if isinstance(reader, pa.RecordBatchFileReader):
                for index in range(reader.num_record_batches):
                    yield reader.get_batch(index).select(list(columns))
            else:
                for batch in reader:
                    yield batch.select(list(columns))


def _reader(stream: pa.NativeFile) -> pa.RecordBatchFileReader | pa.RecordBatchStreamReader:
    is_file = stream.read(len(FILE_MAGIC)) == FILE_MAGIC
    stream.seek(0)
    return pa.ipc.open_file(stream) if is_file else pa.ipc.open_stream(stream)
