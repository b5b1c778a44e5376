"""The feature vector of a candidate: item and member features as of the request, what they say together, and the context."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsysops.drills.rows import Column, Rows
from recsysops.drills.world.coding import coded, language_table, numbered
from recsysops.drills.world.feature_store import AFFINITIES, EMBEDDING, Snapshots
from recsysops.drills.world.population import Floats
from recsysops.drills.world.vocabulary import DEVICES, GENRES, KINDS, LANGUAGES, MARKETS, SURFACES

ITEM_FEATURES = (
    "item_plays_1d", "item_plays_7d", "item_play_rate_7d", "item_completion_28d", "item_days_since_launch",
    "item_runtime_minutes", "item_release_age_years", "item_maturity_rating", "item_price", "item_artwork_variants",
)  # fmt: skip
MEMBER_FEATURES = (
    "member_plays_7d",
    "member_minutes_7d",
    "member_account_age_days",
    "member_usual_price",
    "member_seconds_since_play",
)
PAIR_FEATURES = ("taste_match", "genre_affinity", "lang_match", "price_gap")
CONTEXT_FEATURES = ("hour_of_day", "is_weekend")
NUMERIC = (*ITEM_FEATURES, *MEMBER_FEATURES, *PAIR_FEATURES, *CONTEXT_FEATURES)
CATEGORIES = {
    "item_genre": GENRES, "item_language": LANGUAGES, "item_kind": KINDS,
    "device": DEVICES, "surface": SURFACES, "market": MARKETS,
}  # fmt: skip
MODEL_FEATURES = (*NUMERIC, *CATEGORIES)
NAN_BY_NATURE = ("item_completion_28d", "completion_28d")
"""Computed as 0/0 where nothing was played: NaN, and written as NaN."""
FEATURE_SCHEMA = "features-7"
LANG_MATCH_MASK = "lang_match_is_default"


def assembled(requests: Rows, retrieved: Rows, store: Snapshots) -> Rows:
    """One row per candidate, float32 numbers and object categories, in the order of ``retrieved``.

    A language match that cannot be told is filled with 0 and marked in ``lang_match_is_default``.
    """
    request = retrieved["request"]
    is_new = (requests["ts"] >= store.available_at)[request]
    item = _as_of(store.items, store.previous_items, "item", retrieved["item"], is_new)
    member = _as_of(store.members, store.previous_members, "member", requests["member"][request], is_new)
    ts = requests["ts"][request]
    match, is_default = _language_match(item["language"], member["languages"])
    hour = (ts - ts.astype("datetime64[D]")) / np.timedelta64(1, "h")
    weekday = (ts.astype("datetime64[D]").astype(np.int64) + 3) % 7
    numbers = {
        **{f"item_{name}": item[name] for name in ("plays_1d", "plays_7d", "play_rate_7d", "completion_28d")},
        "item_days_since_launch": (ts - item["launch_at"]) / np.timedelta64(1, "D"),
        "item_release_age_years": 2026 - item["release_year"],
        **{f"item_{name}": item[name] for name in ("runtime_minutes", "maturity_rating", "price", "artwork_variants")},
        **{f"member_{name}": member[name] for name in ("plays_7d", "minutes_7d", "usual_price")},
        "member_account_age_days": (ts - member["joined_at"]) / np.timedelta64(1, "D"),
        "member_seconds_since_play": _seconds(ts, member["last_play_at"]),
        "taste_match": sum(item[name] * member[name] for name in EMBEDDING),
        "genre_affinity": _affinity(item["genre"], member),
        "lang_match": match,
        "price_gap": item["price"] - member["usual_price"],
        "hour_of_day": np.floor(hour),
        "is_weekend": (weekday >= 5).astype(np.float64),
    }
    return Rows(
        {
            **{name: np.asarray(numbers[name], np.float32) for name in NUMERIC},
            **{name: item[name.removeprefix("item_")] for name in ("item_genre", "item_language", "item_kind")},
            **{name: requests[name][request] for name in ("device", "surface", "market")},
            LANG_MATCH_MASK: is_default,
        }
    )


def _as_of(new: Rows, old: Rows, key: str, wanted: Column, is_new: Column) -> dict[str, Column]:
    """The values of every column for each wanted entity, from the snapshot that could be read at the time.

    An entity that a snapshot does not know gets missing values.
    """
    found_new, found_old = _places(new[key], wanted), _places(old[key], wanted)
    columns = {}
    for name in new:
        if name == key:
            continue
        before = old[name] if name in old else new[name][:0]
        columns[name] = np.where(is_new, _picked(new[name], found_new), _picked(before, found_old))
    return columns


def _places(keys: Column, wanted: Column) -> npt.NDArray[np.int64]:
    """Row of each wanted key, -1 where there is none. Of a repeated key the last row counts."""
    at = np.full(int(max(keys.max(initial=0), wanted.max(initial=0))) + 1, -1)
    at[keys] = np.arange(len(keys))
    return at[wanted]


def _picked(values: Column, at: npt.NDArray[np.int64]) -> Column:
    values = values.astype(np.float64) if values.dtype.kind in "iub" else values
    missing = _missing_of(values)
    padded = np.append(values, np.array([missing], values.dtype))
    return padded[np.where(at < len(values), at, -1)]


def _missing_of(values: Column) -> object:
    if values.dtype.kind == "M":
        return np.datetime64("NaT", "us")
    return None if values.dtype == object else np.nan


def _language_match(language: Column, languages: Column) -> tuple[Floats, Column]:
    """1 where a member speaks the item's language, else 0; and whether it could not be told."""
    spoken, which = numbered(languages)
    code = coded(language, LANGUAGES)
    unknown = (code < 0) | (languages == None)  # noqa: E711  (elementwise)
    return np.where(unknown, 0.0, language_table(spoken, LANGUAGES)[which, code]), np.asarray(unknown, bool)


def _affinity(genre: Column, member: dict[str, Column]) -> Floats:
    """The member's share of plays in the item's genre, NaN where the genre is not known."""
    code = coded(genre, GENRES)
    shares = np.stack([member[name] for name in AFFINITIES], axis=1)
    return np.where(code < 0, np.nan, shares[np.arange(len(code)), code])


def _seconds(ts: Column, last: Column) -> Floats:
    """Seconds since the last play, NaN where there was none."""
    return np.asarray((ts - last) / np.timedelta64(1, "s"))
