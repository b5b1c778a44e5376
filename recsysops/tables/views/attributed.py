"""``attributed``: outcomes with the request that they followed, and what that request had made of the item."""

from __future__ import annotations

from recsysops.tables.contract import Kind
from recsysops.tables.schema import Schema, TableSchema
from recsysops.tables.views.contracts import ATTRIBUTED
from recsysops.tables.views.requests import is_shown
from recsysops.tables.views.view import Lookup, select_dimensions, view_schema

COLUMNS: dict[str, Kind] = {
    "request_id": "categorical",
    "ts": "timestamp",
    "member_id": "categorical",
    "item_id": "categorical",
    "kind": "categorical",
    "origin": "categorical",
    "value": "numeric",
    "demand": "numeric",
    "names_request": "boolean",
    "is_matched": "boolean",
    "was_candidate": "boolean",
    "was_shown": "boolean",
    "delay_seconds": "numeric",
    "is_before_request": "boolean",
    "ingest_delay_seconds": "numeric",
    "rank_percentile": "numeric",
    "fate": "categorical",
    "has_other_form": "boolean",
    "lacks_request": "boolean",
    "lacks_candidate": "boolean",
    "lacks_impression": "boolean",
}
"""An outcome that names a request is joined to it; ``is_matched``: the log has that request; ``was_candidate``, ``was_shown``: the item
there. One that names none (search, external) is joined to the member's last request within the window, which says
how the model ranked what the member wanted: ``rank_percentile`` = (rank − 1) / (candidates − 1), 0 is best; ``fate`` is
``shown``, ``ranked low`` (a candidate not shown), ``filtered``, ``not retrieved`` or NULL without a request. ``delay_seconds`` is since the
request and only for those that name it. ``demand`` is 1 for outcomes of search and external ones, which no slate brought about,
0 for others, NULL without an origin. The last four are how an outcome and the request it names miss one another, false where they
do not and NULL where it cannot be said: the log lacks the request, and its id is not even formed as those of the log are; the request is
there, but not with this item, or not showing it."""
FORM = "regexp_replace({0}, '[[:alnum:]]+', 'x', 'g') || length({0}) || (regexp_matches({0}, '[A-Z]') AND regexp_matches({0}, '[a-z]'))"
"""What a request id looks like: its punctuation, its length, whether it mixes cases."""


class Attributed:
    """Outcomes from ``outcomes`` and ``candidates``."""

    contract = ATTRIBUTED
    base = "outcomes"
    version = 3

    def schema(self, tables: Schema) -> TableSchema | None:
        base, outcomes = tables.table("candidates"), tables.table("outcomes")
        if base is None or outcomes is None or (outcomes.role("request_id") or outcomes.role("member_id")) is None:
            return None
        return view_schema(ATTRIBUTED, base, COLUMNS, outcomes.label_window_days)

    def lookups(self, tables: Schema) -> tuple[Lookup, ...]:
        return (Lookup("candidates", days_before=tables.tables["outcomes"].label_window_days),)

    def sql(self, tables: Schema) -> str:
        base, outcomes = tables.tables["candidates"], tables.tables["outcomes"]
        window = outcomes.label_window_days
        dims = select_dimensions(base, COLUMNS, "candidates", "min({0})")
        return f"""
            WITH acted AS (SELECT *, row_number() OVER () AS number FROM outcomes),
            asked AS (
                SELECT request_id, min(ts) AS ts, min(member_id) AS member_id, count(*) AS n_candidates{dims}
                FROM candidates WHERE request_id IS NOT NULL GROUP BY request_id
            ),
            forms AS (SELECT DISTINCT {FORM.format("request_id")} AS form FROM asked),
            last_asked AS (
                SELECT a.number, arg_max(r.request_id, r.ts) AS request_id
                FROM acted a JOIN asked r ON a.member_id = r.member_id AND r.ts <= a.ts
                 AND r.ts >= a.ts - INTERVAL {max(window, 1)} DAY
                WHERE a.request_id IS NULL GROUP BY a.number
            ),
            followed AS (
                SELECT a.* EXCLUDE (request_id), a.request_id IS NOT NULL AS names_request,
                       coalesce(a.request_id, l.request_id) AS request_id
                FROM acted a LEFT JOIN last_asked l ON l.number = a.number
            ),
            wanted AS (
                SELECT candidates.request_id, candidates.item_id, bool_or({is_shown(base)}) AS was_shown,
                       bool_and(coalesce(candidates.filtered_by, '') <> '') AS was_filtered,
                       min(coalesce(candidates.raw_rank, candidates.final_rank, candidates.position)) AS rank
                FROM candidates SEMI JOIN followed
                  ON candidates.request_id = followed.request_id AND candidates.item_id = followed.item_id
                GROUP BY candidates.request_id, candidates.item_id
            )
            SELECT f.request_id, f.ts, f.member_id, f.item_id, f.kind, f.origin, f.value,
                CAST(lower(f.origin) IN ('search', 'external') AS DOUBLE) AS demand, f.names_request,
                r.request_id IS NOT NULL AS is_matched, w.item_id IS NOT NULL AS was_candidate,
                coalesce(w.was_shown, false) AS was_shown,
                CASE WHEN f.names_request THEN date_diff('millisecond', r.ts, f.ts) / 1000.0 END AS delay_seconds,
                f.names_request AND f.ts < r.ts AS is_before_request,
                date_diff('millisecond', f.ts, f.ingested_at) / 1000.0 AS ingest_delay_seconds,
                (w.rank - 1) / nullif(r.n_candidates - 1, 0) AS rank_percentile,
                CASE WHEN r.request_id IS NULL THEN NULL WHEN w.item_id IS NULL THEN 'not retrieved'
                     WHEN w.was_shown THEN 'shown' WHEN w.was_filtered THEN 'filtered' ELSE 'ranked low' END AS fate,
                CASE WHEN f.names_request THEN r.request_id IS NULL AND {FORM.format("f.request_id")} NOT IN (SELECT form FROM forms)
                    AND EXISTS (FROM forms) END AS has_other_form,
                CASE WHEN f.names_request THEN r.request_id IS NULL END AS lacks_request,
                CASE WHEN f.names_request AND r.request_id IS NOT NULL THEN w.item_id IS NULL END AS lacks_candidate,
                CASE WHEN f.names_request AND w.item_id IS NOT NULL THEN NOT w.was_shown END AS lacks_impression
                {select_dimensions_of_view(base)}
            FROM followed f LEFT JOIN asked r ON r.request_id = f.request_id
            LEFT JOIN wanted w ON w.request_id = f.request_id AND w.item_id = f.item_id
        """


def select_dimensions_of_view(base: TableSchema) -> str:
    """The dimensions of the request, which the query has under their own names by then."""
    from recsysops.tables.identifiers import quote_identifier
    from recsysops.tables.views.view import slices_of

    return "".join(f", r.{quote_identifier(name)}" for name in slices_of(base, COLUMNS))
