"""The table ``changes`` as events: what any CI or tool of the team has exported."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from recsysops.errors import ConfigError
from recsysops.tables.changes import ChangeRecord
from recsysops.tables.table import Table


def change_rows(table: Table) -> tuple[ChangeRecord, ...]:
    """Every event of the table, oldest first. A row without a time or a kind is no event and is left out; a roll-out
    outside [0, 1] is taken as not stated.

    Raises:
        SourceError, SchemaError: if the table cannot be read.
    """
    return tuple(sorted(_rows(table), key=lambda one: (one.ts, one.kind, one.scope)))


def _rows(table: Table) -> Iterator[ChangeRecord]:
    roles = {role: column.name for role in ("ts", "kind", "scope", "rollout") if (column := table.schema.role(role))}
    for partition in table.partitions():
        for batch in table.batches(partition, list(roles.values())):
            values = {role: batch.column(name).to_pylist() for role, name in roles.items()}
            for number in range(batch.num_rows):
                yield from _event({role: column[number] for role, column in values.items()})


def _event(row: dict[str, object]) -> Iterator[ChangeRecord]:
    ts, kind, scope, rollout = (row.get(role) for role in ("ts", "kind", "scope", "rollout"))
    if not isinstance(ts, datetime) or kind is None:
        return
    share = float(rollout) if isinstance(rollout, int | float) and 0 <= rollout <= 1 else None
    try:
        yield ChangeRecord(ts, str(kind), "" if scope is None else str(scope), "", share)
    except ConfigError:  # an empty kind says nothing
        return
