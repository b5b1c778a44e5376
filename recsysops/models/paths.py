"""The ways rows take through the trees: what decided, where values were missing, how much training stands behind the end.

A leaf weighs by how far its value lies from its tree's mean: the first tree carries the average margin, which no path
decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsysops.models.artifact import Artifact
from recsysops.models.comparison import Comparison
from recsysops.models.forest import Floats, Forest
from recsysops.models.tree_walk import LEFT, MISSING, decision, decisions, leaves
from recsysops.statistics.compiled import compiled

LEAST_ROWS = 50
"""A leaf of fewer training rows is weakly supported."""


@dataclass(frozen=True)
class PathStep:
    """One split on a row's way."""

    feature: str
    value: float
    """NaN where it is missing."""
    threshold: float | None
    """Values up to it go left; None for a split on categories."""
    categories: tuple[str, ...]
    """Those that go left; empty for a split on a number."""
    went_left: bool
    is_missing: bool
    """The value is missing: the split's own way for missing values decided."""
    n_training_rows: int
    """That reached the split."""
    same_way_rate: float
    """Share of the peers that also came here and went the same way; NaN where none came."""


@dataclass(frozen=True)
class TreePath:
    """A row's way through one tree, for people to look at."""

    tree: int
    row: int
    """In the comparison's rows."""
    steps: tuple[PathStep, ...]
    """From the root."""
    leaf_value: float
    leaf_count: int
    """Training rows in the leaf."""
    gap: float
    """What the tree adds to the whole gap: mean of the rows' leaves less that of the peers'."""


@dataclass(frozen=True)
class MissingMass:
    """Share of what the trees add that was decided by a missing value on the way, in [0, 1]."""

    total: float
    by_feature: Mapping[str, float]
    """A path may meet several; features that never decided are left out. The largest first."""


def missing_mass(artifact: Artifact, rows: Floats) -> MissingMass:
    """How much of the rows' margins rests on the trees' directions for missing values.

    Σ |v - mean| over trees whose path meets a missing value of the feature, over Σ |v - mean| of all; NaN without either.

    Args:
        rows: (n_rows, n_features) as ``models.matrix`` makes them.
    """
    forest, weight = artifact.forest, _leaf_weights(artifact.forest)
    met = np.zeros(len(artifact.features) + 1)
    _add_missing(np.ascontiguousarray(rows, np.float64), forest.splits, forest.bits, forest.root, weight, met)
    total = weight[leaves(forest, rows)].sum()
    shares = met / total if total else np.full(len(met), np.nan)
    found = {name: float(share) for name, share in zip(artifact.features, shares, strict=False) if share > 0}
    return MissingMass(float(shares[-1]), dict(sorted(found.items(), key=lambda pair: -pair[1])))


def low_support(artifact: Artifact, rows: Floats, *, least: int = LEAST_ROWS) -> float:
    """Share of what the trees add that comes from leaves of fewer than ``least`` training rows, in [0, 1].

    Σ |v - mean| 1[n < least] / Σ |v - mean|; NaN where the file states no counts, or the trees add nothing.
    """
    forest = artifact.forest
    if not forest.leaf_count.any():
        return float("nan")
    ends = leaves(forest, rows)
    weights = _leaf_weights(forest)[ends]
    total = weights.sum()
    return float(weights[forest.leaf_count[ends] < least].sum() / total) if total else float("nan")


def top_path(artifact: Artifact, comparison: Comparison) -> TreePath:
    """The way through the tree that adds most to the gap, of the row that shows it best.

    The tree is the one that sets rows and peers apart most in the direction of the whole gap.
    """
    forest = artifact.forest
    own, theirs = (forest.leaf_value[leaves(forest, one)] for one in (comparison.rows, comparison.peers))
    gaps = own.mean(axis=0) - theirs.mean(axis=0)
    sign = 1.0 if gaps.sum() >= 0 else -1.0
    tree = int(np.argmax(sign * gaps))
    return tree_path(artifact, comparison, int(np.argmax(sign * own[:, tree])), tree)


def tree_path(artifact: Artifact, comparison: Comparison, row: int, tree: int) -> TreePath:
    """The way of one row through one tree."""
    forest = artifact.forest
    own, theirs = comparison.rows[row : row + 1], comparison.peers
    ways = decisions(forest, np.vstack([own, theirs]))
    is_here, steps, place = np.ones(len(theirs), bool), [], int(forest.root[tree])
    while place >= 0:
        way, others = int(ways[place, 0]), (ways[place, 1:] & LEFT) == (ways[place, 0] & LEFT)
        rate = float(others[is_here].mean()) if is_here.any() else float("nan")
        steps.append(_step(artifact, place, float(own[0, forest.splits["feature"][place]]), way, rate))
        is_here &= others
        place = int(forest.splits["left" if way & LEFT else "right"][place])
    ends, other_ends = (forest.leaf_value[leaves(forest, one)[:, tree]] for one in (comparison.rows, theirs))
    leaf = -1 - place
    value, n_rows = float(forest.leaf_value[leaf]), int(forest.leaf_count[leaf])
    return TreePath(tree, row, tuple(steps), value, n_rows, float(ends.mean() - other_ends.mean()))


def _step(artifact: Artifact, place: int, value: float, way: int, same_way_rate: float) -> PathStep:
    split = artifact.forest.splits[place]
    name, is_categorical = artifact.features[split["feature"]], bool(split["is_categorical"])
    words = artifact.categories.get(name, ())
    codes = artifact.forest.categories(place) if is_categorical else ()
    return PathStep(
        feature=name,
        value=value,
        threshold=None if is_categorical else float(split["threshold"]),
        categories=tuple(words[code] if code < len(words) else str(code) for code in codes),
        went_left=bool(way & LEFT),
        is_missing=bool(way & MISSING),
        n_training_rows=int(artifact.trees.count[place]),
        same_way_rate=same_way_rate,
    )


def _leaf_weights(forest: Forest) -> Floats:
    return np.abs(forest.leaf_value - forest.tree_mean[forest.leaf_tree])


@compiled
def _add_missing(matrix: Any, splits: Any, bits: Any, root: Any, weight: Any, met: Any) -> None:
    """Add each leaf's weight to the features that were missing on the way, and to the last place where any was."""
    n_features = matrix.shape[1]
    last_seen, found = np.full(n_features, -1, np.int64), np.empty(n_features, np.int64)
    for row in range(len(matrix)):
        for tree in range(len(root)):
            way, n, place = row * len(root) + tree, 0, root[tree]
            while place >= 0:
                split = splits[place]
                code = decision(matrix[row, split.feature], split, bits)
                if code & MISSING and last_seen[split.feature] != way:
                    last_seen[split.feature], found[n] = way, split.feature
                    n += 1
                place = split.left if code & LEFT else split.right
            for k in range(n):
                met[found[k]] += weight[-1 - place]
            if n:
                met[n_features] += weight[-1 - place]
