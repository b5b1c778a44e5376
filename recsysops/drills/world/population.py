"""Members as they truly are: market, languages, taste, habits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.drills.world.size import WorldSize, stream
from recsysops.drills.world.vocabulary import DEVICES, LANGUAGES, LOCAL_LANGUAGE, MARKET_SHARES, MARKETS, N_TASTES

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Population:
    """Arrays over members, (n_members,) unless said otherwise. The truth; upstream systems know a part of it."""

    ids: npt.NDArray[np.object_]
    market: Integers
    """Number in ``MARKETS``."""
    speaks: npt.NDArray[np.bool_]
    """(n_members, n_languages)."""
    rating_limit: Integers
    """Highest maturity rating allowed."""
    joined: Integers
    """Day number, negative before the simulation began."""
    device: Floats
    """(n_members, n_devices) share of requests."""
    taste: Floats
    """(n_members, N_TASTES), about unit length."""
    activity: Floats
    """Relative number of requests."""
    thrift: Floats
    """How much a price puts off, at least 0."""

    def __len__(self) -> int:
        return len(self.ids)


def members(size: WorldSize, seed: int) -> Population:
    """Draw the members; a fifth of them join while the simulation runs."""
    rng = stream(seed, "members")
    n = size.n_members
    market = rng.choice(len(MARKETS), n, p=MARKET_SHARES)
    is_child = rng.random(n) < 0.12
    taste = rng.normal(size=(n, N_TASTES)) + 0.5 * rng.normal(size=(len(MARKETS), N_TASTES))[market]
    taste[is_child] += 1.2 * rng.normal(size=N_TASTES)
    horizon = size.warm_up_days + size.n_days
    joined = np.where(rng.random(n) < 0.2, rng.integers(0, horizon, n), -rng.integers(1, 2_000, n))
    return Population(
        ids=np.array([f"m{number:05d}" for number in range(n)], object),
        market=market,
        speaks=_languages(market, rng),
        rating_limit=np.where(is_child, 6, np.where(rng.random(n) < 0.15, 12, 18)),
        joined=joined,
        device=rng.dirichlet(np.array([2.4, 1.5, 0.7, 0.4]) * len(DEVICES) / 4, n),
        taste=taste / np.linalg.norm(taste, axis=1, keepdims=True),
        activity=rng.lognormal(0, 0.8, n),
        thrift=rng.gamma(2.0, 0.5, n),
    )


def _languages(market: Integers, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Everybody speaks the local language, most English, some a third one."""
    local = np.array([LANGUAGES.index(LOCAL_LANGUAGE[name]) for name in MARKETS])
    speaks = rng.random((len(market), len(LANGUAGES))) < 0.04
    speaks[:, LANGUAGES.index("en")] = rng.random(len(market)) < 0.88
    speaks[np.arange(len(market)), local[market]] = True
    scandinavian = [LANGUAGES.index(name) for name in ("nb", "sv", "da")]
    is_scandinavian = np.isin(local[market], scandinavian)
    for language in scandinavian:
        speaks[:, language] |= is_scandinavian & (rng.random(len(market)) < 0.6)
    return speaks
