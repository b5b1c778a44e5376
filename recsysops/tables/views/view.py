"""A view: rows derived from one partition of a table and the partitions that it looks up, counted like any table.

Detectors ask for measures of a view by its name. What a view computes, it computes once per partition of its base, in
DuckDB, over relations that are named as the contract's tables and whose columns are named as its roles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from recsysops.tables.contract import Kind, TableContract
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Column, Schema, TableSchema

if TYPE_CHECKING:
    import pyarrow as pa

    from recsysops.tables.table import Table

OPERATIONS = ("host", "client_version", "consumer", "model_id", "experiment_arm")
"""Roles of candidates by which views are sliced beside the dimensions that the user named."""


@dataclass(frozen=True)
class Lookup:
    """Another table whose rows the view joins.

    A row belongs to a base partition when its day is at most ``days_before`` days before the partition's first day and
    at most ``days_after`` after its last. ``is_as_of``: rows of days gone by are taken not to change as long as their
    number does not, so that a table that grows by a day does not have the whole past counted again. ``alias`` names the
    relation where a view looks up its own base.
    """

    table: str
    days_before: int = 0
    days_after: int = 0
    is_as_of: bool = False
    alias: str = ""

    @property
    def relation(self) -> str:
        """What the view's query calls the rows."""
        return self.alias or self.table


@dataclass(frozen=True)
class Folders:
    """Where files may lie that rows name: the workspace, and folders that its settings trust (models)."""

    root: Path
    trusted: tuple[Path, ...] = ()


class View(Protocol):
    """A derived table. ``version`` is raised when the same rows would give other values."""

    contract: TableContract
    base: str
    version: int

    def schema(self, tables: Schema) -> TableSchema | None:
        """The view's columns, or None when the workspace lacks a table or role that the view cannot do without."""
        ...

    def lookups(self, tables: Schema) -> tuple[Lookup, ...]:
        """The tables it joins, as far as the workspace has them."""
        ...

    def sql(self, tables: Schema) -> str:
        """A query for the view's columns.

        Its tables are the base and the look-ups by their names in the contract. Every role of theirs is a column under
        the role's name, of one type by kind and NULL where the logs lack it; slice dimensions are called
        ``dimension(name)``, features ``feature(name)``. Where a transform belongs to the view, the query gives what that takes.
        """
        ...


class Transform(Protocol):
    """Makes a view's rows where SQL alone cannot: scores of a model, say."""

    def __call__(self, queried: pa.Table, tables: Mapping[str, Table], folders: Folders, /) -> pa.Table:
        """All rows of one partition.

        Args:
            queried: what the view's query gives.
            tables: the workspace's own.
            folders: where files may lie.
        """
        ...


def dimension(name: str) -> str:
    """The quoted name of a slice dimension inside a view's query."""
    return quote_identifier(f"dim {name}")


def feature(name: str) -> str:
    """The quoted name of a feature inside a view's query."""
    return quote_identifier(f"feature {name}")


def slices_of(base: TableSchema, own: Iterable[str]) -> dict[str, str]:
    """A view's slice dimensions by name, with the expression of each over the base.

    These are the user's own and the operational roles that the log has; a name that the view's own columns take is left out.
    """
    taken = set(own)
    dims = {name: dimension(name) for name in base.slices if name not in taken}
    for role in OPERATIONS:
        column = base.role(role)
        if column is not None and column.name not in base.slices and role not in taken:
            dims.setdefault(role, quote_identifier(role))
    return dims


def view_schema(
    contract: TableContract, base: TableSchema, columns: Mapping[str, Kind], window_days: int = 0
) -> TableSchema:
    """The schema of a view with these columns, sliced by the dimensions of its base."""
    roles = {role.name for role in contract.roles}
    own = [Column(name, kind, name if name in roles else None) for name, kind in columns.items()]
    dims = slices_of(base, columns)
    return TableSchema(
        contract.name,
        (*own, *(Column(name, "categorical") for name in dims)),
        tuple(dims),
        label_window_days=window_days,
    )


def select_dimensions(base: TableSchema, own: Iterable[str], relation: str, form: str = "{0}") -> str:
    """The slice dimensions for a SELECT: ``, min(candidates."dim market") AS "market"`` with form min({0})."""
    return "".join(
        f", {form.format(f'{relation}.{expression}')} AS {quote_identifier(name)}"
        for name, expression in slices_of(base, own).items()
    )
