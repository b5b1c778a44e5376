"""Are the peers like the subject? Standardised mean differences of every attribute."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.peers.metadata import Floats, Integers, Metadata

MOST = 0.25
"""Above this absolute difference, in standard deviations, groups do not compare (Rubin 2001)."""


@dataclass(frozen=True)
class Balance:
    """How far apart subjects and peers are in one attribute, or in one value of a category."""

    attribute: str
    value: str
    """Of a category; empty for a number."""
    subjects: float
    """Mean, or share of the value."""
    peers: float
    """Weighted mean, or share."""
    difference: float
    """In standard deviations of the pool; infinite where the pool does not vary and the means differ."""

    @property
    def is_balanced(self) -> bool:
        """Whether the difference is small enough to compare."""
        return abs(self.difference) < MOST


def balance(
    metadata: Metadata, subjects: npt.ArrayLike, peers: npt.ArrayLike, weights: Floats, pool: npt.ArrayLike
) -> tuple[Balance, ...]:
    """Compare subjects with their peers, the largest difference first.

    Args:
        subjects: rows of the items looked at, one or many.
        peers, weights: (k,) rows of the peers and their weights.
        pool: rows of all that might have been peers; its standard deviation is the unit, so that a choice of peers cannot
            change it.

    Source:
        Austin, Statistics in Medicine 28 (2009); Rubin, Health Services & Outcomes Research Methodology 2 (2001).
    """
    own, other = (np.atleast_1d(np.asarray(rows, np.int64)) for rows in (subjects, peers))
    every = np.union1d(np.asarray(pool, np.int64), own)
    found = [
        _of_values(name, "", values, own, other, weights, every)
        for name, values in zip(metadata.number_names, metadata.numbers.T, strict=True)
    ]
    for name, codes in zip(metadata.code_names, metadata.codes.T, strict=True):
        for code in np.unique(codes[np.concatenate([own, other])]):
            if code >= 0:
                is_it = np.where(codes < 0, np.nan, codes == code)
                found.append(_of_values(name, metadata.words[name][code], is_it, own, other, weights, every))
    known = [one for one in found if not np.isnan(one.difference)]
    return tuple(sorted(known, key=lambda one: -abs(one.difference)))


def _of_values(
    name: str, value: str, values: Floats, own: Integers, other: Integers, weights: Floats, pool: Integers
) -> Balance:
    mine, theirs = _mean(values[own], np.ones(len(own))), _mean(values[other], weights)
    pooled = values[pool][~np.isnan(values[pool])]
    sd = float(np.std(pooled, ddof=1)) if len(pooled) > 1 else 0.0
    apart = mine - theirs
    difference = (
        apart / sd if sd > 0 else float("nan") if np.isnan(apart) else float(np.sign(apart)) * np.inf if apart else 0.0
    )
    return Balance(name, value, mine, theirs, float(difference))


def _mean(values: Floats, weights: Floats) -> float:
    known = ~np.isnan(values)
    total = float(weights[known].sum())
    return float((values[known] * weights[known]).sum() / total) if total > 0 else float("nan")
