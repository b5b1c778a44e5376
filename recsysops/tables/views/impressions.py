"""``impressions``: candidates that were shown, with what the catalogue knew of the item when the request was served."""

from __future__ import annotations

from recsysops.tables.contract import Kind
from recsysops.tables.schema import Schema, TableSchema
from recsysops.tables.views.contracts import IMPRESSIONS
from recsysops.tables.views.requests import is_shown
from recsysops.tables.views.view import Lookup, dimension, select_dimensions, view_schema

CATALOGUE_DAYS = 45
"""How far back the catalogue's last word on an item may lie."""
COLUMNS: dict[str, Kind] = {
    "request_id": "categorical",
    "ts": "timestamp",
    "member_id": "categorical",
    "item_id": "categorical",
    "position": "numeric",
    "score": "numeric",
    "price": "numeric",
    "raw_rank": "numeric",
    "promotion": "numeric",
    "candidate_source": "categorical",
    "filtered_by": "categorical",
    "age_days": "numeric",
    "is_before_launch": "boolean",
    "is_unavailable": "boolean",
    "is_unknown": "boolean",
    "tier": "categorical",
    "owner": "categorical",
}
"""``promotion``: places gained from raw to final rank; ``age_days``: since launch, as the catalogue knew it; ``is_unavailable``:
the item has periods of availability (in the market of the request, where both sides name one) and none covers the request;
``is_unknown``: the catalogue, as known then, has no such item. NULL where a table or role is missing."""


class Impressions:
    """Impressions from candidates, the catalogue and availability."""

    contract = IMPRESSIONS
    base = "candidates"
    version = 1

    def schema(self, tables: Schema) -> TableSchema | None:
        base = tables.table("candidates")
        return None if base is None else view_schema(IMPRESSIONS, base, COLUMNS)

    def lookups(self, tables: Schema) -> tuple[Lookup, ...]:
        found = []
        if tables.table("items") is not None:
            found.append(Lookup("items", days_before=CATALOGUE_DAYS, is_as_of=True))
        if tables.table("availability") is not None:
            found.append(Lookup("availability", is_as_of=True))
        return tuple(found)

    def sql(self, tables: Schema) -> str:
        base = tables.tables["candidates"]
        items, known = _catalogue(tables)
        unavailable, periods = _availability(tables)
        return f"""
            SELECT s.request_id, s.ts, s.member_id, s.item_id, s.position, s.score, s.price, s.raw_rank,
                   s.raw_rank - s.final_rank AS promotion, s.candidate_source, s.filtered_by,
                   date_diff('second', c.launch_at, s.ts) / 86400.0 AS age_days, c.launch_at > s.ts AS is_before_launch,
                   {unavailable} AS is_unavailable, {known} AS is_unknown, c.tier, c.owner
                   {select_dimensions(base, COLUMNS, "s")}
            FROM (SELECT * FROM candidates WHERE request_id IS NOT NULL AND {is_shown(base)}) s
            LEFT JOIN ({items}) c ON c.item_id = s.item_id AND c.known_from <= s.ts AND s.ts < c.known_to
            {periods}
        """


def _catalogue(tables: Schema) -> tuple[str, str]:
    """The catalogue as validity intervals of each item's rows, and whether an item is unknown to it."""
    items = tables.table("items")
    if items is None:
        nothing = "SELECT NULL::VARCHAR AS item_id, NULL::TIMESTAMPTZ AS launch_at, NULL AS tier, NULL AS owner, "
        return nothing + "NULL::TIMESTAMPTZ AS known_from, NULL::TIMESTAMPTZ AS known_to WHERE false", "NULL"
    start = "as_of" if items.role("as_of") is not None else "TIMESTAMPTZ '-infinity'"
    return (
        (
            f"SELECT item_id, min(launch_at) AS launch_at, min(tier) AS tier, min(owner) AS owner, "
            f"{start} AS known_from, "
            f"lead({start}, 1, TIMESTAMPTZ 'infinity') OVER (PARTITION BY item_id ORDER BY {start}) AS known_to "
            f"FROM items GROUP BY item_id, {start}"
        ),
        "c.item_id IS NULL",
    )


def _availability(tables: Schema) -> tuple[str, str]:
    """Whether an impression lies outside every period of its item, and the join that tells."""
    periods, base = tables.table("availability"), tables.tables["candidates"]
    if periods is None:
        return "NULL", ""
    in_market = " AND market IS NOT DISTINCT FROM s." + dimension("market")
    by_market = periods.role("market") is not None and "market" in base.slices
    own = f"p.item_id = s.item_id{in_market.replace('market IS', 'p.market IS') if by_market else ''}"
    covers = (
        "coalesce(p.\"from\", TIMESTAMPTZ '-infinity') <= s.ts AND s.ts < coalesce(p.\"to\", TIMESTAMPTZ 'infinity')"
    )
    return (
        "CASE WHEN listed.item_id IS NULL THEN NULL ELSE NOT coalesce(covered.is_covered, false) END",
        (
            f"LEFT JOIN (SELECT DISTINCT item_id FROM availability) listed ON listed.item_id = s.item_id "
            f"LEFT JOIN LATERAL (SELECT true AS is_covered FROM availability p WHERE {own} AND {covers} LIMIT 1) covered ON true"
        ),
    )
