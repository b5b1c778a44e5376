"""Interventional Shapley values of every row against every background row, exact for LightGBM's trees.

Of a pair (x, r) and a tree, only leaves matter that a mixture of both can reach: those where every split on the path is
passed by x or by r. With A the features of the path that only x passes and B those that only r passes, a leaf of value v
gives each feature of A ``v (|A|-1)! |B|! / (|A|+|B|)!`` and takes from each of B ``v |A|! (|B|-1)! / (|A|+|B|)!``.

The ``shap`` package does the same for splits on numbers, in single precision, and agrees where NaN is the model's own sign
of a missing value; it refuses or misreads sets of categories, zeros taken for missing, and NaN where training saw none, and
takes 100 rows of a larger background without a word.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from math import comb
from typing import Any

import numpy as np

from recsysops.errors import NotEnoughDataError
from recsysops.models.forest import Floats, Forest, Integers
from recsysops.models.tree_walk import LEFT, decisions
from recsysops.statistics.compiled import compiled

MOST_CELLS = 100_000_000
"""Of the result: 800 MB."""
_ONE = np.uint64(1)


def pairwise_shap(forest: Forest, rows: Floats, background: Floats, *, n_threads: int = 1) -> Floats:
    """Shapley values on the margin: (n_rows, n_background, n_features), a pair's sum being f(row) - f(background row).

    Every pair gets the same bits for any number of threads and other rows.

    Args:
        rows, background: (n, n_features) as ``models.matrix`` makes them.

    Raises:
        NotEnoughDataError: if the result would take more than 800 MB.

    Source:
        Lundberg et al., Nature Machine Intelligence 2 (2020), algorithm 3; Laberge & Pequignot, arXiv 2209.15123 (2022).
    """
    shape = (len(rows), len(background), rows.shape[1])
    if shape[0] * shape[1] * shape[2] > MOST_CELLS:
        raise NotEnoughDataError(
            "shap gap",
            found=f"{shape[0]:,} rows × {shape[1]:,} background rows × {shape[2]:,} features",
            expected=f"at most {MOST_CELLS:,} values",
            next_step="draw fewer rows",
        )
    found = np.zeros(shape)
    parent, leaf_parent = _parents(forest)
    weights = _weights(_longest(parent))
    theirs = decisions(forest, background)

    def work(part: slice) -> None:
        own = decisions(forest, rows[part])
        _add_pairs(own, theirs, forest.splits, parent, leaf_parent, forest.leaf_value, weights, found[part])

    bounds = np.linspace(0, len(rows), n_threads + 1).astype(int)
    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(work, (slice(*bound) for bound in pairwise(bounds))))
    return found


def _parents(forest: Forest) -> tuple[Integers, Integers]:
    """The split above each split, (n_splits,), and above each leaf, (n_leaves,); -1 above a root."""
    of_split, of_leaf = (np.full(len(one), -1, np.int64) for one in (forest.splits, forest.leaf_value))
    for side in ("left", "right"):
        child = forest.splits[side]
        is_split = child >= 0
        of_split[child[is_split]] = np.flatnonzero(is_split)
        of_leaf[-1 - child[~is_split]] = np.flatnonzero(~is_split)
    return of_split, of_leaf


def _weights(most: int) -> Floats:
    """(a - 1)! b! / (a + b)! at [a, b]; a = 0 is not used."""
    return np.array([[1 / (a * comb(a + b, a)) if a else 0.0 for b in range(most + 1)] for a in range(most + 1)])


@compiled
def _longest(parent: Any) -> int:
    """Splits on the longest path; a split stands after its parent."""
    depth = np.ones(len(parent) + 1, np.int64)
    depth[len(parent)] = 0
    for split in range(len(parent)):
        depth[split] = depth[parent[split]] + 1
    return int(depth.max())


@compiled
def _add_pairs(
    own: Any, theirs: Any, splits: Any, parent: Any, leaf_parent: Any, leaf_value: Any, weights: Any, found: Any
) -> None:
    most = len(weights)
    path, slot, feature = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    goes_left = np.empty(most, np.uint8)
    n_own, n_theirs = own.shape[1], theirs.shape[1]
    fails, their_fails = np.empty((n_own, most), np.int64), np.empty((n_theirs, most), np.int64)
    n, their_n = np.empty(n_own, np.int64), np.empty(n_theirs, np.int64)
    mask, their_mask = np.empty(n_own, np.uint64), np.empty(n_theirs, np.uint64)
    for leaf in range(len(leaf_value)):
        n_steps, n_slots = _trace(leaf, splits, parent, leaf_parent, path, goes_left, slot, feature)
        _fail(own, path[:n_steps], goes_left, slot, feature, fails, n, mask)
        _fail(theirs, path[:n_steps], goes_left, slot, feature, their_fails, their_n, their_mask)
        for i in range(n_own):
            for j in range(n_theirs):
                if mask[i] & their_mask[j] and (n_slots <= 64 or _meet(fails[i, : n[i]], their_fails[j, : their_n[j]])):
                    continue
                a, b = their_n[j], n[i]
                if a:
                    share = leaf_value[leaf] * weights[a, b]
                    for k in range(a):
                        found[i, j, their_fails[j, k]] += share
                if b:
                    share = leaf_value[leaf] * weights[b, a]
                    for k in range(b):
                        found[i, j, fails[i, k]] -= share


@compiled
def _trace(
    leaf: int, splits: Any, parent: Any, leaf_parent: Any, path: Any, goes_left: Any, slot: Any, feature: Any
) -> tuple[int, int]:
    """Note the splits above a leaf, the side it lies on, and the different features among them (slots)."""
    n_steps, n_slots = 0, 0
    child, split = -1 - leaf, leaf_parent[leaf]
    while split >= 0:
        path[n_steps], goes_left[n_steps] = split, splits[split].left == child
        place = 0
        while place < n_slots and feature[place] != splits[split].feature:
            place += 1
        feature[place], slot[n_steps] = splits[split].feature, place
        n_slots = max(n_slots, place + 1)
        n_steps += 1
        child, split = split, parent[split]
    return n_steps, n_slots


@compiled
def _fail(codes: Any, path: Any, goes_left: Any, slot: Any, feature: Any, fails: Any, n: Any, mask: Any) -> None:
    """Which features of a path each row does not pass, as a list and as bits (of more than 64, some share a bit)."""
    seen = np.empty(len(path), np.bool_)
    for row in range(codes.shape[1]):
        seen[:] = False
        n[row], mask[row] = 0, 0
        for step in range(len(path)):
            if (codes[path[step], row] & LEFT) != goes_left[step] and not seen[slot[step]]:
                seen[slot[step]] = True
                fails[row, n[row]] = feature[slot[step]]
                n[row] += 1
                mask[row] |= _ONE << np.uint64(slot[step] & 63)


@compiled
def _meet(one: Any, other: Any) -> bool:
    for a in one:
        for b in other:
            if a == b:
                return True
    return False
