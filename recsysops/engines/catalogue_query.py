"""Reading the catalogue as it was known at the end of a day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import date, datetime
from math import isfinite
from typing import TYPE_CHECKING

from recsysops.errors import SourceError
from recsysops.profiles.catalogue import AHEAD_DAYS, FIRST_DAYS, Catalogue
from recsysops.tables.shifted_days import shifted
from recsysops.tables.table import Table
from recsysops.tables.views.impressions import CATALOGUE_DAYS
from recsysops.tables.views.normal_rows import register_rows

if TYPE_CHECKING:
    import duckdb

DaysByPartition = Mapping[str, tuple[tuple[date, int], ...]]


def read_catalogue(
    tables: Mapping[str, Table],
    days_of: Callable[[str], DaysByPartition],
    day: date,
    connect: Callable[[], duckdb.DuckDBPyConnection],
) -> Catalogue:
    """Launches and ends near ``day`` from ``items`` and ``availability``; empty where the workspace has no launches.

    Raises:
        SourceError, SchemaError: if their rows cannot be read.
    """
    import duckdb

    items, periods = tables.get("items"), tables.get("availability")
    if items is None or items.schema.role("launch_at") is None:
        return Catalogue()
    try:
        with ExitStack() as stack:
            connection = stack.enter_context(connect())
            _register_items(stack, connection, items, days_of("items"), day)
            known = _launches(connection, items, day)
            if periods is not None and periods.schema.role("to") is not None:
                register_rows(stack, connection, periods, periods.partitions())
                known = _with_ends(known, connection, day)
            return known
    except duckdb.Error as error:
        raise SourceError(
            "items", found=str(error).splitlines()[0][:200], expected="a catalogue that can be queried"
        ) from error


def _register_items(
    stack: ExitStack, connection: duckdb.DuckDBPyConnection, items: Table, days: DaysByPartition, day: date
) -> None:
    first = shifted(day, -CATALOGUE_DAYS)
    is_dated = items.schema.role("as_of") is not None
    wanted = [
        one for one in items.partitions() if not is_dated or any(first <= at <= day for at, _ in days.get(one.key, ()))
    ]
    register_rows(stack, connection, items, wanted)


def _launches(connection: duckdb.DuckDBPyConnection, items: Table, day: date) -> Catalogue:
    """The last word on each item by the end of the day, of those that launch near it."""
    known = "as_of < $end" if items.schema.role("as_of") is not None else "true"
    last = ", ".join(
        f"arg_max({name}, coalesce(as_of, TIMESTAMPTZ 'epoch')) AS {name}"
        for name in ("launch_at", "owner", "expected_audience")
    )
    end = shifted(day, 1)
    rows = connection.execute(
        f"SELECT item_id, epoch_us(launch_at), owner, expected_audience FROM (SELECT item_id, {last} FROM items "
        "WHERE $end = $end AND "
        + known
        + " GROUP BY item_id) WHERE launch_at BETWEEN $first AND $last ORDER BY item_id",
        {"end": end, "first": shifted(day, -FIRST_DAYS), "last": shifted(day, AHEAD_DAYS)},
    ).fetchall()
    return Catalogue(
        launches={item: _moment(us) for item, us, _, _ in rows},
        owners={item: owner for item, _, owner, _ in rows if owner},
        audiences={item: float(n) for item, _, _, n in rows if n is not None and isfinite(n) and n > 0},
        is_known=True,
    )


def _with_ends(known: Catalogue, connection: duckdb.DuckDBPyConnection, day: date) -> Catalogue:
    """Ends of each item's last period, everywhere and by market; a period without an end is never the last to end."""
    last = 'CASE WHEN count(*) = count("to") THEN max("to") END AS moment'
    rows = connection.execute(
        f"SELECT item_id, market, epoch_us(moment) FROM (SELECT item_id, market, grouping(market) AS is_whole, {last} "
        "FROM availability GROUP BY GROUPING SETS ((item_id), (item_id, market))) WHERE moment BETWEEN ? AND ? "
        "AND (is_whole = 1 OR market IS NOT NULL) ORDER BY ALL",
        [shifted(day, -FIRST_DAYS), shifted(day, AHEAD_DAYS)],
    ).fetchall()
    return replace(
        known,
        ends={item: _moment(us) for item, market, us in rows if market is None},
        market_ends={(item, market): _moment(us) for item, market, us in rows if market is not None},
    )


def _moment(us: int) -> datetime:
    from datetime import UTC

    return datetime.fromtimestamp(us // 1_000_000, UTC).replace(microsecond=us % 1_000_000)
