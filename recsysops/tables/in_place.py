"""Partitions that DuckDB can read where they are: a plain Parquet file, and constants for columns it does not hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from recsysops.tables.contract import Kind
from recsysops.tables.file_source import is_hive
from recsysops.tables.identifiers import quote_identifier, quote_text
from recsysops.tables.parquet_sql import read_parquet_sql
from recsysops.tables.source import Partition
from recsysops.tables.table import Table

_NULLS: dict[Kind, str] = {
    "numeric": "NULL::DOUBLE",
    "categorical": "NULL::VARCHAR",
    "timestamp": "NULL::TIMESTAMPTZ",
    "boolean": "NULL::BOOLEAN",
}


@dataclass(frozen=True)
class InPlace:
    """A file, and the SQL of those wanted columns that are not simply columns of it."""

    path: Path
    expressions: dict[str, str]

    def select_sql(self, columns: Sequence[str]) -> str:
        """The columns in this order."""
        chosen = (
            f"{self.expressions[name]} AS {quote_identifier(name)}"
            if name in self.expressions
            else quote_identifier(name)
            for name in columns
        )
        return f"SELECT {', '.join(chosen)} FROM {read_parquet_sql([self.path])}"


def in_place(table: Table, partition: Partition, columns: Sequence[str]) -> InPlace | None:
    """How DuckDB can read these columns in canonical values by itself, or None where Arrow must convert them."""
    stored = table.source.schema(partition)
    values = dict(partition.values)
    constants: dict[str, str] = {}
    for name in columns:
        column = table.schema.column(name)
        kind = column.kind if column is not None else "other"
        if name in stored.names and not is_hive(stored, name):
            continue
        if name in stored.names and not (kind == "categorical" and values.get(name)):
            return None
        if kind not in _NULLS:
            return None
        constants[name] = f"{quote_text(values[name])}::VARCHAR" if name in stored.names else _NULLS[kind]
    path = table.parquet_path(partition, [name for name in columns if name not in constants])
    # DuckDB knows few functions of times in nanoseconds with a zone; digits beyond microseconds are cut off anyway
    zoned = {name for name in columns if name not in constants and _is_zoned_nanoseconds(stored.field(name).type)}
    casts = {name: f"CAST({quote_identifier(name)} AS TIMESTAMPTZ)" for name in zoned}
    return None if path is None else InPlace(path, constants | casts)


def _is_zoned_nanoseconds(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind) and kind.unit == "ns" and kind.tz is not None)
