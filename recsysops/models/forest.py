"""A model's trees laid out for walking rows through them: children, leaves and sets of categories beside the splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.models.tree_text import Trees, parts, real_numbers, whole_numbers

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
MISSING_NONE, MISSING_ZERO, MISSING_NAN = 0, 1, 2
"""What a split takes for missing: nothing (NaN is read as 0), zeros and NaN, or NaN."""
SPLIT = np.dtype(
    [
        ("feature", np.int32),
        ("threshold", np.float64),
        ("left", np.int32),
        ("right", np.int32),
        ("missing", np.int8),
        ("is_default_left", np.bool_),
        ("is_categorical", np.bool_),
        ("first_word", np.int32),
        ("n_words", np.int32),
    ]
)


@dataclass(frozen=True, eq=False)
class Forest:
    """All trees, one after the other. A child is a split's place in ``splits``, or ``-1 -`` a leaf's place."""

    splits: npt.NDArray[np.void]
    """(n_splits,) of ``SPLIT``. A set of categories is ``n_words`` of ``bits`` from ``first_word`` on; its members go
    left."""
    bits: npt.NDArray[np.uint32]
    root: Integers
    """(n_trees,), coded as a child."""
    leaf_value: Floats
    """(n_leaves,) what a leaf adds to the margin."""
    leaf_count: Integers
    """(n_leaves,) training rows; 0 where the file does not say."""
    leaf_tree: Integers
    """(n_leaves,)"""

    @property
    def tree_mean(self) -> Floats:
        """What each tree adds to the margin of its mean training row, (n_trees,)."""
        n_trees = len(self.root)
        known = np.bincount(self.leaf_tree, self.leaf_count, minlength=n_trees) > 0
        weights = np.where(known[self.leaf_tree], self.leaf_count, 1.0)
        sums = np.bincount(self.leaf_tree, weights * self.leaf_value, minlength=n_trees)
        return np.asarray(sums / np.bincount(self.leaf_tree, weights, minlength=n_trees))

    def categories(self, split: int) -> tuple[int, ...]:
        """The codes that a split on categories sends left, increasing."""
        first, n_words = (int(self.splits[name][split]) for name in ("first_word", "n_words"))
        words = self.bits[first : first + n_words]
        return tuple(np.flatnonzero(np.unpackbits(words.astype("<u4").view(np.uint8), bitorder="little")).tolist())


def read_forest(text: str, trees: Trees, where: str) -> Forest:
    """Lay out the trees of a model's text.

    Args:
        text: as ``read_trees`` accepted it: sizes, children and sets are checked there.
        trees: what ``read_trees`` made of it.

    Raises:
        SourceError: if an entry is not made of numbers.
    """
    _, blocks = parts(text, where)
    values = [real_numbers(block.get("leaf_value", ""), where) for block in blocks]
    counts = [whole_numbers(block.get("leaf_count", ""), where) for block in blocks]
    sets = [whole_numbers(block.get("cat_threshold", ""), where) for block in blocks]
    n_leaves = [len(one) for one in values]
    first_split, first_leaf = _starts([n - 1 for n in n_leaves]), _starts(n_leaves)
    roots = [split if n > 1 else -1 - leaf for n, split, leaf in zip(n_leaves, first_split, first_leaf, strict=True)]
    return Forest(
        splits=_splits(
            blocks, trees, list(zip(first_split, first_leaf, _starts(list(map(len, sets))), strict=True)), where
        ),
        bits=np.concatenate(sets).astype(np.uint32),
        root=np.array(roots, np.int64),
        leaf_value=np.concatenate(values),
        leaf_count=np.concatenate(
            [one if len(one) == n else np.zeros(n, np.int64) for one, n in zip(counts, n_leaves, strict=True)]
        ),
        leaf_tree=np.repeat(np.arange(len(blocks)), n_leaves),
    )


def _splits(
    blocks: Sequence[dict[str, str]], trees: Trees, firsts: Sequence[tuple[int, int, int]], where: str
) -> npt.NDArray[np.void]:
    """``firsts`` are the places of each tree's first split, leaf and word of bits."""
    splits = np.zeros(len(trees.feature), SPLIT)
    splits["feature"], splits["threshold"] = trees.feature, trees.threshold
    splits["is_default_left"], splits["is_categorical"] = trees.is_default_left, trees.is_categorical
    for block, (first_split, first_leaf, first_word) in zip(blocks, firsts, strict=True):
        kinds = whole_numbers(block.get("decision_type", ""), where)
        own = splits[first_split : first_split + len(kinds)]
        own["missing"] = (kinds >> 2) & 3
        for side in ("left", "right"):
            child = whole_numbers(block.get(f"{side}_child", ""), where)
            own[side] = np.where(child >= 0, child + first_split, child - first_leaf)
        if np.any(chosen := own["is_categorical"]):
            sets = real_numbers(block["threshold"], where)[chosen].astype(np.int64)
            bounds = whole_numbers(block["cat_boundaries"], where)
            own["first_word"][chosen], own["n_words"][chosen] = first_word + bounds[sets], np.diff(bounds)[sets]
    return splits


def _starts(lengths: Sequence[int]) -> list[int]:
    return [0, *np.cumsum(lengths)[:-1].tolist()]
