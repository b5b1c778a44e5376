"""Partitions of a table as one relation whose columns are named by role, whatever the logs call them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from recsysops.tables.contract import ID, LABEL, NUMBER, TIME, Kind, Role
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.in_place import in_place
from recsysops.tables.relation import partition_view
from recsysops.tables.schema import TableSchema
from recsysops.tables.source import Partition
from recsysops.tables.table import Table
from recsysops.tables.views.contracts import CONTRACTS
from recsysops.tables.views.view import dimension, feature

if TYPE_CHECKING:
    import duckdb

SQL_TYPES: dict[Kind, str] = {
    "numeric": "DOUBLE",
    "categorical": "VARCHAR",
    "timestamp": "TIMESTAMPTZ",
    "boolean": "BOOLEAN",
}


def register_rows(
    stack: ExitStack,
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    partitions: Sequence[Partition],
    relation: str = "",
) -> None:
    """Make the relation ``relation`` (else the table's name) of all rows of the partitions, for any number of queries.

    Plain Parquet stays on disk and only what a query needs is read of it; other partitions are copied within the
    connection's memory limit.

    Raises:
        SourceError, SchemaError: if a partition cannot be read.
    """
    relation = relation or table.name
    columns = [name for name, _ in _expressions(table)]
    parts = [
        f"SELECT {select_roles(table.schema)} FROM {_one(stack, connection, table, partition, columns, f'{relation} {number}')}"
        for number, partition in enumerate(partitions)
    ]
    query = " UNION ALL ".join(parts) if parts else f"SELECT {select_roles(table.schema, empty=True)} WHERE false"
    connection.execute(f"CREATE TEMP VIEW {quote_identifier(relation)} AS {query}")


def _one(
    stack: ExitStack,
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    partition: Partition,
    columns: Sequence[str],
    name: str,
) -> str:
    if in_place(table, partition, columns) is not None:
        return stack.enter_context(partition_view(connection, table, partition, columns, name))
    with partition_view(connection, table, partition, columns, f"{name} stream") as stream:
        connection.execute(f"CREATE TEMP TABLE {quote_identifier(name)} AS SELECT * FROM {stream}")
    return quote_identifier(name)


def select_roles(schema: TableSchema, *, empty: bool = False) -> str:
    """What to select of a table: roles, slice dimensions, features and attributes under their names in view queries; NULL for roles that the logs lack."""
    stored = {role: column for column, role in ((one.name, one.role) for one in schema.columns) if role}
    parts = [
        f"CAST({'NULL' if empty or role.name not in stored else quote_identifier(stored[role.name])} "
        f"AS {_type_of(role)}) AS {quote_identifier(role.name)}"
        for role in CONTRACTS[schema.table].roles
    ]
    parts += [
        f"CAST({'NULL' if empty else quote_identifier(name)} AS VARCHAR) AS {dimension(name)}" for name in schema.slices
    ]
    for column in (*schema.features, *schema.attributes):
        if column.kind in SQL_TYPES:
            value = "NULL" if empty else quote_identifier(column.name)
            parts.append(f"CAST({value} AS {SQL_TYPES[column.kind]}) AS {feature(column.name)}")
    return ", ".join(parts)


def _expressions(table: Table) -> list[tuple[str, str]]:
    schema = table.schema
    wanted = [
        column.name
        for column in schema.columns
        if column.role is not None
        or column.name in schema.slices
        or (column.is_feature and column.kind in SQL_TYPES)
        or column in schema.attributes
    ]
    return [(name, quote_identifier(name)) for name in wanted]


def _type_of(role: Role) -> str:
    if role.kinds in (ID, LABEL):
        return "VARCHAR"
    if role.kinds == NUMBER:
        return "DOUBLE"
    if role.kinds == TIME:
        return "TIMESTAMPTZ"
    return "BOOLEAN" if role.kinds[0] == "boolean" else "VARCHAR"
