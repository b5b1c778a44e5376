"""Which items an incident concerns: found again in the logs by the condition of its finding. Never a member."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING

from recsysops.incidents.calendar import end_of
from recsysops.profiles.slices import EVERYTHING
from recsysops.tables.identifiers import quote_identifier
from recsysops.triage.evidence import literal
from recsysops.triage.findings import Finding

if TYPE_CHECKING:
    from recsysops.tables.table import Table

_FLAGGED = re.compile(r"count\(\*\) FILTER \((.*)\) AS n_flagged", re.DOTALL)
_ITEM_TABLES = {"item_features": "key"}
"""Where items go by another role than item_id."""


@dataclass(frozen=True)
class Affected:
    """Items with how many of their rows are concerned, most first; or why there is no list."""

    ids: tuple[tuple[str, int], ...] = ()
    query: str = ""
    reason: str = ""

    def to_csv(self) -> str:
        """``item_id,n_rows``, one line per item."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(("item_id", "n_rows"))
        writer.writerows((_harmless(item), n_rows) for item, n_rows in self.ids)
        return buffer.getvalue()


def affected_items(finding: Finding, table: Table | None, first: date, last: date) -> Affected:
    """The items with rows that the finding is about, on the days of the incident.

    Raises:
        SourceError, SchemaError: if the table cannot be read.
    """
    if finding.subject.kind == "item":
        return Affected(((finding.subject.id, finding.n_current),))
    if is_about_members(finding, table):
        return Affected(reason="it is about members, and member ids are never handed on")
    item = table.schema.role(_ITEM_TABLES.get(finding.table, "item_id")) if table is not None else None
    if table is None or item is None:
        return Affected(reason=f"rows of {finding.table} name no item")
    condition = flagged_condition(finding.query)
    if not condition and finding.slice == EVERYTHING:
        return Affected(reason="it concerns rows of every item alike")
    where = _where(finding, table, condition, first, last)
    name = quote_identifier(item.name)
    head, tail = f"SELECT CAST({name} AS VARCHAR) AS item_id, count(*) AS n_rows FROM ", f" {where} GROUP BY 1"
    known = {column.name for column in table.schema.columns}
    columns = [name for name in sorted(known) if quote_identifier(name) in head + tail]
    query = f"{head}{quote_identifier(finding.table)}{tail} ORDER BY 2 DESC, 1"
    return Affected(_counted(table, columns, head, tail), query)


def is_about_members(finding: Finding, table: Table | None) -> bool:
    """Whether a member's id stands in the finding, or could stand in what its query gives."""
    if finding.subject.kind == "member" or finding.table == "member_features":
        return True
    member = table.schema.role("member_id") if table is not None else None
    names = {"member_id"} | ({member.name} if member is not None else set())
    quoted = any(quote_identifier(name) in finding.query for name in names)
    return quoted or finding.column in names or finding.slice.dimension in names


def flagged_condition(query: str) -> str:
    """The condition that a query made by ``rate_query`` counts rows by; "" of any other query."""
    found = _FLAGGED.search(query)
    return found[1] if found is not None else ""


def _where(finding: Finding, table: Table, condition: str, first: date, last: date) -> str:
    parts = [f"({condition})"] if condition else []
    clock = table.schema.role(table.contract.clock) if table.contract.clock else None
    if clock is not None:
        start, end = datetime.combine(first, time()), end_of(last).replace(tzinfo=None)
        name = quote_identifier(clock.name)
        parts.append(f"{name} >= TIMESTAMPTZ '{start}+00' AND {name} < TIMESTAMPTZ '{end}+00'")
    if finding.slice.dimension:
        dimension = quote_identifier(finding.slice.dimension)
        parts.append(f"CAST({dimension} AS VARCHAR) = {literal(finding.slice.value)}")
    return f"WHERE {' AND '.join(parts)}" if parts else ""


def _counted(table: Table, columns: list[str], head: str, tail: str) -> tuple[tuple[str, int], ...]:
    """The query over every partition, added up. Python sees one row per item."""
    import duckdb

    from recsysops.tables.relation import partition_view

    counts: Counter[str] = Counter()
    with duckdb.connect() as connection:
        for partition in table.partitions():
            with partition_view(connection, table, partition, columns, "rows_of_table") as view:
                for item, n_rows in connection.execute(head + view + tail).fetchall():
                    if item is not None:
                        counts[item] += n_rows
    return tuple(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def _harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
