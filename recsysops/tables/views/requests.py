"""``requests``: one row per request, with what can be said of its candidates and its slate as a whole."""

from __future__ import annotations

from recsysops.tables.contract import Kind
from recsysops.tables.schema import Schema, TableSchema
from recsysops.tables.views.contracts import REQUESTS
from recsysops.tables.views.view import Lookup, select_dimensions, view_schema

COLUMNS: dict[str, Kind] = {
    "request_id": "categorical",
    "ts": "timestamp",
    "member_id": "categorical",
    "n_candidates": "numeric",
    "n_shown": "numeric",
    "n_filtered": "numeric",
    "n_sources": "numeric",
    "sources": "categorical",
    "filters": "categorical",
    "fallback": "boolean",
    "has_tie_at_cut": "boolean",
    "has_one_score": "boolean",
    "tied_rate": "numeric",
    "has_gap": "boolean",
    "has_repeat": "boolean",
    "shows_filtered": "boolean",
    "is_misordered": "boolean",
    "first_raw_rank": "numeric",
    "mean_raw_rank_shown": "numeric",
    "greatest_promotion": "numeric",
    "first_item": "categorical",
    "mean_price_shown": "numeric",
    "greatest_price_shown": "numeric",
    "mean_price_unshown": "numeric",
    "price_lift": "numeric",
    "first_price_lift": "numeric",
    "filtered_rate": "numeric",
    "latency_ms": "numeric",
    "sampling_rate": "numeric",
}
"""Columns by kind. ``sources`` and ``filters`` are the distinct values in alphabetical order, joined by ``+``;
``tied_rate`` is 1 − distinct scores over scored candidates; ``has_tie_at_cut``: the last candidate
shown and the best one not shown (nor filtered) have one score; ``has_gap``: positions are not 1 … n; ``is_misordered``:
the first raw rank has not the best raw score, or the last not the worst; ``greatest_promotion``: places that an item gained from raw to final rank;
``mean_price_unshown``: of the other candidates; ``price_lift``, ``first_price_lift``: mean price shown, and price at the first place, over the mean price of the candidates;
``filtered_rate``: candidates that a filter took over all."""


class Requests:
    """Requests from candidates; needs nothing else."""

    contract = REQUESTS
    base = "candidates"
    version = 3

    def schema(self, tables: Schema) -> TableSchema | None:
        base = tables.table("candidates")
        return None if base is None else view_schema(REQUESTS, base, COLUMNS)

    def lookups(self, _tables: Schema) -> tuple[Lookup, ...]:
        return ()

    def sql(self, tables: Schema) -> str:
        base = tables.tables["candidates"]
        shown = is_shown(base)
        return f"""
            WITH marked AS (
                SELECT *, {shown} AS is_shown, coalesce(raw_score, score) AS own_score,
                       coalesce(filtered_by, '') <> '' AS is_filtered
                FROM candidates WHERE request_id IS NOT NULL
            )
            SELECT request_id, min(ts) AS ts, min(member_id) AS member_id,
                count(*) AS n_candidates,
                count(*) FILTER (is_shown) AS n_shown,
                count(*) FILTER (is_filtered) AS n_filtered,
                {_n_distinct("candidate_source")} AS n_sources,
                {_distinct("candidate_source")} AS sources,
                {_distinct("nullif(filtered_by, '')")} AS filters,
                bool_or(fallback) AS fallback,
                min(score) FILTER (is_shown) = max(score) FILTER (NOT is_shown AND NOT is_filtered)
                    AS has_tie_at_cut,
                count(score) > 1 AND min(score) = max(score) AND isfinite(min(score)) AS has_one_score,
                1 - len(list_distinct(list(score) FILTER (score IS NOT NULL))) / nullif(count(score), 0) AS tied_rate,
                count(position) FILTER (is_shown) > 0 AND (min(position) FILTER (is_shown) <> 1
                    OR max(position) FILTER (is_shown) <> len(list_distinct(list(position) FILTER (is_shown)))) AS has_gap,
                coalesce(count(*) FILTER (is_shown) > len(list_distinct(list(item_id) FILTER (is_shown))), false)
                    AS has_repeat,
                bool_or(is_shown AND is_filtered) AS shows_filtered,
                arg_min(own_score, raw_rank) < max(own_score) OR arg_max(own_score, raw_rank) > min(own_score)
                    AS is_misordered,
                min(raw_rank) FILTER (position = 1) AS first_raw_rank,
                avg(raw_rank) FILTER (is_shown) AS mean_raw_rank_shown,
                max(raw_rank - final_rank) AS greatest_promotion,
                min(item_id) FILTER (position = 1) AS first_item,
                avg(price) FILTER (is_shown) AS mean_price_shown,
                max(price) FILTER (is_shown) AS greatest_price_shown,
                avg(price) FILTER (NOT is_shown) AS mean_price_unshown,
                avg(price) FILTER (is_shown) / nullif(avg(price), 0) AS price_lift,
                avg(price) FILTER (position = 1) / nullif(avg(price), 0) AS first_price_lift,
                count(*) FILTER (is_filtered) / count(*) AS filtered_rate,
                max(latency_ms) AS latency_ms,
                min(sampling_rate) AS sampling_rate
                {select_dimensions(base, COLUMNS, "marked", "min({0})")}
            FROM marked GROUP BY request_id
        """


def _n_distinct(expression: str) -> str:
    return f"len(map_keys(histogram({expression})))"


def _distinct(expression: str) -> str:
    """Distinct values in order, joined by ``+``; NULL without any. A histogram is a map sorted by its keys, and much faster
    than an ordered DISTINCT aggregate."""
    return f"nullif(array_to_string(list_sort(map_keys(histogram({expression}))), '+'), '')"


def is_shown(base: TableSchema) -> str:
    """What makes a candidate an impression: the log says so; else it has a position; else every row is one."""
    if base.role("shown") is not None:
        return "coalesce(candidates.shown, false)"
    return "candidates.position IS NOT NULL" if base.role("position") is not None else "true"
