"""SQL in the user's own names for findings about what was shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TypeVar

from recsysops.profiles.history import Context
from recsysops.profiles.slices import Slice
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Schema
from recsysops.triage.evidence import Stated, where
from recsysops.triage.mean_gate import MeanChange
from recsysops.triage.own_names import own_slice
from recsysops.triage.rate_gate import RateChange

OneChange = TypeVar("OneChange", bound=RateChange | MeanChange | Stated)


def under_own_name(schema: Schema, change: OneChange) -> OneChange:
    """The change with its slice under the column's name in the logs."""
    return replace(change, slice=own_slice(schema, change.slice))


def named(schema: Schema, role: str, table: str = "candidates") -> str:
    """The quoted column of a role; ``NULL`` where the log has none."""
    found = schema.table(table)
    column = found.role(role) if found is not None else None
    return "NULL" if column is None else quote_identifier(column.name)


def is_shown(schema: Schema) -> str:
    """The condition that a row of candidates is an impression, as the views see it."""
    if named(schema, "shown") != "NULL":
        return f"coalesce({named(schema, 'shown')}, false)"
    return f"{named(schema, 'position')} IS NOT NULL" if named(schema, "position") != "NULL" else "true"


def chosen(context: Context, slice_: Slice, condition: str = "", days: Sequence[date] | None = None) -> str:
    """The WHERE clause of the judged days' candidates in a slice that meet a condition."""
    rows = where(context, "candidates", slice_, days)
    if not condition:
        return rows
    return f"{rows} AND {condition}" if rows else f"WHERE {condition}"


def followed_query(context: Context, slice_: Slice, by: str = "") -> str:
    """Impressions, their summed scores and those with an outcome, on the judged days; by day, or by a column."""
    schema = context.schema
    request, item = named(schema, "request_id"), named(schema, "item_id")
    asked, wanted = named(schema, "request_id", "outcomes"), named(schema, "item_id", "outcomes")
    days = (*context.reference_days, *context.current_days)
    rows = chosen(context, slice_, is_shown(schema), None if by else days)
    group = by or f"CAST(c.{named(schema, 'ts')} AS DATE)"
    return (
        f"SELECT {group} AS unit, count(*) AS n_impressions, sum(c.{_score(schema)}) AS expected, count(o.r) AS n_followed "
        f'FROM (SELECT * FROM "candidates" {rows}) c '
        f'LEFT JOIN (SELECT DISTINCT {asked} AS r, {wanted} AS i FROM "outcomes") o '
        f"ON o.r = c.{request} AND o.i = c.{item} GROUP BY 1 ORDER BY 1"
    )


def _score(schema: Schema) -> str:
    name = named(schema, "score")
    return named(schema, "position") if name == "NULL" else name
