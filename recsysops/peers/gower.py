"""Gower's distance: numbers and categories on one scale, missing values left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt

from recsysops.peers.metadata import Floats, Metadata

Scale = Literal["quantiles", "range", "rank"]


def gower_distances(
    metadata: Metadata,
    of: npt.ArrayLike,
    among: npt.ArrayLike,
    *,
    weights: Mapping[str, float] | None = None,
    scale: Scale = "quantiles",
) -> Floats:
    """Distances in [0, 1], (n_of, n_among); NaN where two entities have no attribute in common.

    The weighted mean over attributes of ``|a - b| / range`` for numbers (at most 1) and of ``a ≠ b`` for categories, over
    those that both have.

    Args:
        of, among: row numbers.
        weights: by attribute, 1 where not named; 0 leaves one out.
        scale: the range that a difference is set against: that from the 5th to the 95th percentile of ``among``, from the
            least to the greatest, or ranks in the place of numbers.

    Source:
        Gower, Biometrics 27 (1971).
    """
    rows, others = np.atleast_1d(np.asarray(of)), np.atleast_1d(np.asarray(among))
    numbers, ranges = _scaled(metadata.numbers, others, scale)
    total, weight = np.zeros((len(rows), len(others))), np.zeros((len(rows), len(others)))
    for name, values, spread in zip(metadata.number_names, numbers.T, ranges, strict=True):
        apart = np.abs(values[rows][:, None] - values[others][None, :])
        apart = np.minimum(apart / spread, 1) if spread > 0 else np.where(np.isnan(apart), np.nan, apart > 0)
        _add(total, weight, apart, (weights or {}).get(name, 1.0))
    for name, codes in zip(metadata.code_names, metadata.codes.T, strict=True):
        one, other = codes[rows][:, None], codes[others][None, :]
        apart = np.where((one < 0) | (other < 0), np.nan, one != other)
        _add(total, weight, apart, (weights or {}).get(name, 1.0))
    return np.divide(total, weight, out=np.full_like(total, np.nan), where=weight > 0)


def _add(total: Floats, weight: Floats, apart: Floats, share: float) -> None:
    known = ~np.isnan(apart)
    total += share * np.where(known, apart, 0)
    weight += share * known


def _scaled(numbers: Floats, among: npt.NDArray[np.int64], scale: Scale) -> tuple[Floats, Floats]:
    """The numbers to compare, and the range of each."""
    if scale == "rank":
        return _ranks(numbers, among), np.ones(numbers.shape[1])
    chosen = numbers[among]
    has_any = np.any(~np.isnan(chosen), axis=0)
    ranges = np.zeros(numbers.shape[1])
    if not has_any.any():
        return numbers, ranges
    low, high = (5, 95) if scale == "quantiles" else (0, 100)
    for share in ((low, high), (0, 100)):  # where half a column is one value its percentiles may coincide
        edges = np.nanpercentile(chosen[:, has_any], share, axis=0)
        ranges[has_any] = np.where(ranges[has_any] > 0, ranges[has_any], edges[1] - edges[0])
    return numbers, ranges


def _ranks(numbers: Floats, among: npt.NDArray[np.int64]) -> Floats:
    """Share of ``among`` that lies below, equals counting half: in [0, 1]."""
    ranks = np.full_like(numbers, np.nan)
    for column, values in enumerate(numbers.T):
        known = np.sort(values[among][~np.isnan(values[among])])
        if len(known):
            below, upto = (np.searchsorted(known, values, side=side) for side in ("left", "right"))
            ranks[:, column] = np.where(np.isnan(values), np.nan, (below + upto) / 2 / len(known))
    return ranks
