"""Business rules after scoring: what may not be shown, pins, and a cap per genre."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsysops.drills.rows import Column, Rows
from recsysops.drills.world.catalogue import Items
from recsysops.drills.world.coding import numbered
from recsysops.drills.world.population import Floats, Integers
from recsysops.drills.world.size import WorldSize, stream
from recsysops.drills.world.upstream import moments
from recsysops.drills.world.vocabulary import MARKETS, SLATE

GENRE_CAP = 3
PIN_DAYS, PIN_EVERY = 3, 9
SUPPRESS_DAYS, SUPPRESS_EVERY = 7, 11


def rules(items: Items, size: WorldSize, seed: int, number: int) -> Rows:
    """The rules in force on a day: one cap, every ninth day a pin for three days, now and then an item without rights.

    Columns ``rule`` (its id), ``kind`` (cap, pin, suppress), ``item_id`` ("" for none), ``market`` ("" for all), ``slot``,
    ``limit``, ``reach`` (share of requests that a cap is applied to), ``expires_at``.
    """
    found = [("cap-genre", "cap", -1, "", 0, GENRE_CAP, np.inf)]
    pinned = (begin for begin in range(max(0, number - PIN_DAYS + 1), number + 1) if begin % PIN_EVERY == 4)
    found += [("", "pin", *_one(items, seed, begin, 5), 3, 0, begin + PIN_DAYS) for begin in pinned]
    held = (begin for begin in range(max(0, number - SUPPRESS_DAYS + 1), number + 1) if begin % SUPPRESS_EVERY == 7)
    found += [("", "suppress", *_one(items, seed, begin, 6), 0, 0, begin + SUPPRESS_DAYS) for begin in held]
    named = [
        (name or f"{kind}-{items.ids[item]}-{market}", kind, item, market, *rest)
        for name, kind, item, market, *rest in found
    ]
    columns = list(zip(*named, strict=True))
    return Rows(
        {
            "rule": np.array(columns[0], object),
            "kind": np.array(columns[1], object),
            "item_id": np.array([items.ids[item] if item >= 0 else "" for item in columns[2]], object),
            "market": np.array(columns[3], object),
            "slot": np.array(columns[4], np.int64),
            "limit": np.array(columns[5], np.int64),
            "reach": np.ones(len(named)),
            "expires_at": moments(size, np.array(columns[6], np.float64)),
        }
    )


def _one(items: Items, seed: int, begin: int, salt: int) -> tuple[int, str]:
    """An item that is live, and a market."""
    rng = stream(seed, "upstream", 1_000 * salt + begin)
    live = np.flatnonzero(items.live(begin) & (items.quality > 0.3))
    return int(rng.choice(live)), MARKETS[int(rng.integers(0, 3))]


def filtered_by(
    requests: Rows, retrieved: Rows, in_force: Rows, rating: Floats, limit: Floats, seen: npt.NDArray[np.bool_]
) -> Column:
    """Why a candidate may not be shown, or None: per candidate of ``retrieved``.

    Args:
        rating: maturity rating of each candidate as upstream knows it; unknown ones are kept from nobody but children.
        limit: the highest rating the member is allowed, per candidate.
        seen: whether the member has played it within four weeks, per candidate.
    """
    reason = np.full(len(retrieved), None, object)
    reason[seen] = "seen"
    reason[np.where(np.isfinite(rating), rating, 12) > limit] = "maturity"
    market = requests["market"][retrieved["request"]]
    for rule in np.flatnonzero(in_force["kind"] == "suppress"):
        hit = (retrieved["item_id"] == in_force["item_id"][rule]) & _in_market(market, in_force["market"][rule])
        reason[hit] = "rights"
    return reason


def ranks(request: Integers, score: Floats, item: Integers) -> Integers:
    """1-based rank of each candidate within its request, by score; ties go to the older item.

    Candidates must be ordered by request.
    """
    order = np.lexsort((item, -score, request))
    return _numbered(request, order)


def final_ranks(
    retrieved: Rows, market: Column, score: Floats, reason: Column, genre: Column, in_force: Rows
) -> Integers:
    """Rank after policy: what is filtered last, beyond the cap of its genre below the slate, pins no lower than their slots."""
    request, item = retrieved["request"], retrieved["item"]
    is_out = reason != None  # noqa: E711  (elementwise)
    safe = np.where(np.isnan(score), -np.inf, score)
    order = np.lexsort((item, -safe, is_out, request))
    genre_code = numbered(genre)[1]
    group = request * (genre_code.max(initial=0) + 1) + genre_code
    is_beyond = _numbered(group, order[np.argsort(group[order], kind="stable")]) > _caps(request, in_force)
    order = np.lexsort((item, -safe, is_beyond, is_out, request))
    place = _numbered(request, order).astype(np.float64)
    for rule in np.flatnonzero(in_force["kind"] == "pin"):
        is_it = retrieved["item_id"] == in_force["item_id"][rule]
        hit = is_it & _in_market(market, in_force["market"][rule]) & ~is_out
        place[hit] = np.minimum(place[hit], in_force["slot"][rule] - 0.5)
    return _numbered(request, np.lexsort((item, place, request)))


def _caps(request: Integers, in_force: Rows) -> Integers:
    """The strictest cap that reaches each candidate's request; requests are reached in the order of a number of their own."""
    lot = request * 0.618_033_988_749_895 % 1
    caps = np.full(len(request), SLATE)
    for rule in np.flatnonzero(in_force["kind"] == "cap"):
        caps = np.where(lot < in_force["reach"][rule], np.minimum(caps, in_force["limit"][rule]), caps)
    return caps


def _numbered(group: Integers, order: Integers) -> Integers:
    """1-based place within its group of each row, along an order that is sorted by group."""
    sorted_group = group[order]
    starts = np.flatnonzero(np.r_[True, sorted_group[1:] != sorted_group[:-1]]) if len(order) else np.zeros(0, np.int64)
    lengths = np.diff(np.r_[starts, len(order)])
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order)) - np.repeat(starts, lengths) + 1
    return places


def _in_market(market: Column, wanted: str) -> npt.NDArray[np.bool_]:
    return np.ones(len(market), bool) if wanted == "" else np.asarray(market == wanted)
