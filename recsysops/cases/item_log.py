"""What the log says of one item and of its peers: day by day, and sampled rows of the same requests."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsysops.cases.subject import Window
from recsysops.replay.candidates import SALT, Candidates
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.relation import partition_view
from recsysops.tables.table import Table

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
REQUESTS_A_DAY = 60
"""Requests with the item that are read whole, of each day: enough to see a rate move, few enough to wait for."""
SLOT_SECONDS, MOST_SPANS = 1200, 24
"""Requests are taken from few spans of the day, which lie together in the files."""
PEERS_A_REQUEST = 8
"""Peers beside the item in each of them, the same each time."""


@dataclass(frozen=True)
class ItemDays:
    """The item's way through each day, (n_days,) each; counts weighted to all traffic, NaN where there was none."""

    days: tuple[date, ...]
    n_requests: Floats
    """Logged requests of the item's markets."""
    n_logged: Floats
    """Rows of the item as they are logged."""
    retrieved: Floats
    """Share of the requests that have it among the candidates."""
    passed: Floats
    """Share of those that no rule filtered."""
    rank: Floats
    """Mean place by the raw score, as a share of the candidates above it: 0 is the top."""
    moved: Floats
    """Mean of final rank less raw rank."""
    shown: Floats
    """Share of the requests in which it was shown."""
    sources: tuple[Mapping[str, float], ...] = ()
    """By day, the share of its rows that came from each candidate source."""


@dataclass(frozen=True)
class ItemLog:
    """The item's days, its peers' days by item, and rows of requests that have the item."""

    item: ItemDays
    peers: Mapping[str, ItemDays]
    sources: Mapping[str, Floats]
    """By candidate source, candidates of any item per logged request, (n_days,)."""
    rows: Candidates
    is_item: npt.NDArray[np.bool_]
    """(n_rows,): the item's own rows; the others are peers'."""


def read_item_log(
    table: Table, item: str, peers: Sequence[str], window: Window, markets: Collection[str] | None
) -> ItemLog:
    """Read the candidates of an item and of its peers.

    Args:
        table: candidates.
        item: its id.
        peers: ids, nearest first.
        window: of the request times.
        markets: where the item may be shown, to count the requests it could have been in; None: all of them.

    Raises:
        SchemaError, SourceError: as ``Table.batches``.
    """
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("focus", pa.table({"item": [item, *peers]}))
        _count(connection, table, window)
        days, sources = _days(connection, table, markets), _sources(connection)
        columns = _columns(table)
        rows = _read_rows(connection, table, item, window, columns)
    of_item = pa.array(rows.role("item_id")).cast(pa.string()).to_numpy(zero_copy_only=False) == item
    nobody = _no_days()
    return ItemLog(
        days.get(item, nobody), {key: one for key, one in days.items() if key != item}, sources, rows, of_item
    )


