"""``replayed``: sampled requests of a day, scored again by the models that served them."""

from __future__ import annotations

from recsysops.tables.contract import Kind
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Schema, TableSchema
from recsysops.tables.views.contracts import REPLAYED
from recsysops.tables.views.view import Lookup, slices_of, view_schema

N_REQUESTS = 300
"""Of each day: those with the smallest hash, the same that ``recsysops replay`` takes first."""
SALT = "replay"
MODEL_DAYS = 3650
"""How long ago a model that serves may have been trained."""
COLUMNS: dict[str, Kind] = {
    "request_id": "categorical",
    "ts": "timestamp",
    "member_id": "categorical",
    "grade": "categorical",
    "raw_differs": "boolean",
    "score_differs": "boolean",
    "outcome": "categorical",
}
"""``grade``: the worst of the request's raw scores against the registered model's, L0 … L3 or MISMATCH; ``raw_differs``: that is MISMATCH;
``score_differs``: the logged scores are not the calibration of the logged raw scores. NULL where it cannot be said. ``outcome`` is
``replayed``, or why the request could not be."""


class Replayed:
    """Requests from candidates and models; needs scores, model ids or a single model, and features.

    The query gives the sampled candidates as they were logged; ``recsysops.replay.replayed_rows`` makes the view's rows of them.
    """

    contract = REPLAYED
    base = "candidates"
    version = 3

    def schema(self, tables: Schema) -> TableSchema | None:
        base, models = tables.table("candidates"), tables.table("models")
        if base is None or models is None or models.role("path") is None or not base.features:
            return None
        if base.role("request_id") is None or (base.role("raw_score") or base.role("score")) is None:
            return None
        return view_schema(REPLAYED, base, COLUMNS)

    def lookups(self, _tables: Schema) -> tuple[Lookup, ...]:
        return (Lookup("models", days_before=MODEL_DAYS, is_as_of=True),)

    def sql(self, tables: Schema) -> str:
        dims = "".join(
            f", candidates.{expression} AS {quote_identifier(sliced(name))}"
            for name, expression in slices_of(tables.tables["candidates"], COLUMNS).items()
        )
        return f"""
            WITH wanted AS (
                SELECT request_id FROM candidates WHERE request_id IS NOT NULL GROUP BY request_id
                QUALIFY row_number() OVER (PARTITION BY CAST(min(ts) AS DATE)
                    ORDER BY md5_number_lower('{SALT}' || request_id), request_id) <= {N_REQUESTS}
            )
            SELECT candidates.*{dims} FROM candidates SEMI JOIN wanted ON candidates.request_id = wanted.request_id
            ORDER BY candidates.request_id, candidates.item_id
        """


def sliced(name: str) -> str:
    """What the query calls a slice dimension of the view."""
    return f"slice {name}"
