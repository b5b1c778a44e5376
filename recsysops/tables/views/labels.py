"""``labels``: impressions with what followed them within one label age, so that every day is compared at equal age.

A row is dated by the end of its label age: the requests of a day are then those from as many hours before its
beginning to as many before its end, and all that followed in time has happened by the end of the day.
"""

from __future__ import annotations

from recsysops.tables.contract import Kind
from recsysops.tables.schema import Schema, TableSchema
from recsysops.tables.views.contracts import LABELS
from recsysops.tables.views.requests import is_shown
from recsysops.tables.views.view import Lookup, select_dimensions, view_schema

LABEL_HOURS = 6
"""The label age. Plays and clicks come within minutes; what comes later than this counts for nobody."""
COLUMNS: dict[str, Kind] = {
    "request_id": "categorical",
    "ts": "timestamp",
    "member_id": "categorical",
    "item_id": "categorical",
    "position": "numeric",
    "place": "categorical",
    "followed_place": "categorical",
    "shown": "boolean",
    "score": "numeric",
    "is_followed": "boolean",
    "label": "numeric",
    "excess": "numeric",
    "n_outcomes": "numeric",
    "value": "numeric",
    "fallback": "boolean",
    "candidate_source": "categorical",
    "propensity": "numeric",
    "sampling_rate": "numeric",
}
"""``label`` is 1 where an outcome of this request and item followed in time, else 0; ``is_followed`` says the same; ``excess`` is
label − score, ``place`` the position as text, ``followed_place`` the same where an outcome followed and NULL elsewhere, ``value`` the sum over the outcomes."""


class Labels:
    """Impressions with their labels; needs outcomes that name their request."""

    contract = LABELS
    base = "candidates"
    version = 2

    def schema(self, tables: Schema) -> TableSchema | None:
        base, outcomes = tables.table("candidates"), tables.table("outcomes")
        if base is None or outcomes is None or outcomes.role("request_id") is None:
            return None
        return view_schema(LABELS, base, COLUMNS)

    def lookups(self, _tables: Schema) -> tuple[Lookup, ...]:
        return (Lookup("outcomes", days_after=-(-LABEL_HOURS // 24)),)

    def sql(self, tables: Schema) -> str:
        base = tables.tables["candidates"]
        return f"""
            WITH slate AS (SELECT * FROM candidates WHERE request_id IS NOT NULL AND {is_shown(base)}),
            followed AS ({followed("slate")})
            SELECT s.request_id, s.ts + INTERVAL {LABEL_HOURS} HOUR AS ts, s.member_id, s.item_id, s.position,
                CAST(CAST(s.position AS BIGINT) AS VARCHAR) AS place,
                CASE WHEN f.n IS NOT NULL THEN CAST(CAST(s.position AS BIGINT) AS VARCHAR) END AS followed_place, true AS shown, s.score,
                f.n IS NOT NULL AS is_followed, CAST(f.n IS NOT NULL AS DOUBLE) AS label,
                CAST(f.n IS NOT NULL AS DOUBLE) - s.score AS excess, coalesce(f.n, 0) AS n_outcomes,
                f.value, s.fallback, s.candidate_source, s.propensity, s.sampling_rate
                {select_dimensions(base, COLUMNS, "s")}
            FROM slate s LEFT JOIN followed f ON f.request_id = s.request_id AND f.item_id = s.item_id
        """


def followed(slate: str) -> str:
    """The SQL of (request_id, item_id, n, value): outcomes that followed a relation of candidates within the label age."""
    return f"""
        SELECT o.request_id, o.item_id, count(*) AS n, sum(o.value) AS value
        FROM outcomes o JOIN (SELECT request_id, min(ts) AS ts FROM {slate} GROUP BY request_id) r
          ON o.request_id = r.request_id
        WHERE o.ts >= r.ts AND o.ts < r.ts + INTERVAL {LABEL_HOURS} HOUR
        GROUP BY o.request_id, o.item_id
    """
