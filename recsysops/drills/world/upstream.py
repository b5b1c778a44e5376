"""The upstream systems: what they know today of items and members, which is less than the truth and arrives in time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsysops.drills.rows import Column, Rows
from recsysops.drills.world.catalogue import Items
from recsysops.drills.world.population import Integers, Population
from recsysops.drills.world.size import WorldSize
from recsysops.drills.world.vocabulary import COUNTRY_OF, GENRES, KINDS, LANGUAGES, MARKETS, OWNERS, TIERS

KNOWN_AHEAD_DAYS = 42
KNOWN_AFTER_DAYS = 14
"""An expired item stays in the export so long."""


def midnight(size: WorldSize, number: float) -> np.datetime64:
    """The moment of a day number, UTC."""
    return np.datetime64(size.begin, "us") + np.timedelta64(round(number * 86_400_000_000), "us")


def moments(size: WorldSize, numbers: npt.NDArray[np.float64]) -> Column:
    """Many moments of day numbers."""
    micros = np.round(np.nan_to_num(numbers, posinf=0.0) * 86_400_000_000).astype("timedelta64[us]")
    times = np.datetime64(size.begin, "us") + micros
    return np.where(np.isfinite(numbers), times, np.datetime64("NaT", "us"))


def catalogue(items: Items, size: WorldSize, number: int) -> Rows:
    """The export of one day: items known so far, with the fields that have been filled in.

    ``item`` is the item's number in the simulation and is not written.
    """
    known = (items.launch <= number + KNOWN_AHEAD_DAYS) & (items.expiry > number - KNOWN_AFTER_DAYS)
    item = np.flatnonzero(known)
    filled = {name: days[item] <= number for name, days in items.filled.items()}
    language = words(LANGUAGES, items.language[item])
    country = np.array([COUNTRY_OF[one] for one in language], object)
    return Rows(
        {
            "item": item,
            "item_id": items.ids[item],
            "title": items.title[item],
            "launch_at": moments(size, items.launch[item]),
            "expected_audience": items.audience[item],
            "tier": words(TIERS, items.tier[item]),
            "owner": words(OWNERS, items.genre[item] % len(OWNERS)),
            "kind": _known(words(KINDS, items.kind[item]), filled["kind"]),
            "genre": _known(words(GENRES, items.genre[item]), filled["genre"]),
            "original_language": _known(language, filled["original_language"]),
            "country": _known(country, filled["country"]),
            "maturity_rating": np.where(filled["maturity_rating"], items.rating[item], np.nan),
            "runtime_minutes": np.where(filled["runtime_minutes"], items.runtime[item], np.nan),
            "release_year": items.release_year[item].astype(np.float64),
            "price": np.where(filled["price"], items.price[item], np.nan),
            "artwork_variants": np.where(filled["artwork_variants"], items.artwork[item], np.nan),
            "franchise": _known(
                words([f"franchise-{k}" for k in range(40)], items.franchise[item]), items.franchise[item] >= 0
            ),
        }
    )


def availability(items: Items, size: WorldSize, number: int) -> Rows:
    """Where and when the items may be shown that became known on a day (on the first day: all that were)."""
    first_known = np.maximum(np.ceil(items.launch - KNOWN_AHEAD_DAYS), 0)
    item, market = np.nonzero(items.markets & (first_known == number)[:, None])
    return Rows(
        {
            "item_id": items.ids[item],
            "market": words(MARKETS, market),
            "from": moments(size, items.launch[item]),
            "to": moments(size, items.expiry[item]),
        }
    )


def profiles(members: Population, size: WorldSize, number: int) -> Rows:
    """Who the members are, one row each for those who have joined; ``languages`` is joined by commas, in order."""
    member = np.flatnonzero(members.joined <= number)
    return Rows(
        {
            "member": member,
            "member_id": members.ids[member],
            "market": words(MARKETS, members.market[member]),
            "languages": _languages(members.speaks[member]),
            "rating_limit": members.rating_limit[member].astype(np.float64),
            "joined_at": moments(size, members.joined[member].astype(np.float64)),
        }
    )


def words(vocabulary: tuple[str, ...] | list[str], codes: Integers) -> npt.NDArray[np.object_]:
    """Texts of codes."""
    return np.array(vocabulary, object)[codes]


def _known(values: Column, is_known: Column) -> Column:
    return np.asarray(np.where(is_known, values, np.array(None, object)))


def _languages(speaks: npt.NDArray[np.bool_]) -> Column:
    """Texts like ``en,nb``; few different ones, so each is made once."""
    patterns, which = np.unique(speaks, axis=0, return_inverse=True)
    texts = [",".join(LANGUAGES[k] for k in np.flatnonzero(row)) for row in patterns]
    return np.array(texts, object)[which.ravel()]
