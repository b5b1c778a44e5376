"""``ranked_requests``: how well each request was ranked, judged by what followed within the label age."""

from __future__ import annotations

from recsysops.tables.contract import Kind
from recsysops.tables.schema import Schema, TableSchema
from recsysops.tables.views.contracts import RANKED_REQUESTS
from recsysops.tables.views.labels import LABEL_HOURS, followed
from recsysops.tables.views.requests import is_shown
from recsysops.tables.views.view import Lookup, select_dimensions, view_schema

TOP = 10
"""The k of NDCG@k and MAP@k."""
COLUMNS: dict[str, Kind] = {
    "request_id": "categorical",
    "ts": "timestamp",
    "member_id": "categorical",
    "n_shown": "numeric",
    "n_followed": "numeric",
    "is_barren": "boolean",
    "expected": "numeric",
    "excess": "numeric",
    "ndcg": "numeric",
    "average_precision": "numeric",
    "auc": "numeric",
    "reciprocal_rank": "numeric",
    "fallback": "boolean",
}
"""Over the slate in the order of positions: ``n_followed`` impressions with an outcome (``is_barren``: none), ``expected`` the sum of their scores,
``excess`` = n_followed − expected. ``ndcg``, ``average_precision`` and ``reciprocal_rank`` at the first ten places and ``auc`` (ties
count half, by score) are NULL where nothing followed; ``auc`` also where everything did."""


class RankedRequests:
    """Requests with their ranking quality; needs positions and outcomes that name their request."""

    contract = RANKED_REQUESTS
    base = "candidates"
    version = 2

    def schema(self, tables: Schema) -> TableSchema | None:
        base, outcomes = tables.table("candidates"), tables.table("outcomes")
        if base is None or outcomes is None or outcomes.role("request_id") is None or base.role("position") is None:
            return None
        return view_schema(RANKED_REQUESTS, base, COLUMNS)

    def lookups(self, _tables: Schema) -> tuple[Lookup, ...]:
        return (Lookup("outcomes", days_after=-(-LABEL_HOURS // 24)),)

    def sql(self, tables: Schema) -> str:
        base = tables.tables["candidates"]
        return f"""
            WITH slate AS (SELECT * FROM candidates WHERE request_id IS NOT NULL AND {is_shown(base)}),
            followed AS ({followed("slate")}),
            labelled AS (
                SELECT s.*, CAST(f.n IS NOT NULL AS INTEGER) AS label
                FROM slate s LEFT JOIN followed f ON f.request_id = s.request_id AND f.item_id = s.item_id
            ),
            placed AS (
                SELECT *,
                    row_number() OVER (PARTITION BY request_id ORDER BY position, item_id) AS place,
                    sum(label) OVER (PARTITION BY request_id ORDER BY position, item_id) AS n_so_far,
                    row_number() OVER (PARTITION BY request_id ORDER BY label DESC) AS ideal_place,
                    rank() OVER (PARTITION BY request_id ORDER BY score)
                        + (count(*) OVER (PARTITION BY request_id, score) - 1) / 2.0 AS midrank
                FROM labelled
            ),
            summed AS (
                SELECT request_id, min(ts) + INTERVAL {LABEL_HOURS} HOUR AS ts, min(member_id) AS member_id,
                    count(*) AS n_shown, sum(label) AS n_followed, sum(score) AS expected, bool_or(fallback) AS fallback,
                    sum(label / log2(1 + place)) FILTER (place <= {TOP}) AS gain,
                    sum(label / log2(1 + ideal_place)) FILTER (ideal_place <= {TOP}) AS ideal_gain,
                    sum(label * n_so_far / place) FILTER (place <= {TOP}) AS precisions,
                    min(place) FILTER (label = 1) AS first_place,
                    sum(midrank) FILTER (label = 1) AS rank_sum
                    {select_dimensions(base, COLUMNS, "placed", "min({0})")}
                FROM placed GROUP BY request_id
            )
            SELECT *, n_followed = 0 AS is_barren, n_followed - expected AS excess, gain / nullif(ideal_gain, 0) AS ndcg,
                precisions / nullif(least(n_followed, {TOP}), 0) AS average_precision,
                CASE WHEN n_followed > 0 THEN CASE WHEN first_place <= {TOP} THEN 1.0 / first_place ELSE 0 END END
                    AS reciprocal_rank,
                (rank_sum - n_followed * (n_followed + 1) / 2.0)
                    / nullif(n_followed * (n_shown - n_followed), 0) AS auc
            FROM summed
        """
