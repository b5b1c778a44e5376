"""``contenders``: candidates that earned a place on the slate by the model's rank, or got one: what policy changed, item by item."""

from __future__ import annotations

from recsysops.tables.contract import Kind
from recsysops.tables.schema import Schema, TableSchema
from recsysops.tables.views.contracts import CONTENDERS
from recsysops.tables.views.requests import is_shown
from recsysops.tables.views.view import Lookup, select_dimensions, view_schema

COLUMNS: dict[str, Kind] = {
    "request_id": "categorical",
    "ts": "timestamp",
    "member_id": "categorical",
    "item_id": "categorical",
    "position": "numeric",
    "filtered_by": "categorical",
    "earned": "numeric",
    "given": "numeric",
    "promoted": "numeric",
    "dropped": "numeric",
}
"""Numbers are 0 or 1, to be added up. A candidate's open rank is one more than the candidates of better raw rank that no filter took;
``earned``: its open rank is within the slate's length, filtered itself or not; ``given``: it was shown; ``promoted``: shown at half
its open rank or higher; ``dropped``: earned and not shown."""


class Contenders:
    """Contenders from candidates; needs raw ranks, and a log that holds candidates which were not shown."""

    contract = CONTENDERS
    base = "candidates"
    version = 1

    def schema(self, tables: Schema) -> TableSchema | None:
        base = tables.table("candidates")
        if base is None or base.role("raw_rank") is None or (base.role("shown") or base.role("position")) is None:
            return None
        return view_schema(CONTENDERS, base, COLUMNS)

    def lookups(self, _tables: Schema) -> tuple[Lookup, ...]:
        return ()

    def sql(self, tables: Schema) -> str:
        base = tables.tables["candidates"]
        is_open = "coalesce(filtered_by, '') = ''"
        return f"""
            WITH ranked AS (
                SELECT *, {is_shown(base)} AS is_shown,
                    count(*) FILTER ({is_shown(base)}) OVER (PARTITION BY request_id) AS n_shown,
                    1 + coalesce(count(*) FILTER ({is_open}) OVER (
                        PARTITION BY request_id ORDER BY raw_rank ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
                        AS open_rank
                FROM candidates WHERE request_id IS NOT NULL AND raw_rank IS NOT NULL
            )
            SELECT request_id, ts, member_id, item_id, position, filtered_by,
                CAST(open_rank <= n_shown AS DOUBLE) AS earned, CAST(is_shown AS DOUBLE) AS given,
                CAST(coalesce(is_shown AND 2 * coalesce(position, final_rank) <= open_rank, false) AS DOUBLE) AS promoted,
                CAST(NOT is_shown AND open_rank <= n_shown AS DOUBLE) AS dropped
                {select_dimensions(base, COLUMNS, "ranked")}
            FROM ranked WHERE is_shown OR open_rank <= n_shown
        """
