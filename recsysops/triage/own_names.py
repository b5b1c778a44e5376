"""From a view's names to the user's: findings and their queries speak of the tables that people have."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from recsysops.profiles.slices import Slice
from recsysops.tables.schema import Schema
from recsysops.triage.rate_gate import RateChange

OneSlice = TypeVar("OneSlice", bound=RateChange)


def own_slice(schema: Schema, slice_: Slice, table: str = "candidates") -> Slice:
    """The slice under the column's name in the logs; views call operational roles by the role.

    Example:
        >>> from recsysops.tables.schema import Column, TableSchema
        >>> schema = Schema({"candidates": TableSchema("candidates", (Column("pod", "categorical", "host"),))})
        >>> str(own_slice(schema, Slice("host", "a")))
        'pod=a'
    """
    found = schema.table(table)
    column = found.role(slice_.dimension) if found is not None and slice_.dimension else None
    if found is None or column is None or slice_.dimension in found.slices:
        return slice_
    return Slice(column.name, slice_.value)


def in_own_names(schema: Schema, change: OneSlice) -> OneSlice:
    """The change with its slice under the column's name in the logs."""
    return replace(change, slice=own_slice(schema, change.slice))


def role_column(schema: Schema, table: str, role: str) -> str:
    """The user's column of a role, or the role's own name where there is none."""
    found = schema.table(table)
    column = found.role(role) if found is not None else None
    return column.name if column is not None else role
