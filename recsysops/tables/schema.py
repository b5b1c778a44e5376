"""What is known about the tables of a workspace before a row is read: columns, kinds, roles, slices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from recsysops.tables.contract import Kind


@dataclass(frozen=True)
class Column:
    """A column of a table under the name it has in the user's logs.

    ``default`` is the value a missing entry is filled with upstream; ``mask`` names a companion column that is true
    where the value was defaulted. Either makes *defaulted* visible apart from NULL and NaN. ``values`` are all the
    categories that a view's column can have, where its query says so: each is then counted by name, seen before or not.
    ``agrees_with`` are columns, ``column`` or ``table.column``, that a team says tell the same.
    ``lineage`` is the upstream ``table.column`` that the values come from, where the settings say.
    """

    name: str
    kind: Kind
    role: str | None = None
    is_feature: bool = False
    default: float | str | None = None
    mask: str | None = None
    owner: str | None = None
    values: tuple[str, ...] = ()
    agrees_with: tuple[str, ...] = ()
    lineage: str | None = None


@dataclass(frozen=True)
class TableSchema:
    """The columns of one table and the dimensions it is sliced by."""

    table: str
    columns: tuple[Column, ...]
    slices: tuple[str, ...] = ()
    """Column names; every count is kept for the whole and for each value of each of these."""
    label_window_days: int = 0
    """Outcomes only: how long after a request an outcome still counts for it."""

    def column(self, name: str) -> Column | None:
        """The column of that name, or None."""
        return next((column for column in self.columns if column.name == name), None)

    def role(self, role: str) -> Column | None:
        """The column that plays that role, or None."""
        return next((column for column in self.columns if column.role == role), None)

    @property
    def features(self) -> tuple[Column, ...]:
        """The columns that the model (or an upstream table) knows as features."""
        return tuple(column for column in self.columns if column.is_feature)

    @property
    def attributes(self) -> tuple[Column, ...]:
        """Of the catalogue all further columns: what it says of an item needs no name in the contract."""
        if self.table != "items":
            return ()
        bound = (one for one in self.columns if one.role is None and not one.is_feature and one.name not in self.slices)
        return tuple(one for one in bound if one.kind != "other")


@dataclass(frozen=True)
class Schema:
    """The tables of a workspace, by contract name."""

    tables: Mapping[str, TableSchema]

    def table(self, name: str) -> TableSchema | None:
        """The table of that name, or None when the workspace has none."""
        return self.tables.get(name)
