"""What hardly ever changes of members: facts that were there before anything was shown, and theirs that changed all the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import duckdb
import pyarrow as pa

from recsysops.cases.item_history import Version
from recsysops.peers.known_rows import key_column
from recsysops.replay.candidates import SALT
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.relation import partition_view
from recsysops.tables.table import Table

MEMBERS_LOOKED_AT = 500
LEAST_MEMBERS = 30
"""With several versions, before it can be said what never changes."""
HARDLY_EVER = 0.02
"""Share of members in whom a fact may change."""
_NO_FACTS = frozenset({"key", "as_of", "available_at", "owner"})


@dataclass(frozen=True)
class MemberFacts:
    """Columns of the member features that are facts."""

    columns: tuple[str, ...]
    changes: tuple[Version, ...]
    """Of the member's facts, oldest first."""
    n_members: int
    """Others from whom it was learned what a fact is."""


def read_member_facts(table: Table, member: str, until: datetime) -> MemberFacts:
    """Learn from some members what never changes, and read what changed of one.

    Args:
        table: member_features, with an as-of time.
        member: the key.
        until: with a zone; later rows are not looked at.

    Raises:
        ConfigError: if the table names no key.
        SchemaError, SourceError: as ``Table.batches``.
    """
    clocks = [column.name for role in ("as_of", "available_at") if (column := table.schema.role(role)) is not None]
    names = [one.name for one in table.schema.columns if one.role not in _NO_FACTS and one.kind != "other"]
    if table.schema.role("as_of") is None or not names:
        return MemberFacts((), (), 0)
    key = key_column(table)
    rows = _rows(table, member, until, key, [key, *clocks, *names])
    of: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows.sort_by(clocks[0]).to_pylist():
        of.setdefault(str(row[key]), []).append(row)
    own = of.pop(member, [])
    known = [versions for versions in of.values() if len(versions) > 1]
    if len(known) < LEAST_MEMBERS:
        return MemberFacts((), (), len(known))
    facts = tuple(name for name in names if sum(_changes(one, name) for one in known) <= HARDLY_EVER * len(known))
    found = [one for name in facts for one in _versions(table.name, name, own, clocks)]
    return MemberFacts(facts, tuple(sorted(found, key=lambda one: (one.since, one.column))), len(known))


def _rows(table: Table, member: str, until: datetime, key: str, columns: list[str]) -> pa.Table:
    """All versions of the member and of those with the smallest hashes."""
    who, when = f"{quote_identifier(key)}::VARCHAR", f"{quote_identifier(columns[1])} <= $until"
    parts = []
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("CREATE TEMP TABLE keys (id VARCHAR)")
        for partition in table.partitions():
            with partition_view(connection, table, partition, [key], "m") as view:
                connection.execute(
                    f"INSERT INTO keys SELECT {who} FROM {view} GROUP BY 1 ORDER BY md5_number_lower($salt || {who}) LIMIT $n",
                    {"salt": SALT, "n": MEMBERS_LOOKED_AT},
                )
        connection.execute(
            "CREATE TEMP TABLE wanted AS SELECT $member AS id UNION (SELECT id FROM keys GROUP BY id ORDER BY md5_number_lower($salt || id) LIMIT $n)",
            {"member": member, "salt": SALT, "n": MEMBERS_LOOKED_AT},
        )
        for partition in table.partitions():
            with partition_view(connection, table, partition, columns, "m") as view:
                query = f"FROM {view} WHERE {who} IN (SELECT id FROM wanted) AND {when}"
                parts.append(connection.sql(query, params={"until": until}).to_arrow_table())
    return pa.concat_tables(parts, promote_options="permissive").unify_dictionaries()


def _changes(versions: Sequence[Mapping[str, Any]], name: str) -> bool:
    return len({row[name] for row in versions if row[name] is not None and row[name] == row[name]}) > 1


def _versions(table: str, name: str, versions: Sequence[Mapping[str, Any]], clocks: Sequence[str]) -> Iterator[Version]:
    """Changes from one value to another; that a fact becomes known is none."""
    known = [row for row in versions if row[name] is not None and row[name] == row[name]]
    for one, other in pairwise(known):
        if one[name] != other[name]:
            since = max(other[clock] for clock in clocks if other[clock] is not None)
            yield Version(table, name, one[name], other[name], since)
