"""A bounded look into a source: the newest partitions first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from recsysops.errors import SchemaError, SourceError
from recsysops.inspection.column_facts import column_facts
from recsysops.inspection.values import Found, TableSample
from recsysops.tables.open_source import open_source
from recsysops.tables.source import Partition, Source

MAX_ROWS = 200_000
MAX_CELLS = 20_000_000
MAX_PARTITIONS = 16


def sample_source(found: Found, root: Path, max_rows: int = MAX_ROWS) -> TableSample:
    """Facts of every column from at most ``max_rows`` rows; fewer where there are very many columns.

    Columns are those of the newest readable partition; older ones add rows to the columns they share.

    Raises:
        SourceError: if no partition can be read.
    """
    source = open_source(found.settings, root)
    partitions = source.partitions()[::-1][:MAX_PARTITIONS]
    if not partitions:
        raise SourceError(found.label, found="nothing to read", expected="at least one file")
    schema = source.schema(partitions[0])
    delimiter = _other_delimiter(found, schema)
    if delimiter:
        return sample_source(replace(found, delimiter=delimiter), root, max_rows)
    n_rows = max(1000, min(max_rows, MAX_CELLS // max(1, len(schema.names))))
    sample = _read(source, partitions, schema, n_rows)
    facts = tuple(column_facts(name, sample.column(name)) for name in schema.names)
    return TableSample(found, sample.num_rows, facts)


def _other_delimiter(found: Found, schema: pa.Schema) -> str:
    """What separates the columns of a CSV file whose header has no comma ("" when it is read rightly)."""
    if found.format != "csv" or found.delimiter or len(schema.names) != 1:
        return ""
    return next((each for each in (";", "\t", "|") if each in schema.names[0]), "")


def _read(source: Source, partitions: tuple[Partition, ...], schema: pa.Schema, n_rows: int) -> pa.Table:
    tables: list[pa.Table] = []
    for partition in partitions:
        room = n_rows - sum(table.num_rows for table in tables)
        if room <= 0:
            break
        if source.schema(partition).equals(schema):
            batches = list(_head(source, partition, schema.names, room))
            if batches:
                tables.append(_plain(pa.Table.from_batches(batches)))
    if not tables:
        return schema.empty_table()
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowInvalid as error:
        raise SchemaError(partitions[0].key, found=f"files that do not fit together: {error}") from error


def _head(source: Source, partition: Partition, columns: list[str], n_rows: int) -> Iterator[pa.RecordBatch]:
    for batch in source.batches(partition, columns):
        yield batch.slice(0, n_rows)
        n_rows -= batch.num_rows
        if n_rows <= 0:
            return


def _plain(table: pa.Table) -> pa.Table:
    """Dictionaries written out, so that tables of different partitions fit together."""
    columns = [
        column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        for column in table.columns
    ]
    return pa.table(dict(zip(table.column_names, columns, strict=True)))
