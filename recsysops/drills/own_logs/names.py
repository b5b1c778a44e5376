"""Under which names faults know the columns of somebody's logs, and how they see their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from recsysops.tables.contract import FLAG, ID, LABEL, TABLES
from recsysops.tables.schema import Column, TableSchema

Sight = Literal["number", "whole", "text", "flag", "time"]
"""As floats; as whole numbers (0 where NULL); as texts, as SQL would write them; as booleans; as ``datetime64[us]``."""
WHOLE = frozenset({"position", "raw_rank", "final_rank", "seed", "override_generation"})


@dataclass(frozen=True)
class Seen:
    """One column of the logs as faults see it."""

    column: str
    """Its name in the logs."""
    names: tuple[str, ...]
    """What faults call it: its role first; features and slices also have their own name, unless another role is called so."""
    sight: Sight


def used_columns(schema: TableSchema, stated: Mapping[str, object]) -> tuple[str, ...]:
    """The columns that anything reads: roles, features, slices, masks, and those of which the settings say something."""
    masks = {column.mask for column in schema.columns if column.mask}
    return tuple(
        column.name
        for column in schema.columns
        if column.role or column.is_feature or column.name in {*schema.slices, *masks, *stated}
    )


def seen_columns(schema: TableSchema) -> tuple[Seen, ...]:
    """What faults are shown of a table; columns of no countable kind stay out of their sight."""
    roles = {column.role for column in schema.columns if column.role}
    shown = []
    for column in schema.columns:
        own = () if column.name in roles and column.role != column.name else (column.name,)
        names = tuple(dict.fromkeys([*([column.role] if column.role else []), *own]))
        sight = _sight(column, schema)
        if names and sight is not None:
            shown.append(Seen(column.name, names, sight))
    return tuple(shown)


def _sight(column: Column, schema: TableSchema) -> Sight | None:
    role = TABLES[schema.table].role(column.role) if column.role else None
    if column.kind == "timestamp":
        return "time"
    if role is not None and role.kinds in (ID, LABEL):
        return "text"
    if role is not None and role.kinds == FLAG:
        return "flag"
    if column.kind == "numeric" and (role is not None or column.is_feature or column.name not in schema.slices):
        return "whole" if column.role in WHOLE else "number"
    if column.kind == "boolean":
        return "text" if column.is_feature or column.name in schema.slices else "flag"
    return "text" if column.kind in ("categorical", "numeric") else None
