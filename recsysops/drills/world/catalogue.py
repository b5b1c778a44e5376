"""Items as they truly are, with their launches and expiries over the whole simulation and a month beyond."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.drills.world.population import Floats, Integers
from recsysops.drills.world.size import WorldSize, stream
from recsysops.drills.world.vocabulary import (
    FIRST_WORDS,
    GENRE_SHARES,
    GENRES,
    LANGUAGE_SHARES,
    LANGUAGES,
    LAST_WORDS,
    MARKETS,
    N_TASTES,
    RATINGS,
)

AHEAD_DAYS = 30
"""Launches are planned so far beyond the simulated days."""
FILL_DAYS: Mapping[str, tuple[float, float]] = {
    "original_language": (34, 3), "country": (34, 3), "genre": (32, 4), "kind": (38, 1), "maturity_rating": (12, 2.5),
    "runtime_minutes": (18, 4), "price": (14, 3), "artwork_variants": (8, 2.5), "embedding": (6, 2),
}  # fmt: skip
"""Days before its launch on which a field is usually filled in: mean and standard deviation."""


@dataclass(frozen=True)
class Items:
    """Arrays over all items there will ever be, (n_items,) unless said otherwise."""

    ids: npt.NDArray[np.object_]
    title: npt.NDArray[np.object_]
    kind: Integers
    genre: Integers
    language: Integers
    rating: Integers
    runtime: Floats
    """Minutes."""
    release_year: Integers
    price: Floats
    """Rental price; 0 for what the subscription includes."""
    artwork: Integers
    franchise: Integers
    """Number of the franchise, -1 for none."""
    tier: Integers
    audience: Floats
    """Members expected in the first week, by the content team's guess."""
    taste: Floats
    """(n_items, N_TASTES): who likes it."""
    quality: Floats
    """How much everybody likes it, in logits."""
    launch: Floats
    """Day number with fraction; negative for what was there before."""
    expiry: Floats
    """Day number; infinity for most."""
    markets: npt.NDArray[np.bool_]
    """(n_items, n_markets): where it may be shown."""
    filled: Mapping[str, Floats]
    """Field → day number from which upstream knows it."""

    def __len__(self) -> int:
        return len(self.ids)

    def live(self, number: float) -> npt.NDArray[np.bool_]:
        """Items that have launched and not expired."""
        return (self.launch <= number) & (number < self.expiry)


def items(size: WorldSize, seed: int) -> Items:
    """Draw the catalogue."""
    rng = stream(seed, "items")
    launch = _launches(size, rng)
    n, n_old = len(launch), size.n_titles
    genre = rng.choice(len(GENRES), n, p=np.array(GENRE_SHARES) / sum(GENRE_SHARES))
    language = rng.choice(len(LANGUAGES), n, p=np.array(LANGUAGE_SHARES) / sum(LANGUAGE_SHARES))
    franchise = np.where(rng.random(n) < 0.25, rng.integers(0, 40, n), -1)
    taste = rng.normal(size=(n, N_TASTES)) + 1.2 * rng.normal(size=(len(GENRES), N_TASTES))[genre]
    quality = rng.normal(0, 0.45, n) + np.where(franchise >= 0, rng.normal(0, 0.25, 40)[franchise], 0)
    is_family = np.isin(genre, [GENRES.index("family"), GENRES.index("animation")])
    ids = [*range(10_001, 10_001 + n_old), *range(size.first_launch, size.first_launch + n - n_old)]
    return Items(
        ids=np.array([str(one) for one in ids], object),
        title=_titles(n, rng),
        kind=(rng.random(n) < 0.45).astype(np.int64),
        genre=genre,
        language=language,
        rating=np.where(is_family, rng.choice(RATINGS[:3], n), rng.choice(RATINGS[2:], n, p=[0.2, 0.35, 0.35, 0.1])),
        runtime=np.round(rng.normal(98, 22, n).clip(22, 210)),
        release_year=np.where(np.arange(n) < n_old, 2026 - rng.geometric(0.12, n), 2026).clip(1960),
        price=np.where(rng.random(n) < 0.18, rng.choice([39.0, 49.0, 69.0, 99.0], n), 0.0),
        artwork=rng.integers(3, 9, n),
        franchise=franchise,
        tier=(quality + rng.normal(0, 0.6, n) < np.array([[0.9], [0.1]])).sum(axis=0),
        audience=np.round(size.n_members * 0.08 * np.exp(0.5 * quality + rng.normal(0, 0.4, n))),
        taste=taste / np.linalg.norm(taste, axis=1, keepdims=True),
        quality=quality,
        launch=launch,
        expiry=_expiries(launch, rng),
        markets=rng.random((n, len(MARKETS))) < np.array([0.97, 0.97, 0.96, 0.93, 0.85]),
        filled={name: _filled(launch, *days, rng) for name, days in FILL_DAYS.items()},
    )


def _launches(size: WorldSize, rng: np.random.Generator) -> Floats:
    """What was there, and then a Poisson number of launches a day at 00:00, 06:00 or 18:00 UTC, in the order of time."""
    n_days = size.warm_up_days + size.n_days + AHEAD_DAYS
    per_day = rng.poisson(size.launches_per_day, n_days)
    day = np.repeat(np.arange(n_days), per_day)
    fresh = np.sort(day + rng.choice([0.0, 0.25, 0.75], len(day)))
    return np.concatenate([-rng.uniform(15, 1_500, size.n_titles), fresh])


def _expiries(launch: Floats, rng: np.random.Generator) -> Floats:
    """An eighth of the old titles leave within the year, at the end of a day."""
    ends = np.where(launch < 0, rng.integers(3, 365, len(launch)), np.inf)
    return np.where(rng.random(len(launch)) < 0.12, ends, np.inf).astype(np.float64)


def _filled(launch: Floats, mean: float, sd: float, rng: np.random.Generator) -> Floats:
    """Upstream knows a field from this day on; one launch in fifty is late with it by a week."""
    before = rng.normal(mean, sd, len(launch)).clip(0.5)
    late = np.where(rng.random(len(launch)) < 0.02, 7.0, 0.0)
    return np.asarray(np.floor(launch - (before - late).clip(0.5)))


def _titles(n: int, rng: np.random.Generator) -> npt.NDArray[np.object_]:
    pairs = [f"{first} {last}" for first in FIRST_WORDS for last in LAST_WORDS]
    chosen = rng.permutation(len(pairs))
    rounds = ("", " II", " III", " IV", " V", " VI", " VII", " VIII")
    return np.array([pairs[chosen[k % len(pairs)]] + rounds[min(k // len(pairs), 7)] for k in range(n)], object)
