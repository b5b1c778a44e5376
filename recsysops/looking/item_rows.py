"""Counts of single items by day, from candidates, outcomes and the catalogue; rows stay in DuckDB, sums come out.

Requests that were logged with a probability count by its inverse (``sampling_rate``), and so do the outcomes that followed
them: what is counted stands for all traffic. Sums of squared weights come along, since they say how much a count is worth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from recsysops.engines.partition_counts import open_connection
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.relation import partition_view
from recsysops.tables.schema import TableSchema
from recsysops.tables.table import Table

if TYPE_CHECKING:
    import duckdb

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CatalogueEntry:
    """An item as the catalogue knew it at the end of the last day."""

    launch_at: datetime | None = None
    owner: str = ""
    tier: str = ""


@dataclass(frozen=True, eq=False)
class ItemCounts:
    """Arrays (n_items, n_days). Items are in order of id; days are consecutive."""

    items: tuple[str, ...]
    days: tuple[date, ...]
    impressions: Floats
    """Weighted: an estimate of all impressions."""
    impression_squares: Floats
    """Sum of squared weights: the variance of ``impressions``."""
    plays: Floats
    """Outcomes that followed a logged request, weighted alike."""
    play_squares: Floats
    demand: Floats
    """Outcomes that no slate caused: those whose origin is search or external."""
    catalogue: Mapping[str, CatalogueEntry]
    kind: str
    """The kind of outcome that was counted, "" when the log has no outcomes."""
    has_origin: bool
    """Whether outcomes say where they came from; without it demand is not known."""


def count_items(tables: Mapping[str, Table], days: Sequence[date], state: Path) -> ItemCounts:
    """Read candidates, outcomes and the catalogue of these days once.

    Args:
        tables: of the workspace; candidates must be there.
        days: consecutive days.
        state: folder for what does not fit in memory.

    Raises:
        SchemaError, SourceError: if rows cannot be read.
    """
    connection = open_connection(state, None)
    try:
        connection.execute("CREATE TABLE requests (request VARCHAR, w DOUBLE)")
        connection.execute("CREATE TABLE counted (what VARCHAR, item VARCHAR, day DATE, n DOUBLE, squares DOUBLE)")
        _count_candidates(connection, tables["candidates"], days)
        outcomes = tables.get("outcomes")
        kind = _count_outcomes(connection, outcomes, days) if outcomes is not None else ""
        catalogue = _catalogue(connection, tables.get("items"), days[-1])
        has_origin = outcomes is not None and outcomes.schema.role("origin") is not None
        return _gathered(connection, days, catalogue, kind, has_origin)
    finally:
        connection.close()


def _count_candidates(connection: duckdb.DuckDBPyConnection, table: Table, days: Sequence[date]) -> None:
    item, ts, request = (_name(table.schema, role) for role in ("item_id", "ts", "request_id"))
    shown, position, rate = (table.schema.role(role) for role in ("shown", "position", "sampling_rate"))
    is_shown = "true"
    if shown is not None:
        is_shown = f"coalesce(CAST({quote_identifier(shown.name)} AS BOOLEAN), false)"
    elif position is not None:
        is_shown = f"{quote_identifier(position.name)} IS NOT NULL"
    weight = "1.0"
    if rate is not None:  # a rate that is missing or impossible says nothing: the row stands for itself
        said = quote_identifier(rate.name)
        weight = f"CASE WHEN {said} > 0 AND {said} <= 1 THEN 1.0 / {said} ELSE 1.0 END"
    columns = [item, ts, request] + [one.name for one in (shown, position, rate) if one is not None]
    for partition in table.partitions():
        with partition_view(connection, table, partition, list(dict.fromkeys(columns)), "item_rows") as view:
            connection.execute(
                f"CREATE OR REPLACE TEMP TABLE batch AS SELECT CAST({quote_identifier(item)} AS VARCHAR) AS item, "
                f"CAST({quote_identifier(ts)} AS DATE) AS day, CAST({quote_identifier(request)} AS VARCHAR) AS request, "
                f"{is_shown} AS is_shown, {weight} AS w FROM {view} WHERE {_within(ts, days)}"
            )
        connection.execute("INSERT INTO requests SELECT request, max(w) FROM batch GROUP BY request")
        connection.execute(
            "INSERT INTO counted SELECT 'impressions', item, day, sum(w), sum(w * w) FROM batch "
            "WHERE is_shown AND item IS NOT NULL GROUP BY item, day"
        )


def _count_outcomes(connection: duckdb.DuckDBPyConnection, table: Table, days: Sequence[date]) -> str:
    item, ts = (_name(table.schema, role) for role in ("item_id", "ts"))
    roles = {role: table.schema.role(role) for role in ("request_id", "kind", "origin")}
    columns = list(dict.fromkeys([item, ts, *(one.name for one in roles.values() if one is not None)]))
    texts = ", ".join(
        (f"CAST({quote_identifier(one.name)} AS VARCHAR)" if one is not None else "NULL::VARCHAR") + f" AS {name}"
        for name, one in roles.items()
    )
    connection.execute("CREATE TABLE acted (item VARCHAR, day DATE, request_id VARCHAR, kind VARCHAR, origin VARCHAR)")
    for partition in table.partitions():
        with partition_view(connection, table, partition, columns, "outcome_rows") as view:
            connection.execute(
                f"INSERT INTO acted SELECT CAST({quote_identifier(item)} AS VARCHAR), CAST({quote_identifier(ts)} AS DATE), "
                f"{texts} FROM {view} WHERE {_within(ts, days)} AND {quote_identifier(item)} IS NOT NULL"
            )
    kind = _kind(connection)
    connection.execute(
        "INSERT INTO counted SELECT 'plays', item, day, sum(w), sum(w * w) FROM acted JOIN "
        "(SELECT request, max(w) AS w FROM requests GROUP BY request) asked ON asked.request = acted.request_id "
        "WHERE coalesce(kind, '') = ? GROUP BY item, day",
        [kind],
    )
    connection.execute(
        "INSERT INTO counted SELECT 'demand', item, day, count(*), count(*) FROM acted "
        "WHERE coalesce(kind, '') = ? AND lower(origin) IN ('search', 'external') GROUP BY item, day",
        [kind],
    )
    return kind or "outcome"


def _kind(connection: duckdb.DuckDBPyConnection) -> str:
    """What is counted as a play: outcomes called so, else the most frequent kind; "" where kinds are not named."""
    rows = connection.execute(
        "SELECT coalesce(kind, '') AS name FROM acted GROUP BY name ORDER BY name <> 'play', count(*) DESC, name LIMIT 1"
    ).fetchall()
    return str(rows[0][0]) if rows else ""


def _catalogue(connection: duckdb.DuckDBPyConnection, table: Table | None, last: date) -> dict[str, CatalogueEntry]:
    """Each item as its newest row of the last day or before says; launched where it is launched first."""
    if table is None:
        return {}
    item = _name(table.schema, "item_id")
    roles = {role: table.schema.role(role) for role in ("launch_at", "owner", "tier", "as_of")}
    columns = list(dict.fromkeys([item, *(one.name for one in roles.values() if one is not None)]))
    connection.execute(
        "CREATE TABLE known (item VARCHAR, launch_at TIMESTAMPTZ, owner VARCHAR, tier VARCHAR, as_of TIMESTAMPTZ)"
    )
    types = {"launch_at": "TIMESTAMPTZ", "owner": "VARCHAR", "tier": "VARCHAR", "as_of": "TIMESTAMPTZ"}
    values = ", ".join(
        f"CAST({quote_identifier(one.name) if one is not None else 'NULL'} AS {types[name]})"
        for name, one in roles.items()
    )
    for partition in table.partitions():
        with partition_view(connection, table, partition, columns, "item_catalogue") as view:
            connection.execute(
                f"INSERT INTO known SELECT CAST({quote_identifier(item)} AS VARCHAR), {values} FROM {view} "
                f"WHERE {quote_identifier(item)} IS NOT NULL"
            )
    rows = connection.execute(
        "SELECT item, min(launch_at)::TIMESTAMP, any_value(owner), any_value(tier) FROM "
        "(FROM known WHERE as_of IS NULL OR as_of < CAST(? AS DATE) + INTERVAL 1 DAY "
        "QUALIFY rank() OVER (PARTITION BY item ORDER BY as_of DESC NULLS LAST) = 1) GROUP BY item",
        [last],
    ).fetchall()
    return {name: CatalogueEntry(launch, owner or "", tier or "") for name, launch, owner, tier in rows}


def _gathered(
    connection: duckdb.DuckDBPyConnection,
    days: Sequence[date],
    catalogue: Mapping[str, CatalogueEntry],
    kind: str,
    has_origin: bool,
) -> ItemCounts:
    rows = connection.execute(
        "SELECT what, item, day, sum(n), sum(squares) FROM counted GROUP BY what, item, day"
    ).fetchall()
    items = tuple(sorted({str(item) for _, item, *_ in rows} | set(catalogue)))
    place = {item: index for index, item in enumerate(items)}
    sums = {what: np.zeros((2, len(items), len(days))) for what in ("impressions", "plays", "demand")}
    for what, item, day, n, squares in rows:
        sums[what][:, place[item], (day - days[0]).days] = n, squares
    (shown, shown_squares), (plays, play_squares), (demand, _) = sums.values()
    return ItemCounts(
        items, tuple(days), shown, shown_squares, plays, play_squares, demand, catalogue, kind, has_origin
    )


def _within(ts: str, days: Sequence[date]) -> str:
    after = days[-1] + timedelta(days=1)
    name = quote_identifier(ts)
    return f"{name} >= TIMESTAMPTZ '{days[0]} 00:00:00+00' AND {name} < TIMESTAMPTZ '{after} 00:00:00+00'"


def _name(schema: TableSchema, role: str) -> str:
    column = schema.role(role)
    assert column is not None, "a table is not opened without its required roles"
    return column.name
