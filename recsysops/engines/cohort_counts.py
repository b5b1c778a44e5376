"""Counting one partition of outcomes together with the candidates that it looks up."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from recsysops.engines.cohort import count_cohort
from recsysops.engines.counted import Counted
from recsysops.engines.planning import ScanUnit
from recsysops.engines.prepared_rows import END_US, FIRST_US, columns_read, prepare_view, queryable, text_of
from recsysops.profiles.history import PartitionFacts
from recsysops.profiles.measures import Cohort
from recsysops.profiles.profile import Profile, RowWriter
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.source import Partition
from recsysops.tables.table import Table

if TYPE_CHECKING:
    import duckdb


def looked_up(
    outcomes: PartitionFacts, candidates: Sequence[PartitionFacts], window_days: int
) -> tuple[PartitionFacts, ...]:
    """The partitions of candidates that outcomes of this partition can have followed."""
    days = [day for day, _ in outcomes.days]
    if not days:
        return ()
    first, last = min(days) - timedelta(days=window_days + 1), max(days)
    return tuple(one for one in candidates if any(first <= day <= last for day, _ in one.days))


def joint_fingerprint(fingerprint: str, lookups: Sequence[PartitionFacts]) -> str:
    """A fingerprint that changes with the partition or with any that it looks up."""
    digest = hashlib.sha256(fingerprint.encode())
    for one in sorted(lookups, key=lambda facts: facts.key):
        digest.update(f"\x1f{one.key}\x1f{one.fingerprint}".encode())
    return digest.hexdigest()


def count_cohorts(
    unit: ScanUnit,
    outcomes: PartitionFacts,
    partition: Partition,
    lookups: Sequence[Partition],
    counted: Sequence[Counted],
    connect: Callable[[], duckdb.DuckDBPyConnection],
) -> Profile:
    """The cohort profile of one partition of outcomes.

    Args:
        outcomes: the facts to store, with the joint fingerprint.
        partition: the outcomes.
        lookups: the candidates' partitions to join, as `looked_up` names them.

    Raises:
        SourceError: if a partition cannot be read.
    """
    assert unit.lookup is not None, "only cohorts are counted here"
    writer = RowWriter()
    with connect() as connection:
        _make_arrived(connection, unit.table, partition)
        item, clock = (_role(unit.lookup, role) for role in ("item_id", "ts"))
        _make_looked_up(connection, unit.lookup, lookups, columns_read(unit.lookup.schema, (item, clock)))
        prepared = prepare_view(connection, "looked_up", unit.lookup.schema, (item, clock), {})
        measures = [(one.id, one.measure) for one in counted if isinstance(one.measure, Cohort)]
        count_cohort(connection, prepared, measures, unit.table.schema.label_window_days, writer)
    window = range(unit.table.schema.label_window_days + 1, 0, -1)
    before = [(outcomes.days[0][0] - timedelta(days=back), 0) for back in window] if outcomes.days else []
    facts = replace(outcomes, table=unit.name, days=(*before, *outcomes.days))
    return Profile(tuple(one.id for one in counted), facts, writer.rows(), writer.buckets())


def _role(table: Table, role: str) -> str:
    column = table.schema.role(role)
    assert column is not None, f"{table.name} was opened without its required role {role}"
    return column.name


def _make_arrived(connection: duckdb.DuckDBPyConnection, table: Table, partition: Partition) -> None:
    request, item, clock = (_role(table, role) for role in ("request_id", "item_id", "ts"))
    kind = table.schema.role("kind")
    read = tuple(dict.fromkeys([request, item, clock, *([kind.name] if kind else [])]))
    time = f"epoch_us({quote_identifier(clock)})"
    with queryable(connection, table, partition, read, "outcomes") as view:
        connection.execute(
            f"CREATE TEMP TABLE arrived AS SELECT row_number() OVER () AS id, {text_of(request)} AS request, {text_of(item)} AS item, "
            f"{time} AS us, {text_of(kind.name) if kind else 'NULL::VARCHAR'} AS kind "
            f"FROM {quote_identifier(view)} WHERE {time} >= {FIRST_US} AND {time} < {END_US}"
        )


def _make_looked_up(
    connection: duckdb.DuckDBPyConnection, table: Table, partitions: Sequence[Partition], columns: Sequence[str]
) -> None:
    """All rows of the partitions in one table; without any, a table of the same shape without rows."""
    clock = _role(table, "ts")
    shape = ", ".join(
        f"{text_of(name)} AS {quote_identifier(name)}" if name != clock else quote_identifier(name) for name in columns
    )
    empty = ", ".join(
        f"NULL::{'TIMESTAMPTZ' if name == clock else 'VARCHAR'} AS {quote_identifier(name)}" for name in columns
    )
    connection.execute(f"CREATE TEMP TABLE looked_up AS SELECT {empty} WHERE false")
    for partition in partitions:
        with queryable(connection, table, partition, columns, "candidates") as view:
            connection.execute(f"INSERT INTO looked_up SELECT {shape} FROM {quote_identifier(view)}")
