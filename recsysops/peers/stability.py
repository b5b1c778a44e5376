"""Does what the peers say depend on how many they are, or on which? Then nothing should be concluded from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recsysops.peers.choosing import similarity_weights
from recsysops.peers.metadata import Floats

SIZES = (25, 50, 100)
N_RESAMPLES = 500


@dataclass(frozen=True)
class Stability:
    """An expectation from peers, by several numbers of peers and by resampling."""

    estimates: Mapping[int, float]
    """Weighted mean of the peers' values, by the number of peers asked for."""
    low: float
    high: float
    """Bootstrap interval (95 %) of the middle estimate, drawing peers with replacement."""
    is_stable: bool
    """Every estimate lies within the interval, on at least 10 peers."""


def stability(
    values: Floats,
    distances: Floats,
    *,
    sizes: Sequence[int] = SIZES,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
    least: int = 10,
) -> Stability:
    """How well the nearest peers' mean is determined.

    Args:
        values: (k,) what is compared (score, rank, exposure …) of each peer, nearest first; NaN where unknown.
        distances: (k,) their distances.
        sizes: numbers of peers, increasing; where there are fewer, all count.
        seed: of the resampling.

    Source:
        Efron & Tibshirani, An Introduction to the Bootstrap (1993), section 13.3 (percentile interval).
    """
    known = ~np.isnan(values)
    values, distances = values[known], distances[known]
    estimates = {size: _mean(values[:size], distances[:size]) for size in sizes}
    middle = sizes[len(sizes) // 2]
    low, high = _interval(values[:middle], distances[:middle], n_resamples, seed)
    within = [low <= estimate <= high for estimate in estimates.values()]
    return Stability(estimates, low, high, len(values) >= least and all(within))


def _mean(values: Floats, distances: Floats) -> float:
    return float(np.sum(values * similarity_weights(distances))) if len(values) else float("nan")


def _interval(values: Floats, distances: Floats, n_resamples: int, seed: int) -> tuple[float, float]:
    if not len(values):
        return float("nan"), float("nan")
    drawn = np.random.default_rng(seed).integers(0, len(values), (n_resamples, len(values)))
    weights = similarity_weights(distances)[drawn]
    means = np.sum(values[drawn] * weights, axis=1) / weights.sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