def _count(connection: duckdb.DuckDBPyConnection, table: Table, window: Window) -> None:
    """Fill ``ways`` (by day and item) and ``asked`` (requests by day and market)."""
    names = {role: column.name for role in _WAY if (column := table.schema.role(role)) is not None}
    market = "market" if "market" in table.schema.slices else None
    columns = list(dict.fromkeys([*names.values(), *([market] if market else [])]))
    sql = {role: quote_identifier(name) for role, name in names.items()}
    weight = f"1.0 / {sql['sampling_rate']}" if "sampling_rate" in sql else "1.0"
    is_shown = f"coalesce({sql['shown']}, false)" if "shown" in sql else "true"
    has_passed = f"{sql['filtered_by']} IS NULL" if "filtered_by" in sql else "true"
    raw, final = sql.get("raw_rank", "NULL::DOUBLE"), sql.get("final_rank", sql.get("position", "NULL::DOUBLE"))
    source = f"{sql['candidate_source']}::VARCHAR" if "candidate_source" in sql else "''"
    where = f"{sql['ts']} >= $start AND {sql['ts']} < $end"
    bound = {"start": window.start, "end": window.end}
    connection.execute(
        "CREATE TEMP TABLE ways (day DATE, item VARCHAR, source VARCHAR, n DOUBLE, w DOUBLE, passed DOUBLE, shown DOUBLE, raw DOUBLE, "
        "moved DOUBLE, ranked DOUBLE)"
    )
    connection.execute("CREATE TEMP TABLE given (day DATE, source VARCHAR, w DOUBLE)")
    connection.execute("CREATE TEMP TABLE asked (day DATE, market VARCHAR, request UBIGINT, w DOUBLE, n DOUBLE)")
    place = quote_identifier(market) + "::VARCHAR" if market else "''"
    for partition in table.partitions():
        with partition_view(connection, table, partition, columns, "c") as view:
            # the hash only tells requests of one query apart; what is not in focus needs no name
            connection.execute(
                f"CREATE OR REPLACE TEMP TABLE part AS SELECT {sql['ts']}::DATE AS day, hash({sql['request_id']}) AS request, "
                f"CASE WHEN {sql['item_id']}::VARCHAR IN (SELECT item FROM focus) THEN {sql['item_id']}::VARCHAR END AS item, "
                f"{place} AS market, {source} AS source, {weight} AS w, {has_passed} AS passed, "
                f"{is_shown} AS shown, {raw}::DOUBLE AS raw, {final}::DOUBLE AS final FROM {view} WHERE {where}",
                bound,
            )
        connection.execute("INSERT INTO given SELECT day, source, sum(w) FROM part GROUP BY ALL")
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE requests AS "
            "SELECT day, any_value(market) AS market, request, any_value(w) AS w, count(*) AS n FROM part GROUP BY day, request"
        )
        connection.execute("INSERT INTO asked FROM requests")
        connection.execute(
            "INSERT INTO ways SELECT p.day, p.item, source, count(*), sum(p.w), sum(p.w) FILTER (passed), sum(p.w) FILTER (shown), "
            "sum(p.w * (raw - 1) / greatest(a.n - 1, 1)), sum(p.w * (final - raw)), sum(p.w) FILTER (raw IS NOT NULL) FROM part p "
            "JOIN requests a USING (day, request) WHERE p.item IS NOT NULL GROUP BY ALL"
        )


_WAY = (
    "request_id", "ts", "item_id", "shown", "filtered_by", "raw_rank", "final_rank", "position", "sampling_rate", "candidate_source",
)  # fmt: skip


def _days(connection: duckdb.DuckDBPyConnection, table: Table, markets: Collection[str] | None) -> dict[str, ItemDays]:
    asked = (
        connection.sql("SELECT day, market, sum(w) AS w FROM asked GROUP BY ALL ORDER BY day")
        .to_arrow_table()
        .to_pylist()
    )
    days = sorted({row["day"] for row in asked if row["day"] is not None})
    place = {day: index for index, day in enumerate(days)}
    total = np.zeros(len(days))
    for row in asked:
        if row["day"] is not None and (markets is None or not row["market"] or row["market"] in markets):
            total[place[row["day"]]] += row["w"]
    ways = connection.sql("SELECT * FROM ways ORDER BY item, day").to_arrow_table().to_pylist()
    found: dict[str, list[dict[str, Any]]] = {}
    for row in ways:
        found.setdefault(row["item"], []).append(row)
    return {item: _item_days(tuple(days), place, total, rows) for item, rows in found.items()}


def _sources(connection: duckdb.DuckDBPyConnection) -> dict[str, Floats]:
    rows = connection.sql(
        "SELECT source, list(coalesce(w, 0) / total ORDER BY day) AS share FROM (SELECT DISTINCT source FROM given) "
        "CROSS JOIN (SELECT day, sum(w) AS total FROM asked GROUP BY day) "
        "LEFT JOIN (SELECT day, source, sum(w) AS w FROM given GROUP BY ALL) USING (day, source) GROUP BY source"
    )
    return {row["source"]: np.array(row["share"]) for row in rows.to_arrow_table().to_pylist() if row["source"]}


