"""Candidates from several sources, each with a quota; what several find belongs to the first of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from recsysops.drills.rows import Column, Rows
from recsysops.drills.world.coding import coded, language_table, numbered
from recsysops.drills.world.feature_store import AFFINITIES, EMBEDDING, Snapshots
from recsysops.drills.world.population import Floats
from recsysops.drills.world.size import stream
from recsysops.drills.world.vocabulary import GENRES, LANGUAGES, SOURCES

QUOTA: Mapping[str, int] = {"taste": 18, "popular": 10, "genre": 8, "trending": 5, "new": 7, "exploration": 4}
NEW_DAYS = 14.0
POPULAR_NOISE, TRENDING_NOISE, NEW_NOISE = 1.5, 4.0, 30.0
"""Popularity and growth (in logarithms) and age (in days) are blurred by chance, or everybody would have the same candidates."""
LANGUAGE_BONUS = 0.15
"""Added to the similarity of items in a language of the member's."""


def index(items: Rows) -> Rows:
    """The retrieval index built tonight: a row per item with its vector, and whether it is in (it needs a vector)."""
    vectors = {name: items[name] for name in EMBEDDING}
    has_vector = np.isfinite(np.stack(list(vectors.values()), axis=1)).all(axis=1)
    return Rows({"item": items["item"], "is_in": has_vector, **vectors})


def retrieved(
    requests: Rows, eligible: npt.NDArray[np.bool_], store: Snapshots, built: Rows, seed: int, number: int
) -> Rows:
    """One row per candidate, ordered by request and item: ``request``, ``item``, ``source``.

    Args:
        eligible: (n_requests, n_items) what may be shown to whom at that time.
    """
    scores = _scores(requests, eligible.shape[1], store, built, seed, number)
    found = np.full(eligible.shape, -1, np.int8)
    for code in reversed(range(len(SOURCES))):
        name = SOURCES[code]
        score = np.where(eligible & np.isfinite(scores[name]), scores[name], -np.inf)
        quota = min(QUOTA[name], score.shape[1] - 1)
        top = np.argpartition(-score, quota, axis=1)[:, :quota]
        is_real = np.isfinite(np.take_along_axis(score, top, axis=1))
        asking = np.repeat(np.arange(len(requests)), quota).reshape(top.shape)
        found[asking[is_real], top[is_real]] = code
    request, item = np.nonzero(found >= 0)
    return Rows({"request": request, "item": item, "source": np.array(SOURCES, object)[found[request, item]]})


def _scores(requests: Rows, n_items: int, store: Snapshots, built: Rows, seed: int, number: int) -> dict[str, Floats]:
    """What each source holds of each item for each request; NaN where it does not have it. (n_requests, n_items) or (n_items,)."""
    items = store.items
    member = _members(store.members, requests["member"])
    age = (requests["ts"].max() - items["launch_at"]) / np.timedelta64(1, "D")
    plays = items["plays_7d"] / 7
    growth = np.log((items["plays_1d"] + 5) / (plays + 5))
    rng = stream(seed, "retrieval", number)
    draws, luck = (rng.random((len(requests), n_items), np.float32) for _ in range(2))
    return {
        "taste": _similarity(built, items, member, n_items),
        "popular": _dense(items, np.log1p(items["plays_7d"]), n_items) + POPULAR_NOISE * luck,
        "genre": _by_genre(items, member, n_items) + 0.2 * draws,
        "trending": _dense(items, growth, n_items) + TRENDING_NOISE * luck,
        "new": _dense(items, np.where(age <= NEW_DAYS, -age, np.nan), n_items) + NEW_NOISE * draws,
        "exploration": draws,
    }


def _similarity(built: Rows, items: Rows, member: Mapping[str, Column], n_items: int) -> Floats:
    """Vector of the member against the index, with a bonus for languages the member speaks."""
    inside = built.take(built["is_in"])
    vectors = np.stack([_dense(inside, inside[name], n_items) for name in EMBEDDING])
    tastes = np.stack([member[name] for name in EMBEDDING], axis=1)
    spoken, which = numbered(member["languages"])
    code = np.full(n_items, -1)
    code[items["item"]] = coded(items["language"], LANGUAGES)
    speaks = language_table(spoken, LANGUAGES)[:, code]
    return np.asarray(tastes @ vectors + LANGUAGE_BONUS * speaks[which])


def _by_genre(items: Rows, member: Mapping[str, Column], n_items: int) -> Floats:
    """The member's share of plays in the item's genre, and a little of how well it is played."""
    shares = np.stack([*(member[name] for name in AFFINITIES), np.full(len(member["languages"]), np.nan)], axis=1)
    code = np.full(n_items, -1)
    code[items["item"]] = coded(items["genre"], GENRES)
    return np.asarray(shares[:, code] + _dense(items, items["play_rate_7d"], n_items))


def _members(snapshot: Rows, wanted: Column) -> dict[str, Column]:
    """Features of the members who ask; those the store does not know have the values of nobody in particular."""
    at = np.full(int(max(snapshot["member"].max(initial=0), wanted.max(initial=0))) + 1, -1)
    at[snapshot["member"]] = np.arange(len(snapshot))
    place = at[wanted]
    columns = {}
    for name in (*AFFINITIES, *EMBEDDING):
        values = np.append(np.nan_to_num(snapshot[name]), 0.0)
        columns[name] = values[place]
    columns["languages"] = np.append(snapshot["languages"], np.array([None], object))[place]
    return columns


def _dense(rows: Rows, values: Column, n_items: int) -> Floats:
    """Values by item number, NaN for items that have none."""
    dense = np.full(n_items, np.nan)
    dense[rows["item"]] = values
    return dense
