"""Put candidates at the top of their requests: by their scores in the service, by rewriting impressions on own logs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recsysops.drills.planting.reordering import numbered
from recsysops.drills.rows import Column, Mask, Rows

MARGIN = 0.05
"""How far above the best of the request: in log-odds, and as a share of what is left to 1."""


def raised(rows: Rows, chosen: Mask) -> Rows:
    """The chosen candidates score better than all others of their request; those without a raw score stay as they are.

    Args:
        rows: at the seam ``scores``.
    """
    chosen = chosen & np.isfinite(rows["raw_score"])
    request = rows["request"][chosen]
    best_raw, best = (best_of(rows["request"], rows[name])[request] for name in ("raw_score", "score"))
    return rows.with_value("raw_score", chosen, best_raw + MARGIN).with_value(
        "score", chosen, 1 - (1 - MARGIN) * (1 - best)
    )


def best_of(request: Column, values: Column) -> Column:
    """(largest request + 1,) the largest known value of each request; minus infinity where there is none."""
    best = np.full(int(request.max(initial=-1)) + 1, -np.inf)
    np.fmax.at(best, request, values)
    return best


def led_by(rows: Rows, chosen: Mask) -> Rows:
    """The chosen candidates score best and lead their slates, those before them move down by one place.

    Args:
        rows: at the seam ``ranked``.
        chosen: at most one of each request, none of them shown so far.
    """
    request, final = rows["request"], rows["final_rank"]
    has_one = np.bincount(request, chosen) > 0
    below = np.full(len(has_one), -1)
    below[request[chosen]] = final[chosen]
    place = np.where(chosen, 1, final + (final < below[request]))
    n_shown = np.bincount(request, rows["is_shown"])
    is_shown = np.where(has_one[request], rows["is_shown"] & (place <= n_shown[request]), rows["is_shown"]) | chosen
    certain = best_of(request, rows["propensity"])[request]
    better = raised(rows, chosen)
    return better.with_columns(
        final_rank=place,
        raw_rank=numbered(
            request, -np.nan_to_num(better["raw_score"], nan=-np.inf), rows["raw_rank"].astype(np.float64)
        ),
        is_shown=is_shown,
        propensity=np.where(is_shown, np.where(chosen, certain, rows["propensity"]), np.nan),
    )


def impressions(rows: Rows) -> Mask:
    """Which rows of own logs were shown: as they say, else those with a position, else all."""
    if "shown" in rows:
        return np.asarray(rows["shown"] == True) & ~nulls(rows, "shown")  # noqa: E712  (elementwise)
    if "position" in rows:
        return (rows["position"] > 0) & ~nulls(rows, "position")
    return np.ones(len(rows), bool)


def replaced_on_top(rows: Rows, template: int, hit: Mask, names: Sequence[str]) -> Rows:
    """In the requests hit, the first impression becomes the item of another row, unless they have that item already.

    Args:
        rows: of own logs.
        template: number of the row whose item it is.
        hit: (n_rows,) rows of the requests hit.
        names: the columns that belong to the item, beside ``item_id``.
    """
    places = np.unique(rows["request_id"].astype(str), return_inverse=True)[1].ravel()
    has_it = np.bincount(places, rows["item_id"] == rows["item_id"][template]) > 0
    may = hit & impressions(rows) & ~has_it[places]
    rank = rows["position"] if "position" in rows else np.arange(len(rows))
    ordered = np.flatnonzero(may)[np.lexsort((rank[may], places[may]))]
    first = np.zeros(len(rows), bool)
    first[ordered[np.diff(places[ordered], prepend=-1) != 0]] = True
    for name in dict.fromkeys(["item_id", *names]):
        if name in rows:
            is_null = nulls(rows, name)[template]
            rows = rows.with_null(name, first) if is_null else rows.with_value(name, first, rows[name][template])
    return rows


def closed_up(rows: Rows, where: Mask) -> Rows:
    """Impressions after some were taken away: in the rows chosen, those below a gap move up, in their order."""
    shown = impressions(rows) & where
    for name, counted in (("position", shown), ("final_rank", where)):
        if name in rows:
            known = counted & ~nulls(rows, name)
            groups, ranks = rows["request_id"][known], rows[name][known].astype(np.float64)
            rows = rows.with_value(name, known, numbered(groups, ranks)) if known.any() else rows
    return rows


def nulls(rows: Rows, name: str) -> Mask:
    """Where a column is NULL by its mark."""
    return rows.nulls.get(name, np.zeros(len(rows), bool))