def _item_days(
    days: tuple[date, ...], place: Mapping[date, int], total: Floats, rows: Sequence[Mapping[str, Any]]
) -> ItemDays:
    sums = {name: np.zeros(len(days)) for name in ("n", "w", "passed", "shown", "raw", "moved", "ranked")}
    sources: list[dict[str, float]] = [{} for _ in days]
    for row in rows:
        at = place[row["day"]]
        for name, values in sums.items():
            values[at] += row[name] or 0.0
        sources[at][row["source"] or ""] = sources[at].get(row["source"] or "", 0.0) + (row["w"] or 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return ItemDays(
            days, total, sums["n"], np.minimum(sums["w"] / total, 1.0), sums["passed"] / sums["w"],
            sums["raw"] / sums["ranked"], sums["moved"] / sums["ranked"], sums["shown"] / total,
            tuple({name: value / sum(one.values()) for name, value in one.items()} for one in sources),
        )  # fmt: skip


def _no_days() -> ItemDays:
    empty = np.zeros(0)
    return ItemDays((), empty, empty, empty, empty, empty, empty, empty)


def _columns(table: Table) -> list[str]:
    """Every role, feature, mask and slice that a step may ask for."""
    masks = {column.mask for column in table.schema.columns if column.mask}
    return [
        column.name
        for column in table.schema.columns
        if column.role or column.is_feature or column.name in table.schema.slices or column.name in masks
    ]


def _read_rows(
    connection: duckdb.DuckDBPyConnection, table: Table, item: str, window: Window, columns: list[str]
) -> Candidates:
    """Of each day the requests with the item that have the smallest hashes; of each the item and its nearest peers there."""
    sql = {
        role: quote_identifier(column.name)
        for role in ("request_id", "ts", "item_id")
        if (column := table.schema.role(role))
    }
    within = f"{sql['ts']} >= $start AND {sql['ts']} < $end"
    bound = {"start": window.start, "end": window.end}
    connection.execute("CREATE TEMP TABLE carrying (part INTEGER, day DATE, slot BIGINT, request VARCHAR)")
    names = [column.name for role in ("request_id", "ts", "item_id") if (column := table.schema.role(role))]
    partitions = table.partitions()
    for number, partition in enumerate(partitions):
        with partition_view(connection, table, partition, names, "r") as view:
            connection.execute(
                f"INSERT INTO carrying SELECT DISTINCT {number}, {sql['ts']}::DATE, epoch({sql['ts']})::BIGINT // {SLOT_SECONDS}, "
                f"{sql['request_id']}::VARCHAR FROM {view} WHERE {within} AND {sql['item_id']}::VARCHAR = $item",
                {**bound, "item": item},
            )
    connection.execute(
        "CREATE TEMP TABLE wanted AS SELECT part, slot, request FROM carrying QUALIFY row_number() OVER (PARTITION BY day "
        "ORDER BY md5_number_lower($salt || slot), md5_number_lower($salt || request), request) <= $n",
        {"salt": SALT, "n": REQUESTS_A_DAY},
    )
    parts = []
    chosen = {part for (part,) in connection.execute("SELECT DISTINCT part FROM wanted").fetchall()}
    for number in sorted(chosen):
        with partition_view(connection, table, partitions[number], columns, "r") as view:
            parts.append(
                connection.sql(
                    f"FROM {view} WHERE ({_slots(connection, number, sql['ts'])}) AND {within} AND {sql['request_id']}::VARCHAR IN (SELECT request FROM wanted) AND "
                    f"{sql['item_id']}::VARCHAR IN (SELECT item FROM focus) QUALIFY {sql['item_id']}::VARCHAR = $item OR row_number() OVER "
                    f"(PARTITION BY {sql['request_id']}, {sql['item_id']}::VARCHAR = $item ORDER BY md5_number_lower({sql['item_id']}::VARCHAR)) <= $n",
                    params={**bound, "item": item, "n": PEERS_A_REQUEST},
                ).to_arrow_table()
            )
    if not parts:
        return Candidates({name: pa.nulls(0) for name in columns}, table.schema)
    merged = pa.concat_tables(parts, promote_options="permissive").unify_dictionaries()
    clock = table.schema.role("ts")
    assert clock is not None, "candidates without ts are refused when they are opened"
    merged = merged.sort_by(clock.name)
    return Candidates({name: merged[name].combine_chunks() for name in columns}, table.schema)


def _slots(connection: duckdb.DuckDBPyConnection, part: int, clock: str) -> str:
    """The spans of time that the wanted requests of a partition lie in, as a condition that lets files be skipped."""
    rows = connection.execute(
        "SELECT DISTINCT slot FROM wanted WHERE part = $part ORDER BY slot", {"part": part}
    ).fetchall()
    spans = [(slot * SLOT_SECONDS, (slot + 1) * SLOT_SECONDS) for (slot,) in rows]
    if len(spans) > MOST_SPANS:
        spans = [(spans[0][0], spans[-1][1])]
    return " OR ".join(f"({clock} >= to_timestamp({start}) AND {clock} < to_timestamp({end}))" for start, end in spans)
