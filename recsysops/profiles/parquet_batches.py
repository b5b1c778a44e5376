"""The fastest way from a plain Parquet file to Arrow batches."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from recsysops.errors import SourceError

BATCH_ROWS = 1 << 18


def parquet_batches(
    path: Path, columns: Sequence[str], as_dictionary: Collection[str] = ()
) -> Iterator[pa.RecordBatch]:
    """Rows of one local file, in batches of at most 262,144 rows, columns decoded side by side.

    A dotted name may bring the struct of that path along: ask for columns by name.

    Args:
        columns: names of top-level columns.
        as_dictionary: text columns to leave dictionary-encoded (others among them are read as they are).

    Raises:
        SourceError: if the file is damaged or cannot be read.
    """
    try:
        # Buffering ahead would hold the whole file; a memory map would count as ours.
        with pq.ParquetFile(path, read_dictionary=list(as_dictionary), memory_map=False, pre_buffer=False) as file:
            yield from file.iter_batches(BATCH_ROWS, columns=list(columns), use_threads=True)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(str(path), found=str(error).splitlines()[0], expected="a readable Parquet file") from error
