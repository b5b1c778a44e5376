"""Which columns and types the partitions of a source have, together and apart."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pyarrow as pa

from recsysops.errors import SchemaError
from recsysops.tables.slates import INDEX_COLUMN, is_list
from recsysops.tables.source import Source


@dataclass(frozen=True)
class Observed:
    """For each column, in order of first appearance, its types and for each of them the first partition that has it."""

    columns: Mapping[str, Mapping[pa.DataType, str]]

    def types(self, column: str) -> tuple[pa.DataType, ...]:
        """The types of a column, in order of first appearance."""
        return tuple(self.columns[column])

    def describe(self, column: str) -> str:
        """For messages: ``int64 in logs/1.parquet, string in logs/2.parquet``."""
        return ", ".join(f"{type_} in {key}" for type_, key in self.columns[column].items())


def observe(table: str, source: Source, unnested: Collection[str]) -> Observed:
    """Read the schema of every partition (of a file the footer or first block only).

    Unnested columns have the type of their entries, and ``_index`` is added to them.

    Raises:
        SourceError: if a partition cannot be read.
        SchemaError: if a column that is to be unnested holds no arrays.
    """
    columns: dict[str, dict[pa.DataType, str]] = {}
    for partition in source.partitions():
        for field in source.schema(partition):
            type_ = field.type
            if field.name in unnested:
                type_ = _entry_type(f"{table}.{field.name} in {partition.key}", type_)
            columns.setdefault(field.name, {}).setdefault(type_, partition.key)
    if unnested:
        columns[INDEX_COLUMN] = {pa.int64(): "the order of the arrays"}
    return Observed(columns)


def _entry_type(where: str, type_: pa.DataType) -> pa.DataType:
    if is_list(type_):
        return type_.value_type
    if pa.types.is_null(type_):
        return type_
    raise SchemaError(
        where, found=f"{type_} values", expected="an array per row", next_step="take the column out of unnest"
    )
