"""The feature store: every night a snapshot of item and member features, from upstream tables and the plays that arrived."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsysops.drills.rows import Column, Rows
from recsysops.drills.world.population import Floats
from recsysops.drills.world.size import WorldSize, stream
from recsysops.drills.world.upstream import midnight
from recsysops.drills.world.vocabulary import GENRES, N_TASTES, PLAY_MINUTES

EMBEDDING = tuple(f"emb_{k}" for k in range(N_TASTES))
AFFINITIES = tuple(f"affinity_{genre}" for genre in GENRES)
ITEM_COLUMNS = (
    "plays_1d", "plays_7d", "play_rate_7d", "completion_28d", "launch_at", "runtime_minutes", "release_year",
    "maturity_rating", "price", "artwork_variants", "genre", "language", "kind", *EMBEDDING,
)  # fmt: skip
MEMBER_COLUMNS = (
    "plays_7d", "minutes_7d", "usual_price", "last_play_at", "joined_at", "languages", *AFFINITIES, *EMBEDDING,
)  # fmt: skip
PRIOR_PLAYS, PRIOR_RATE = 40.0, 0.18
"""Play rates are shrunk as if this many impressions had been played at this rate."""
WINDOW_DAYS = 28


@dataclass(frozen=True)
class Snapshots:
    """The feature store as serving reads it: tonight's snapshot from ``available_at`` on, last night's before."""

    items: Rows
    members: Rows
    previous_items: Rows
    previous_members: Rows
    available_at: np.datetime64


def encoded(taste: Floats, seed: int) -> Floats:
    """What the content encoder makes of items: their taste with some error, always the same."""
    return np.asarray(taste + 0.25 * stream(seed, "embeddings").normal(size=taste.shape))


def item_features(
    catalogue: Rows, events: Rows, impressions: Floats, vectors: Floats, size: WorldSize, number: int
) -> Rows:
    """Tonight's snapshot, one row per item of the catalogue.

    Args:
        events: plays of the last 28 days as they arrived.
        impressions: (7, n_items) impressions of the last seven days, last column of days first.
        vectors: (n_items, 8) of the content encoder, NaN where it has not run.
    """
    n, item = impressions.shape[1], catalogue["item"]
    success = events["minutes"] >= PLAY_MINUTES
    age = days_before(events["ts"], size, number)
    plays_1d = np.bincount(events["item"][success & (age <= 1)], minlength=n)
    plays_7d = np.bincount(events["item"][success & (age <= 7)], minlength=n)
    from_slate = np.bincount(events["item"][success & (age <= 7) & (events["origin"] == "slate")], minlength=n)
    plays = np.bincount(events["item"][success], minlength=n)
    minutes = np.bincount(events["item"][success], events["minutes"][success], minlength=n)
    shown = impressions.sum(axis=0)
    completion = np.full(len(item), np.nan)
    np.divide(minutes[item], plays[item] * catalogue["runtime_minutes"], out=completion, where=plays[item] > 0)
    return Rows(
        {
            "item": item,
            "key": catalogue["item_id"],
            "plays_1d": plays_1d[item].astype(np.float64),
            "plays_7d": plays_7d[item].astype(np.float64),
            "play_rate_7d": (from_slate[item] + PRIOR_PLAYS * PRIOR_RATE) / (shown[item] + PRIOR_PLAYS),
            "completion_28d": completion,
            **{name: catalogue[name] for name in ("launch_at", "runtime_minutes", "release_year")},
            **{name: catalogue[name] for name in ("maturity_rating", "price", "artwork_variants", "genre")},
            "language": catalogue["original_language"],
            "kind": catalogue["kind"],
            **{name: vectors[item, k] for k, name in enumerate(EMBEDDING)},
        }
    )


def member_features(profiles: Rows, events: Rows, items: Rows, size: WorldSize, number: int) -> Rows:
    """Tonight's snapshot, one row per member.

    Args:
        events: plays of the last 28 days as they arrived.
        items: tonight's item features: tastes and habits are learned from what was played.
    """
    member = profiles["member"]
    n = int(member.max(initial=-1)) + 1
    known = events["member"] < n
    events = events.take(known & (events["minutes"] >= PLAY_MINUTES))
    who, age = events["member"], days_before(events["ts"], size, number)
    week = age <= 7
    at = np.full(int(items["item"].max(initial=0)) + 1, -1)
    at[items["item"]] = np.arange(len(items))
    row = at[events["item"].clip(max=len(at) - 1)]
    last = np.full(n, np.datetime64("NaT", "us"))
    np.fmax.at(last, who, events["ts"])
    return Rows(
        {
            "member": member,
            "key": profiles["member_id"],
            "plays_7d": np.bincount(who[week], minlength=n)[member].astype(np.float64),
            "minutes_7d": np.round(np.bincount(who[week], events["minutes"][week], minlength=n)[member], 1),
            "usual_price": np.round(_means(items["price"][row], who, n, weight=2.0), 2)[member],
            "last_play_at": last[member],
            "joined_at": profiles["joined_at"],
            "languages": profiles["languages"],
            **_affinities(items["genre"][row], who, n, member),
            **_tastes(items, row, who, n, member),
        }
    )


def days_before(times: Column, size: WorldSize, number: int) -> Floats:
    """How many days before the midnight that begins day ``number``."""
    elapsed: Column = midnight(size, number) - times
    return np.asarray(elapsed / np.timedelta64(1, "D"))


def _means(values: Floats, who: Column, n: int, weight: float) -> Floats:
    """Mean per member, shrunk towards zero by ``weight`` plays; missing values are left out."""
    known = np.isfinite(values)
    total = np.bincount(who[known], values[known], minlength=n)
    return np.asarray(total / (np.bincount(who[known], minlength=n) + weight))


def _affinities(genre: Column, who: Column, n: int, member: Column) -> dict[str, Floats]:
    """Share of a member's plays by genre, shrunk towards an even split by three plays."""
    plays = np.bincount(who, minlength=n)
    return {
        f"affinity_{name}": np.round(
            ((np.bincount(who[genre == name], minlength=n) + 3 / len(GENRES)) / (plays + 3))[member], 4
        )
        for name in GENRES
    }


def _tastes(items: Rows, row: Column, who: Column, n: int, member: Column) -> dict[str, Floats]:
    """Mean vector of what a member played, shrunk towards nothing by one play."""
    return {name: np.round(_means(items[name][row], who, n, weight=1.0), 4)[member] for name in EMBEDDING}
