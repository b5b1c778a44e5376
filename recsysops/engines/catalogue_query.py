"""Reading the catalogue as it was known at the end of a day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from recsysops.errors import SourceError
from recsysops.profiles.catalogue import AHEAD_DAYS, FIRST_DAYS, Catalogue
from recsysops.tables.identifiers import quote_identifier
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
            launches, owners = _launches(connection, items, day)
            ends: dict[str, datetime] = {}
            if periods is not None and periods.schema.role("to") is not None:
                register_rows(stack, connection, periods, periods.partitions())
                ends = _near(connection, 'SELECT item_id, max("to") AS moment FROM availability GROUP BY item_id', day)
            return Catalogue(launches, ends, owners, is_known=True)
    except duckdb.Error as error:
        raise SourceError(
            "items", found=str(error).splitlines()[0][:200], expected="a catalogue that can be queried"
        ) from error


def _register_items(
    stack: ExitStack, connection: duckdb.DuckDBPyConnection, items: Table, days: DaysByPartition, day: date
) -> None:
    first = day - timedelta(days=CATALOGUE_DAYS)
    is_dated = items.schema.role("as_of") is not None
    wanted = [
        one for one in items.partitions() if not is_dated or any(first <= at <= day for at, _ in days.get(one.key, ()))
    ]
    register_rows(stack, connection, items, wanted)


def _launches(
    connection: duckdb.DuckDBPyConnection, items: Table, day: date
) -> tuple[dict[str, datetime], dict[str, str]]:
    """The last word on each item by the end of the day, of those that launch near it."""
    known = "as_of < $end" if items.schema.role("as_of") is not None else "true"
    last = "SELECT item_id, arg_max(launch_at, coalesce(as_of, TIMESTAMPTZ 'epoch')) AS moment, "
    query = (
        last
        + f"arg_max(owner, coalesce(as_of, TIMESTAMPTZ 'epoch')) AS owner FROM items WHERE {known} GROUP BY item_id"
    )
    end = day + timedelta(days=1)
    rows = connection.execute(
        f"SELECT item_id, epoch_us(moment), owner FROM ({query}) WHERE moment BETWEEN $first AND $last AND $end = $end ORDER BY item_id",
        {"end": end, "first": day - timedelta(days=FIRST_DAYS), "last": day + timedelta(days=AHEAD_DAYS)},
    ).fetchall()
    return {item: _moment(us) for item, us, _ in rows}, {item: owner for item, _, owner in rows if owner}


def _near(connection: duckdb.DuckDBPyConnection, query: str, day: date) -> dict[str, datetime]:
    rows = connection.execute(
        f"SELECT {quote_identifier('item_id')}, epoch_us(moment) FROM ({query}) WHERE moment BETWEEN ? AND ? ORDER BY item_id",
        [day - timedelta(days=FIRST_DAYS), day + timedelta(days=AHEAD_DAYS)],
    ).fetchall()
    return {item: _moment(us) for item, us in rows}


def _moment(us: int) -> datetime:
    from datetime import UTC

    return datetime.fromtimestamp(us // 1_000_000, UTC).replace(microsecond=us % 1_000_000)
