"""A table of the workspace: a source bound to the contract, read in canonical values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from recsysops.config.settings import TableSettings
from recsysops.errors import SchemaError
from recsysops.tables.canonical import Canonical
from recsysops.tables.contract import ID, TableContract
from recsysops.tables.file_source import MAX_BATCH_ROWS, is_hive
from recsysops.tables.kinds import common_kind, null_type
from recsysops.tables.nearest import did_you_mean
from recsysops.tables.schema import TableSchema
from recsysops.tables.slates import INDEX_COLUMN, UnequalLengthsError, is_list, unnest
from recsysops.tables.source import Partition, Source
from recsysops.tables.views.contracts import CONTRACTS

BINDING_VERSION = 1
"""Raised when the same rows would be read as other values than before."""


@dataclass(frozen=True)
class Table:
    """A table with its columns' roles and kinds; ``where`` are equality filters, ``timezone`` that of times without one."""

    name: str
    settings: TableSettings
    source: Source
    schema: TableSchema
    timezone: str
    where: tuple[tuple[str, str], ...] = ()

    @property
    def contract(self) -> TableContract:
        """What the contract says of the table."""
        return CONTRACTS[self.name]

    @property
    def binding(self) -> str:
        """A digest of everything in the settings that changes the meaning of counts.

        Kinds that were inferred are not part of it: a new column or a wider type must not make history unreadable.
        """
        stated = {
            name: [column.kind, column.default, column.mask] for name, column in sorted(self.settings.columns.items())
        }
        roles = sorted(self.settings.roles.items())
        parts = [BINDING_VERSION, self.name, roles, stated, self.timezone, self.settings.unnest, self.where]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:20]

    def filtered(self, column: str, value: str) -> Table:
        """The same table with only the rows where ``column`` (a name in the logs, or a role), as text, is ``value``.

        Raises:
            SchemaError: if there is no such column.
        """
        found = self.schema.column(column) or self.schema.role(column)
        if found is None:
            names = [column.name for column in self.schema.columns]
            advice = did_you_mean(column, names, "`recsysops check` lists the columns")
            raise SchemaError(self.name, found=f"no column {column!r}", expected="a column", next_step=advice)
        return replace(self, where=(*self.where, (found.name, value)))

    def partitions(self) -> tuple[Partition, ...]:
        """The partitions that are there now."""
        return self.source.partitions()

    def batches(self, partition: Partition, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Rows with exactly these columns in this order, in canonical values, in batches of bounded size.

        A column that the partition does not have is NULL. All batches of a partition have one schema. Slate-shaped
        rows are unnested.

        Raises:
            SchemaError: if the table has no such column, a value does not fit its kind, or arrays differ in length.
            SourceError: if the partition cannot be read.
        """
        plans = {name: self._plan(name) for name in (*columns, *(name for name, _ in self.where))}
        own = set(self.source.schema(partition).names)
        for batch in self._unnested(partition, self._to_read(plans, own), own):
            converted = {name: self._convert(batch, name, plan, partition) for name, plan in plans.items()}
            yield _keep(pa.RecordBatch.from_pydict(converted), self.where).select(list(columns))

    def parquet_path(self, partition: Partition, columns: Collection[str] | None = None) -> Path | None:
        """The Parquet file, when these columns (None: all) can be read from it as they are: nothing to unnest, filter,
        convert, fill in or take from the path."""
        path = self.source.parquet_path(partition)
        if path is None or self.settings.unnest or self.where:
            return None
        stored = self.source.schema(partition)
        for name in [column.name for column in self.schema.columns] if columns is None else columns:
            if name not in stored.names or is_hive(stored, name):
                return None
            if not self._plan(name).is_native(stored.field(name).type):
                return None
        return path

    def arrow_schema(self, partition: Partition, columns: Sequence[str]) -> pa.Schema:
        """Names and types of what ``batches`` yields."""
        stored = {field.name: field.type for field in self.source.schema(partition)} | {INDEX_COLUMN: pa.int64()}
        fields = []
        for name in columns:
            type_ = stored.get(name, pa.null())
            entry = type_.value_type if name in self.settings.unnest and is_list(type_) else type_
            fields.append(pa.field(name, self._plan(name).convert(pa.array([], self._readable(name, entry))).type))
        return pa.schema(fields)

    def _plan(self, name: str) -> Canonical:
        column = self.schema.column(name)
        if column is None:
            advice = did_you_mean(name, [column.name for column in self.schema.columns], "correct the name")
            raise SchemaError(self.name, found=f"no column {name!r}", expected="a column", next_step=advice)
        role = self.contract.role(column.role) if column.role else None
        return Canonical(column.kind, role is not None and role.kinds == ID, self.timezone)

    def _readable(self, name: str, type_: pa.DataType) -> pa.DataType:
        """The type itself, or that of NULL where a partition holds another kind than the column's, which nobody stated."""
        stated = self.settings.columns.get(name)
        if stated is not None and stated.kind is not None:
            return type_
        kind = self._plan(name).kind
        return type_ if kind == "timestamp" or common_kind([type_, null_type(kind)]) == kind else pa.null()

    def _to_read(self, plans: Collection[str], own: set[str]) -> list[str]:
        """Columns to ask the source for: what is wanted and there; what unnesting needs; at least one, to count rows."""
        names = [name for name in plans if name in own]
        if self.settings.unnest:
            request = self.settings.roles.get("request_id", "")
            names += [name for name in (self._anchor(own), request) if name in own and name not in names]
        return names or sorted(own)[:1]

    def _anchor(self, own: set[str]) -> str:
        """The array that says how many candidates a request has: the items where they are arrays."""
        item = self.settings.roles.get("item_id", "")
        arrays = [name for name in self.settings.unnest if name in own]
        return item if item in arrays else next(iter(arrays), "")

    def _unnested(self, partition: Partition, names: list[str], own: set[str]) -> Iterator[pa.RecordBatch]:
        if not self.settings.unnest:
            yield from self.source.batches(partition, names)
            return
        anchor = self._anchor(own)
        if not anchor:
            arrays = ", ".join(self.settings.unnest)
            raise SchemaError(
                partition.key, found="none of the array columns", expected=arrays, next_step="export them"
            )
        arrays_read = [name for name in names if name in self.settings.unnest]
        for batch in self.source.batches(partition, names):
            for piece in _pieces(batch, anchor):
                try:
                    yield unnest(piece, arrays_read, anchor)
                except UnequalLengthsError as error:
                    raise self._unequal(error, piece, partition) from error

    def _unequal(self, error: UnequalLengthsError, batch: pa.RecordBatch, partition: Partition) -> SchemaError:
        request = self.settings.roles.get("request_id", "")
        shown = f" request {batch.column(request)[error.row]}" if request in batch.schema.names else ""
        return SchemaError(
            f"{partition.key}{shown}",
            found=str(error),
            expected="arrays of one length per row",
            next_step="repair the export, or take the column out of unnest",
        )

    def _convert(self, batch: pa.RecordBatch, name: str, plan: Canonical, partition: Partition) -> pa.Array:
        if name not in batch.schema.names or self._readable(name, batch.column(name).type) == pa.null():
            return plan.convert(pa.nulls(batch.num_rows))
        try:
            return plan.convert(batch.column(name))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise SchemaError(
                f"{self.name}.{name} in {partition.key}",
                found=str(error).splitlines()[0][:200],
                expected=f"{plan.kind} values",
                next_step=f"repair the export, or state columns.{name}.kind",
            ) from error


def _pieces(batch: pa.RecordBatch, anchor: str) -> Iterator[pa.RecordBatch]:
    """Slices of a batch of slates that stay bounded when they are unnested."""
    total = pc.sum(pc.list_value_length(batch.column(anchor))).as_py() or 0
    step = max(1, batch.num_rows * MAX_BATCH_ROWS // max(total, MAX_BATCH_ROWS))
    for start in range(0, batch.num_rows, step):
        yield batch.slice(start, step)


def _keep(batch: pa.RecordBatch, where: Sequence[tuple[str, str]]) -> pa.RecordBatch:
    for name, value in where:
        column = batch.column(name)
        text = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        batch = batch.filter(pc.equal(text.cast(pa.string()), value))
    return batch
