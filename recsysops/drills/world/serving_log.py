"""The serving log: whole requests, sampled by a hash-like draw, with candidates, features, scores, ranks and propensities."""

from __future__ import annotations

import numpy as np

from recsysops.drills.rows import Column, Rows
from recsysops.drills.world.catalogue import Items
from recsysops.drills.world.features import FEATURE_SCHEMA, LANG_MATCH_MASK, MODEL_FEATURES
from recsysops.drills.world.size import WorldSize

REQUEST_COLUMNS = (
    "request_id", "ts", "member_id", "market", "device", "surface", "consumer", "client_version", "host",
    "experiment_arm", "latency_ms", "seed",
)  # fmt: skip
FEATURE_COLUMNS = tuple(name for name in MODEL_FEATURES if name not in REQUEST_COLUMNS)


def logged(requests: Rows, ranked: Rows, features: Rows, items: Items, size: WorldSize, *, is_boosted: bool) -> Rows:
    """The rows written for one day, ordered by time, request and final rank.

    Ordinary requests are kept at ``size.log_rate``; randomised ones, those a fallback answered, and those with an item of
    ``size.logged_items`` (while ``is_boosted``) all. The inclusion probability is logged.
    """
    rate = _rates(requests, ranked, items, size, is_boosted)
    chosen = np.flatnonzero((requests["sampled"] < rate)[ranked["request"]])
    request = ranked["request"][chosen]
    order = np.lexsort((ranked["final_rank"][chosen], request))
    chosen, request = chosen[order], request[order]
    kept, vectors = ranked.take(chosen), features.take(chosen)
    is_shown = kept["is_shown"]
    rows = Rows(
        {
            **{name: requests[name][request] for name in REQUEST_COLUMNS},
            "item_id": items.ids[kept["item"]],
            "position": np.where(is_shown, kept["final_rank"], 0),
            "shown": is_shown,
            "raw_score": kept["raw_score"],
            "score": kept["score"],
            "raw_rank": kept["raw_rank"],
            "final_rank": kept["final_rank"],
            "propensity": kept["propensity"],
            "model_id": kept["model_id"],
            "candidate_source": kept["source"],
            "filtered_by": kept["filtered_by"],
            "override_generation": np.zeros(len(kept), np.int64),
            "sampling_rate": rate[request],
            "feature_schema": np.full(len(kept), FEATURE_SCHEMA, object),
            "fallback": kept["is_fallback"],
            "randomised": kept["is_randomised"],
            **{name: vectors[name] for name in (*FEATURE_COLUMNS, LANG_MATCH_MASK)},
        }
    )
    return rows.with_null("position", ~is_shown)


def _rates(requests: Rows, ranked: Rows, items: Items, size: WorldSize, is_boosted: bool) -> Column:
    """Inclusion probability of each request."""
    wanted = np.isin(items.ids[ranked["item"]], size.logged_items if is_boosted else ())
    always = ranked["is_randomised"] | ranked["is_fallback"] | wanted
    is_sure = np.bincount(ranked["request"], always, minlength=len(requests)) > 0
    return np.where(is_sure, 1.0, size.log_rate)
