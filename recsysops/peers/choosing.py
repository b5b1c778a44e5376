"""Choose peers: hard filters first, then the nearest by metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.peers.gower import Scale, gower_distances
from recsysops.peers.metadata import Floats, Integers, Metadata

Flags = npt.NDArray[np.bool_]
FOR_DISPLAY, FOR_INFERENCE = 50, 500
"""How many peers: few that people can look through; many, weighted by similarity, to estimate from (200 to 1000)."""


@dataclass(frozen=True)
class Peers:
    """The peers of one entity, nearest first."""

    key: str
    rows: Integers
    """(k,) row numbers in the metadata."""
    keys: tuple[str, ...]
    distances: Floats
    """(k,) in [0, 1]."""
    weights: Floats
    """(k,) summing to 1, falling with distance."""
    n_eligible: int
    """How many passed the hard filters."""
    filters: tuple[str, ...]
    """The filters that were applied."""

    def first(self, k: int) -> Peers:
        """The nearest k of them."""
        rows, distances = self.rows[:k], self.distances[:k]
        weights = similarity_weights(distances)
        return Peers(self.key, rows, self.keys[:k], distances, weights, self.n_eligible, self.filters)


def choose_peers(
    metadata: Metadata,
    of: int,
    eligible: Mapping[str, Flags],
    *,
    k: int = FOR_DISPLAY,
    weights: Mapping[str, float] | None = None,
    scale: Scale = "quantiles",
) -> Peers:
    """The k nearest among those that pass every hard filter; of equally near ones those that come first.

    Args:
        metadata: pre-exposure attributes.
        of: row of the entity.
        eligible: by the name of each filter (market, type, age, live …), (n,) who passes.
        k: how many at most; fewer where fewer pass.
        weights, scale: as for ``gower_distances``.
    """
    passed = np.ones(len(metadata.keys), bool)
    for flags in eligible.values():
        passed &= flags
    passed[of] = False
    among = np.flatnonzero(passed)
    distances = gower_distances(metadata, of, among, weights=weights, scale=scale)[0]
    known = ~np.isnan(distances)
    among, distances = among[known], distances[known]
    nearest = np.argsort(distances, kind="stable")[:k]
    return Peers(
        metadata.keys[of],
        among[nearest],
        tuple(metadata.keys[row] for row in among[nearest]),
        distances[nearest],
        similarity_weights(distances[nearest]),
        int(passed.sum()),
        tuple(eligible),
    )


def similarity_weights(distances: Floats) -> Floats:
    """Weights that fall in a straight line with distance, to little at the farthest; they sum to 1.

    Args:
        distances: (k,) increasing.

    Example:
        >>> similarity_weights(np.array([0.0, 0.1])).round(2).tolist()
        [0.75, 0.25]
    """
    if not len(distances):
        return np.empty(0)
    width = float(distances.max()) * (1 + 1 / len(distances)) + 1e-12
    closeness = 1 - distances / width
    return np.asarray(closeness / closeness.sum())


def same_code(metadata: Metadata, name: str, of: int) -> Flags:
    """Who has the entity's value of a category, (n,); all where the entity has none."""
    codes = metadata.codes[:, metadata.code_names.index(name)]
    return np.ones(len(codes), bool) if codes[of] < 0 else np.asarray(codes == codes[of])


def shares_any(members: Sequence[frozenset[str]], of: int) -> Flags:
    """Who shares a value with the entity, as items share markets, (n,); all where it has none."""
    own = members[of]
    return np.array([not own or bool(own & other) for other in members], bool)
