"""A log of one ordinary day to plant faults in, and the site that it is."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from recsysops.drills.rows import Column, Rows
from recsysops.drills.site import Site
from recsysops.drills.sites.column_facts import Grouped, category_facts, codes_of, number_facts
from recsysops.drills.world.features import CATEGORIES, LANG_MATCH_MASK, NUMERIC
from recsysops.drills.world.vocabulary import DEVICES, MARKET_SHARES, MARKETS, SURFACES

N_REQUESTS, SLATE, N_MEMBERS, N_ITEMS = 300, 8, 120, 40
DAY = np.datetime64("2026-11-02T00:00:00", "us")
ROW = "\x00row"
"""Column with the number of each row: by it a changed row is told from a new one. No log can have a column of that name."""
SLICES = ("market", "device", "surface")
OUTCOME_ROLES = ("request_id", "ts", "item_id", "member_id", "kind", "value", "origin", "ingested_at")
_NOT_ROLES = (*NUMERIC, *CATEGORIES, *SLICES, LANG_MATCH_MASK, ROW)


@cache
def example_candidates(seed: int = 0) -> Rows:
    """300 requests of eight candidates as faults on own logs see them: roles by role name, features and slices by their own.

    Features are those of the simulated service, at random: ``item_…`` are constant over an item's rows, ``member_…`` over
    a member's, the rest varies by row; of each, 3 % are NULL.
    """
    rng = np.random.default_rng(seed)
    request = np.repeat(np.arange(N_REQUESTS), SLATE)
    n = len(request)
    place = np.tile(np.arange(1, SLATE + 1), N_REQUESTS)
    member = rng.integers(0, N_MEMBERS, N_REQUESTS)[request]
    item = np.minimum(rng.exponential(8, n).astype(np.int64), N_ITEMS - 1)
    raw = rng.normal(size=n)
    columns: dict[str, Column] = {
        "request_id": _texts("r", request),
        "ts": DAY + np.sort(rng.integers(0, 86_400, N_REQUESTS))[request].astype("timedelta64[s]"),
        "item_id": _texts("i", item),
        "member_id": _texts("m", member),
        "position": place,
        "shown": place <= SLATE - 2,
        "raw_score": raw,
        "score": 1 / (1 + np.exp(-raw)),
        "raw_rank": place,
        "final_rank": place,
        "propensity": rng.uniform(0.01, 1, n),
        "price": 50.0 + 10 * (item % 7),
        "latency_ms": rng.exponential(30, N_REQUESTS)[request],
        "fallback": (rng.random(N_REQUESTS) < 0.02)[request],
        "sampling_rate": np.full(n, 0.5),
        **{name: _texts(f"{name}-", rng.integers(0, 3, N_REQUESTS))[request] for name in _LABELS},
        "candidate_source": np.array(["taste", "popular", "new"], object)[rng.integers(0, 3, n)],
        "market": rng.choice(np.array(MARKETS, object), N_REQUESTS, p=MARKET_SHARES)[request],
        "device": np.array(DEVICES, object)[rng.integers(0, len(DEVICES), N_REQUESTS)][request],
        "surface": np.array(SURFACES, object)[rng.integers(0, len(SURFACES), N_REQUESTS)][request],
    }
    of = {"item": item, "member": member}
    for name in NUMERIC:
        values = rng.normal(2, 1, n).astype(np.float32)
        columns[name] = values[of.get(name.partition("_")[0], np.arange(n))]
    for name, words in CATEGORIES.items():
        if name not in SLICES:
            columns[name] = np.array(words, object)[rng.integers(0, len(words), N_ITEMS)][item]
    columns[LANG_MATCH_MASK] = rng.random(n) < 0.05
    nulls = {name: rng.random(n) < 0.03 for name in (*NUMERIC, *CATEGORIES) if name not in SLICES}
    return Rows({**columns, ROW: np.arange(n)}, nulls)


_LABELS = ("model_id", "feature_schema", "host", "client_version", "consumer", "experiment_arm")


@cache
def example_outcomes(seed: int = 0) -> Rows:
    """A play of about every tenth of ``example_candidates``, and some from search, with their delays."""
    rng = np.random.default_rng((seed, 1))
    candidates = example_candidates(seed)
    played = candidates.take(rng.random(len(candidates)) < 0.1)
    n = len(played)
    ts = played["ts"] + rng.integers(1, 600, n).astype("timedelta64[s]")
    columns: dict[str, Column] = {
        **{name: played[name] for name in ("request_id", "item_id", "member_id")},
        "ts": ts,
        "kind": np.full(n, "play", object),
        "value": rng.exponential(20, n),
        "origin": np.array(["slate", "search"], object)[(rng.random(n) < 0.2).astype(int)],
        "ingested_at": ts + (1e6 * rng.exponential(300, n)).astype("timedelta64[us]"),
        ROW: np.arange(n),
    }
    return Rows(columns, {"request_id": columns["origin"] == "search"})


@cache
def example_site(*, is_simulated: bool = False) -> Site:
    """The site of these rows, with every role of candidates and outcomes, as if there were eight times as many of them."""
    rows, outcomes = example_candidates(), example_outcomes()
    arrays = {name: _arrow(rows, name) for name in rows}
    grouped = Grouped.of(codes_of(arrays["request_id"]), codes_of(arrays["member_id"]), codes_of(arrays["item_id"]))
    numbers = {name: number_facts(arrays[name], grouped) for name in (*NUMERIC, "score", "price")}
    words = {name: category_facts(arrays[name], grouped) for name in CATEGORIES if name not in SLICES}
    counts = dict(zip(*np.unique(rows["item_id"].astype(str), return_counts=True), strict=True))
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    n_requests, n_rows = 8.0 * N_REQUESTS, 8.0 * len(rows)
    return Site(
        {**numbers, **words},
        {name: dict(category_facts(arrays[name], grouped).values) for name in SLICES},
        {
            "candidates": frozenset(name for name in rows if name not in _NOT_ROLES),
            "outcomes": frozenset(OUTCOME_ROLES),
            "items": frozenset({"item_id", "launch_at", "tier", "owner", "as_of"}),
        },
        n_rows=n_rows,
        n_requests=n_requests,
        n_members=4.0 * N_MEMBERS,
        n_outcomes=8.0 * len(outcomes),
        n_items=float(len(counts)),
        outcome_rate=len(outcomes) / float(np.count_nonzero(rows["shown"])),
        top_item_share=float(counts[ranked[0]] / len(rows)),
        item_ids=tuple(map(str, ranked)),
        launched_ids=tuple(map(str, ranked[5:8])),
        is_simulated=is_simulated,
    )


def bare_sites() -> tuple[Site, ...]:
    """Sites where much is missing: nothing at all, no features, no roles but the required ones, no slices, hardly any rows."""
    from dataclasses import replace

    full = example_site()
    required = {"candidates": frozenset({"request_id", "ts", "item_id"})}
    nothing = Site({}, {}, required, n_rows=0, n_requests=0, n_members=0, n_outcomes=0)
    constant = {name: replace(facts, sd=0.0, mean=0.0, values={}) for name, facts in full.columns.items()}
    return (
        nothing,
        replace(full, columns={}),
        replace(full, roles=required),
        replace(full, slices={}),
        replace(full, item_ids=(), launched_ids=()),
        replace(full, columns=constant),
        replace(full, n_rows=3.0, n_requests=1.0, n_members=1.0, n_outcomes=0.0, n_items=1.0, outcome_rate=0.0),
    )


def _texts(prefix: str, numbers: Any) -> Column:
    return np.array([f"{prefix}{number}" for number in numbers], object)


def _arrow(rows: Rows, name: str) -> pa.Array:
    return pa.array(rows[name], mask=rows.nulls.get(name))
