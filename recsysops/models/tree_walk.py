"""Rows walking through trees, by LightGBM's own rules for missing values and categories."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from recsysops.models.forest import MISSING_NAN, MISSING_ZERO, Floats, Forest, Integers
from recsysops.statistics.compiled import compiled

LEFT, MISSING = 1, 2
"""Bits of a decision: the row goes left; the value that decides is missing."""
_NEARLY_ZERO = float(np.float32(1e-35))
_LARGEST = 2**31


def decisions(forest: Forest, matrix: Floats) -> npt.NDArray[np.uint8]:
    """Which way each row goes at every split, whether it comes there or not: (n_splits, n_rows) of the bits above.

    Args:
        matrix: (n_rows, n_features) as ``models.matrix`` makes it.
    """
    found = np.empty((len(forest.splits), len(matrix)), np.uint8)
    _decide_all(np.ascontiguousarray(matrix, np.float64), forest.splits, forest.bits, found)
    return found


def leaves(forest: Forest, matrix: Floats) -> Integers:
    """The leaf each row ends in, by tree: (n_rows, n_trees) places in ``forest.leaf_value``."""
    found = np.empty((len(matrix), len(forest.root)), np.int64)
    _walk_all(np.ascontiguousarray(matrix, np.float64), forest.splits, forest.bits, forest.root, found)
    return found


@compiled
def decision(value: float, split: Any, bits: Any) -> int:
    """The bits of one decision.

    Source:
        LightGBM 4.6, ``Tree::NumericalDecision`` and ``Tree::CategoricalDecision`` (include/LightGBM/tree.h).
    """
    is_nan = np.isnan(value)
    if split.is_categorical:
        if is_nan:
            return MISSING
        if not -1 < value < _LARGEST:
            return 0
        code = np.int64(value)
        word = code >> 5
        if word >= split.n_words:
            return 0
        return LEFT if (bits[split.first_word + word] >> np.uint32(code & 31)) & np.uint32(1) else 0
    is_missing = is_nan or (split.missing == MISSING_ZERO and -_NEARLY_ZERO <= value <= _NEARLY_ZERO)
    if is_missing and (split.missing == MISSING_ZERO or (is_nan and split.missing == MISSING_NAN)):
        return MISSING | LEFT if split.is_default_left else MISSING
    if is_nan:
        return MISSING | LEFT if split.threshold >= 0 else MISSING
    return LEFT if value <= split.threshold else 0


@compiled
def _decide_all(matrix: Any, splits: Any, bits: Any, found: Any) -> None:
    for place in range(len(splits)):
        for row in range(matrix.shape[0]):
            found[place, row] = decision(matrix[row, splits[place].feature], splits[place], bits)


@compiled
def _walk_all(matrix: Any, splits: Any, bits: Any, root: Any, found: Any) -> None:
    for row in range(matrix.shape[0]):
        for tree in range(len(root)):
            place = root[tree]
            while place >= 0:
                split = splits[place]
                goes_left = decision(matrix[row, split.feature], split, bits) & LEFT
                place = split.left if goes_left else split.right
            found[row, tree] = -1 - place
