"""Which columns of which tables a detector looks at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from recsysops.profiles.measures import Cells, Form
from recsysops.tables.schema import Column, Schema, TableSchema
from recsysops.tables.views.contracts import CONTRACTS

IDS = frozenset({"request_id", "member_id", "item_id", "key", "seed"})
"""Roles whose values name things: their distribution over numbers or categories means nothing."""
SCORES = frozenset({"score", "raw_score"})


def clocked(schema: Schema, tables: Iterable[str]) -> Iterator[TableSchema]:
    """The tables that the workspace has and whose rows have a time."""
    for name in tables:
        table = schema.table(name)
        if table is not None and table.role(CONTRACTS[name].clock) is not None:
            yield table


def columns_of(table: TableSchema, without: frozenset[str] = frozenset()) -> Iterator[Column]:
    """Features, slices and role columns that can be counted, in the order of the table."""
    for column in table.columns:
        wanted = column.is_feature or column.role is not None or column.name in table.slices
        if wanted and column.kind not in ("other", "timestamp") and column.role not in without:
            yield column


def cells_of(table: TableSchema, column: Column) -> Cells:
    """The measure that counts a column by its kind."""
    form: Form = "histogram" if column.kind == "numeric" else "frequencies"
    return Cells(table.table, column.name, form)
