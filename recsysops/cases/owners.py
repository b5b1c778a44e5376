"""Who answers for what a verdict names."""

from __future__ import annotations

from collections.abc import Mapping

from recsysops.tables.table import Table


def owner_of(tables: Mapping[str, Table], entity: str) -> str:
    """The owner of a column, of its table or of a logged feature's source; empty where nobody is named.

    Args:
        entity: ``table.column``, ``table``, or a column of the log.
    """
    log = tables["candidates"]
    own = log.schema.column(entity)
    if own is not None and own.owner:
        return own.owner
    name, _, column = ((own.lineage or "") if own is not None else entity).partition(".")
    table = tables.get(name)
    if table is None:
        return (log.settings.owner or "") if own is not None else ""
    stated = table.schema.column(column)
    return (stated.owner if stated is not None and stated.owner else table.settings.owner) or ""
