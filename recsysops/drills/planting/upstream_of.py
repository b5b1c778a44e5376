"""Which upstream column a feature of the simulated service comes from, and what follows when that column is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from recsysops.drills.planting.touched import CANDIDATE_MIX, EXPOSURE, SCORES

_ITEM_COLUMNS = (
    "plays_1d", "plays_7d", "play_rate_7d", "completion_28d", "runtime_minutes", "maturity_rating", "price",
    "artwork_variants", "genre", "language", "kind",
)  # fmt: skip
FEATURES_FROM: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **{f"item_features.{name}": (f"item_{name}",) for name in _ITEM_COLUMNS},
        "item_features.genre": ("item_genre", "genre_affinity"),
        "item_features.language": ("item_language", "lang_match"),
        "item_features.price": ("item_price", "price_gap"),
        "item_features.launch_at": ("item_days_since_launch",),
        "item_features.release_year": ("item_release_age_years",),
        "member_features.plays_7d": ("member_plays_7d",),
        "member_features.minutes_7d": ("member_minutes_7d",),
        "member_features.usual_price": ("member_usual_price", "price_gap"),
        "member_features.joined_at": ("member_account_age_days",),
        "member_features.last_play_at": ("member_seconds_since_play",),
        "member_features.languages": ("lang_match",),
    }
)
"""Column of the feature store → the candidates' features computed from it, its own first."""
_SOURCES: Mapping[str, str] = MappingProxyType(
    {features[0]: source for source, features in FEATURES_FROM.items() if features[0] != "lang_match"}
)
CATALOGUE_OF: Mapping[str, str] = MappingProxyType(
    {
        "item_features.language": "original_language",
        **{f"item_features.{name}": name for name in ("genre", "kind", "maturity_rating", "runtime_minutes", "price")},
        **{f"item_features.{name}": name for name in ("artwork_variants", "launch_at", "release_year")},
    }
)
"""Column of the feature store → column of the catalogue that it is copied from."""
_LATER = MappingProxyType(
    {
        "item_features.genre": ("member_features.affinity_*",),
        "item_features.price": ("member_features.usual_price", "candidates.member_usual_price"),
        "item_features.language": ("candidates.lang_match_is_default",),
        "member_features.languages": ("candidates.lang_match_is_default",),
    }
)
"""What else is computed from a column: habits of members are learned from the items that they played."""

_READ_BY_RETRIEVAL = frozenset(
    {
        *(
            f"item_features.{name}"
            for name in ("plays_1d", "plays_7d", "play_rate_7d", "genre", "language", "launch_at")
        ),
        "member_features.languages",
    }
)


def upstream_of(feature: str) -> str:
    """The one column of the feature store that a feature is a function of (``member_features.minutes_7d``), else ""."""
    return _SOURCES.get(feature, "")


def features_of_table(table: str) -> tuple[str, ...]:
    """Features that come from a column of this table of the feature store alone."""
    return tuple(feature for feature, source in _SOURCES.items() if source.startswith(f"{table}."))


def synonyms(source: str) -> tuple[str, ...]:
    """Names that all mean this column: its own, without its table, its feature's, and that of the catalogue."""
    column = source.partition(".")[2]
    feature = FEATURES_FROM[source][0]
    catalogue = CATALOGUE_OF.get(source)
    own = (source, column, f"candidates.{feature}", feature)
    return (*own, f"items.{catalogue}") if catalogue else own


def touched_by(source: str) -> tuple[str, ...]:
    """Where symptoms may rightly show when the column is wrong: itself, its features, scores, and who is shown.

    What retrieval reads moves the mix of candidates as well.
    """
    features = tuple(f"candidates.{name}" for name in FEATURES_FROM[source])
    price = ("candidates.price",) if source == "item_features.price" else ()
    mix = CANDIDATE_MIX if source in _READ_BY_RETRIEVAL else ()
    later = (f"items.{CATALOGUE_OF[source]}",) if source in CATALOGUE_OF else ()
    return tuple(dict.fromkeys((source, *features, *price, *_LATER.get(source, ()), *later, *SCORES, *EXPOSURE, *mix)))
