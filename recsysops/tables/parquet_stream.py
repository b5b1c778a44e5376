"""Rows of one Parquet file of a lake table: the table's columns and types, whatever the file has of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import types

from recsysops.tables.kinds import is_text

BATCH_ROWS = 65_536


def parquet_rows(
    stream: pa.NativeFile, columns: Sequence[str], declared: pa.Schema, constants: Mapping[str, pa.Scalar]
) -> Iterator[pa.RecordBatch]:
    """Batches of up to 65,536 rows with exactly these columns in this order; texts as dictionaries.

    Args:
        stream: the file, opened.
        columns: to read; each is in ``declared``.
        declared: columns of the table. What an older file lacks is NULL, narrower numbers are widened.
        constants: columns that are the same in all rows and not read from the file.

    Raises:
        pa.ArrowException: if the file is damaged, or a value does not fit the declared type.
    """
    with pq.ParquetFile(stream) as file:
        schema, metadata = file.schema_arrow, file.metadata
    stored = [name for name in dict.fromkeys(columns) if name in schema.names and name not in constants]
    texts = [name for name in stored if is_text(schema.field(name).type)]
    stream.seek(0)
    with pq.ParquetFile(stream, metadata=metadata, read_dictionary=texts) as file:
        # without columns there are no batches: some column is read, to count its rows
        for batch in file.iter_batches(BATCH_ROWS, columns=stored or schema.names[:1]):
            arrays = [_array(batch, name, declared.field(name).type, constants) for name in columns]
            yield pa.RecordBatch.from_arrays(arrays, names=list(columns))


def _array(batch: pa.RecordBatch, name: str, type_: pa.DataType, constants: Mapping[str, pa.Scalar]) -> pa.Array:
    if name in constants:
        return pa.repeat(constants[name], batch.num_rows)
    if name not in batch.schema.names:
        return pa.nulls(batch.num_rows, type_)
    values = batch.column(name)
    is_same = values.type == type_ or (types.is_dictionary(values.type) and is_text(type_))
    # times keep their own unit: digits that the table's unit lacks would make them unreadable
    return values if is_same or types.is_timestamp(values.type) else values.cast(type_)
