"""Rows whose logged values together are those of another entity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from recsysops.replay.values import Comparable, Flags, Floats, is_same

Integers = npt.NDArray[np.int64]
MOST_ALIKE = 2
"""Entities that may share a row of values for it still to tell who it belongs to: many inactive members have the same zeros."""
MOST_ALIKE_SHARE = 0.005


def of_another(columns: Sequence[Comparable], expected: Integers, entity: Integers) -> Flags:
    """Candidates whose copied columns, taken together, are an upstream row of another entity.

    Values are compared as float32 and as a whole row, so one damaged column hides the others; a row that several entities
    share tells nothing.

    Args:
        columns: the copied columns of one upstream table.
        expected: (n_candidates,) the upstream row each should have been made of, -1 for none.
        entity: (n_upstream_rows,) number of each row's entity.

    Returns:
        (n_candidates,); all false where fewer than two columns are given.
    """
    nothing = np.zeros(len(expected), bool)
    if len(columns) < 2 or not len(entity):
        return nothing
    sources = [column.source[np.maximum(expected, 0)] for column in columns]
    differs = ~np.all(
        [is_same(one.logged, had, one.tolerance) for one, had in zip(columns, sources, strict=True)], axis=0
    )
    if not differs.any():
        return nothing
    upstream = _rows([column.source for column in columns])
    logged = _rows([column.logged[differs] for column in columns])
    known, which = np.unique(upstream, return_inverse=True)
    pairs = np.unique(np.column_stack([which.ravel(), entity]), axis=0)
    n_entities = np.bincount(pairs[:, 0], minlength=len(known))
    first = np.searchsorted(pairs[:, 0], np.arange(len(known)))
    place = np.minimum(np.searchsorted(known, logged), len(known) - 1)
    own = np.where(expected[differs] >= 0, entity[np.maximum(expected[differs], 0)], -1)
    most = max(MOST_ALIKE, int(MOST_ALIKE_SHARE * (entity.max() + 1)))
    is_telling = (known[place] == logged) & (n_entities[place] <= most)
    found = nothing.copy()
    found[differs] = is_telling & ~_has(pairs, first[place], np.minimum(n_entities[place], most), own)
    return found


def _has(pairs: Integers, first: Integers, n: Integers, own: Integers) -> Flags:
    """Whether the row's own entity is among those that have had these values."""
    last = np.minimum(first + n, len(pairs)) - 1
    steps = range(int(n.max(initial=0)))
    found = [pairs[np.minimum(first + step, last), 1] == own for step in steps]
    return np.asarray(np.any(found, axis=0)) if found else np.zeros(len(own), bool)


def _rows(columns: Sequence[Floats]) -> Integers:
    """(n_rows,) 64-bit hashes of the values as float32: equal where all are; one NaN, one zero."""
    hashes = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        with np.errstate(over="ignore"):
            single = column.astype(np.float32) + np.float32(0)
        single[np.isnan(single)] = np.float32("nan")
        hashes = (hashes ^ single.view(np.uint32)) * np.uint64(0x9E3779B97F4A7C15)  # wraps around, as it should
        hashes ^= hashes >> np.uint64(29)
    return hashes.view(np.int64)
