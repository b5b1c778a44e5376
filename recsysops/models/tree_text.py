"""LightGBM's text form, read as data: the splits of all trees as flat arrays.

Read before LightGBM itself reads it, for two reasons: an audit wants gains, thresholds and missing directions anyway, and
LightGBM trusts its input — sizes and child numbers that do not fit make it read beyond its memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.errors import SourceError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
_CATEGORICAL, _DEFAULT_LEFT = 1, 2
_MISSING_IS_NAN = 2


@dataclass(frozen=True)
class Trees:
    """The splits of a model, (n_splits,) each, tree by tree."""

    features: tuple[str, ...]
    """The names the file gives its columns, in order."""
    n_trees: int
    objective: str
    tree: Integers
    feature: Integers
    """Index into ``features``."""
    gain: Floats
    threshold: Floats
    """x ≤ threshold goes left; NaN for a split on categories."""
    count: Integers
    """Training rows that reached the split."""
    is_categorical: Flags
    is_default_left: Flags
    """Whether a missing value goes left; a split on categories sends it right."""
    treats_missing: Flags
    """Whether NaN is told apart from 0 at all (``missing_type`` NaN)."""


def read_trees(text: str, where: str) -> Trees:
    """Parse a model's text.

    Raises:
        SourceError: if it is no LightGBM model of one output, is cut off, or its parts do not fit together.
    """
    header, blocks = parts(text, where)
    features = tuple(header["feature_names"].split(" "))
    if len(features) != int(header["max_feature_idx"]) + 1:
        raise _unfit(where, f"{len(features)} feature names for {int(header['max_feature_idx']) + 1} columns")
    splits = [_Splits.read(block, len(features), f"{where}, tree {number}") for number, block in enumerate(blocks)]
    kinds = np.concatenate([one.decision_type for one in splits])
    is_categorical = (kinds & _CATEGORICAL) > 0
    return Trees(
        features=features,
        n_trees=len(blocks),
        objective=header.get("objective", ""),
        tree=np.repeat(np.arange(len(splits)), [len(one.feature) for one in splits]),
        feature=np.concatenate([one.feature for one in splits]),
        gain=np.concatenate([one.gain for one in splits]),
        threshold=np.where(is_categorical, np.nan, np.concatenate([one.threshold for one in splits])),
        count=np.concatenate([one.count for one in splits]),
        is_categorical=is_categorical,
        is_default_left=((kinds & _DEFAULT_LEFT) > 0) & ~is_categorical,
        treats_missing=((kinds >> 2) & 3) == _MISSING_IS_NAN,
    )


def parts(text: str, where: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    """The header's entries, and each tree's.

    Raises:
        SourceError: as ``read_trees``.
    """
    if not text.startswith("tree\n"):
        raise _unfit(where, f"a file that begins with {text[:20]!r}")
    head, separator, rest = text.partition("\nTree=0\n")
    header = _entries(head)
    missing = {"num_class", "feature_names", "max_feature_idx", "tree_sizes"} - set(header)
    if missing or not separator:
        raise _unfit(where, f"no {', '.join(sorted(missing)) or 'trees'}")
    if header["num_class"] != "1" or header.get("num_tree_per_iteration", "1") != "1":
        raise SourceError(where, found="a model of several outputs", expected="one score per candidate")
    return header, _blocks("Tree=0\n" + rest, header["tree_sizes"], where)


def _blocks(text: str, sizes: str, where: str) -> list[dict[str, str]]:
    """The trees, found by their sizes in bytes, as LightGBM finds them."""
    content, start, blocks = text.encode(), 0, []
    for number, size in enumerate(whole_numbers(sizes, where)):
        block = content[start : start + max(int(size), 0)]
        if not block.startswith(b"Tree=%d\n" % number) or len(block) != size:
            raise _unfit(where, f"no tree {number} where its size says")
        blocks.append(_entries(block.decode()))
        start += int(size)
    if not content[start:].lstrip().startswith(b"end of trees"):
        raise _unfit(where, "no end of the trees")
    return blocks


def _entries(text: str) -> dict[str, str]:
    return {key: value for key, is_entry, value in (line.partition("=") for line in text.splitlines()) if is_entry}


@dataclass(frozen=True)
class _Splits:
    feature: Integers
    gain: Floats
    threshold: Floats
    decision_type: Integers
    count: Integers

    @classmethod
    def read(cls, block: dict[str, str], n_features: int, where: str) -> _Splits:
        n_leaves = int(whole_numbers(block.get("num_leaves", ""), where)[:1].sum())
        names = ("split_feature", "decision_type", "left_child", "right_child", "internal_count")
        whole = {name: whole_numbers(block.get(name, ""), where) for name in names}
        gain, threshold, leaf = (
            real_numbers(block.get(name, ""), where) for name in ("split_gain", "threshold", "leaf_value")
        )
        if block.get("is_linear", "0") != "0":
            raise SourceError(where, found="linear leaves", expected="constant leaves, which contributions need")
        lengths = {len(one) for one in (*whole.values(), gain, threshold)}
        if n_leaves < 1 or len(leaf) != n_leaves or lengths != {n_leaves - 1}:
            raise _unfit(where, f"lists of other lengths than {n_leaves} leaves need")
        if np.any((whole["split_feature"] < 0) | (whole["split_feature"] >= n_features)):
            raise _unfit(where, "a split on a column that is not there")
        _refuse_loops(whole["left_child"], whole["right_child"], n_leaves, where)
        _refuse_loose_categories(block, whole["decision_type"], threshold, where)
        return cls(whole["split_feature"], gain, threshold, whole["decision_type"], whole["internal_count"])


def _refuse_loops(left: Integers, right: Integers, n_leaves: int, where: str) -> None:
    """A child is a later split, or a leaf (as ``-1 - leaf``)."""
    for child in (left, right):
        is_split = child >= 0
        is_wrong = np.where(is_split, (child <= np.arange(len(child))) | (child >= n_leaves - 1), child < -n_leaves)
        if np.any(is_wrong):
            raise _unfit(where, "a child that is no later split and no leaf")


def _refuse_loose_categories(block: dict[str, str], kinds: Integers, threshold: Floats, where: str) -> None:
    """A split on categories has a number of a set, and the set a place in the list of bits."""
    sets = threshold[(kinds & _CATEGORICAL) > 0]
    if not len(sets):
        return
    bounds, bits = (whole_numbers(block.get(name, ""), where) for name in ("cat_boundaries", "cat_threshold"))
    if not np.all((sets >= 0) & (sets < len(bounds) - 1)) or np.any(np.diff(bounds) < 0) or bounds[0] < 0:
        raise _unfit(where, "a split on a set of categories that is not there")
    if bounds[-1] > len(bits):
        raise _unfit(where, "sets of categories that are cut off")


def whole_numbers(text: str, where: str) -> Integers:
    """An entry's numbers, separated by spaces; SourceError where they are others."""
    try:
        return np.array(text.split(), np.int64)
    except ValueError as error:
        raise _unfit(where, f"{text[:40]!r} for whole numbers") from error


def real_numbers(text: str, where: str) -> Floats:
    """An entry's numbers, separated by spaces; SourceError where they are none."""
    try:
        return np.array(text.split(), np.float64)
    except ValueError as error:
        raise _unfit(where, f"{text[:40]!r} for numbers") from error


def _unfit(where: str, found: str) -> SourceError:
    return SourceError(where, found=found, expected="a whole LightGBM text model", next_step="register its file again")
