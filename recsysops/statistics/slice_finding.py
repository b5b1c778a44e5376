"""Where a model errs more than elsewhere: the worst slices of the data, found exactly (SliceLine)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from math import prod
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from recsysops.statistics._arrays import FloatArray, as_counts, as_floats, check_fraction, divide

Codes: TypeAlias = npt.NDArray[np.int64]
_MOST_CODES = 10
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Slice:
    """The rows that have all of some feature codes."""

    conditions: tuple[tuple[int, int], ...]
    """(feature, code), by feature."""
    n: int
    mean_error: float
    score: float
    """``a (mean error in it / mean error - 1) - (1 - a)(n_all / n - 1)``, above 0."""


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """What is known of every slice over one set of features, arrays (n_codes,) * level."""

    n: FloatArray
    error: FloatArray
    largest: FloatArray


def slice_score(n: npt.ArrayLike, error: npt.ArrayLike, n_all: float, error_all: float, alpha: float) -> FloatArray:
    """How much worse a slice is, and how large: ``a (e_S / e - 1) - (1 - a)(n / |S| - 1)``.

    Parameters: ``n`` and ``error`` (...), rows of the slices and sums of their errors; the same of all rows; ``alpha`` a
    in (0, 1), the weight of the errors.
    Returns: (...); 0 for all rows together, -inf without rows.

    Example:
        >>> slice_score([100, 10], [30.0, 9.0], 100, 30.0, 0.95).round(3).tolist()
        [0.0, 1.45]

    Source: Sagadeeva & Boehm, SliceLine, SIGMOD (2021), definition 1.
    """
    size, sums = as_floats(n), as_floats(error)
    rows = np.where(size > 0, size, 1.0)
    worse, smaller = sums / rows / (error_all / n_all) - 1.0, n_all / rows - 1.0
    return np.asarray(np.where(size > 0, alpha * worse - (1.0 - alpha) * smaller, -np.inf))


def find_slices(
    codes: npt.ArrayLike,
    errors: npt.ArrayLike,
    *,
    alpha: float = 0.95,
    k: int = 20,
    max_level: int = 3,
    min_rows: int | None = None,
) -> tuple[Slice, ...]:
    """The k slices of the highest score: one to ``max_level`` features, enough rows, more error than all rows.

    Exact: a set of features is only left uncounted if no slice of it can enter. A slice has no more rows, no more error
    and no larger error of one row than any slice that it is part of, and its score is bounded by the best one that these
    three allow. O(n) per set of features that is counted, at most ``C(n_features, max_level)`` of them.

    Scores of overlapping slices are not independent, and the best of many is too good: ``slice_confirmation`` judges
    them on rows that had no part in finding them.

    Parameters: ``codes`` (n_rows, n_features), bins 0 to 9 of each feature, -1 = in no bin; ``errors`` (n_rows,), >= 0,
    such as squared errors or log losses; ``min_rows``, default max(32, 1 % of the rows).
    Returns: slices of a score above 0, the best first; fewer than k if there are no more.
    Raises: ``ValueError`` for shapes that do not fit, codes outside -1 to 9, negative errors, or limits below 1.

    Example:
        >>> codes = np.indices((2, 2, 50)).reshape(3, -1).T[:, :2]
        >>> best = find_slices(codes, np.where(codes.all(axis=1), 3.0, 1.0))[0]
        >>> best.conditions, best.n, best.mean_error, round(best.score, 2)
        (((0, 1), (1, 1)), 50, 3.0, 0.8)

    Source: Sagadeeva & Boehm, SliceLine: Fast, Linear-Algebra-based Slice Finding, SIGMOD (2021).
    """
    check_fraction(alpha, "alpha")
    x, e = _checked(codes, errors)
    least = max(32, -(-len(e) // 100)) if min_rows is None else min_rows
    if min(k, max_level, least) < 1:
        raise ValueError(f"found k {k}, max_level {max_level}, min_rows {least}, expected at least 1")
    if not e.any():
        return ()
    search = _Search(x, e, alpha, k, least)
    for level in range(1, min(max_level, x.shape[1]) + 1):
        search.descend(level, is_last=level == max_level)
    return tuple(search.best)


def _checked(codes: npt.ArrayLike, errors: npt.ArrayLike) -> tuple[Codes, FloatArray]:
    x, e = np.asarray(codes, np.int64), as_counts(errors, "errors")
    if x.ndim != 2 or e.shape != x.shape[:1]:
        raise ValueError(f"found codes {x.shape} and errors {e.shape}, expected (n_rows, n_features) and (n_rows,)")
    if x.size and (x.min() < -1 or x.max() >= _MOST_CODES):
        raise ValueError(
            f"codes: found {x.min()} to {x.max()}, expected -1 to {_MOST_CODES - 1}; bin the features first"
        )
    return x, e


class _Search:
    """One level of features after the other; keeps the best slices, and of the last level what bounds the next."""

    def __init__(self, codes: Codes, errors: FloatArray, alpha: float, k: int, min_rows: int) -> None:
        self.errors, self.alpha, self.k, self.min_rows = errors, alpha, k, min_rows
        self.sizes = codes.max(axis=0, initial=0) + 2  # the last place is for rows in no bin
        self.places = np.ascontiguousarray(np.where(codes < 0, self.sizes - 1, codes).T, np.int32)
        self.whole = _Table(*(np.array(one) for one in (float(len(errors)), errors.sum(), errors.max())))
        self.tables: dict[tuple[int, ...], _Table] = {(): self.whole}
        self.best: list[Slice] = []

    def descend(self, level: int, *, is_last: bool) -> None:
        """Look at all slices of so many features."""
        counted = {}
        for features in combinations(range(len(self.sizes)), level):
            if self._may_hold_one(features):
                counted[features] = table = self._count(features, is_last=is_last)
                self._keep(features, table)
        self.tables = counted

    def _may_hold_one(self, features: tuple[int, ...]) -> bool:
        """Whether the slices of one feature less leave room for a score that enters."""
        parents = [features[:i] + features[i + 1 :] for i in range(len(features))]
        if any(parent not in self.tables for parent in parents):
            return False
        least: list[FloatArray] = []
        for name in ("n", "error", "largest"):
            arrays = [np.expand_dims(getattr(self.tables[parent], name), i) for i, parent in enumerate(parents)]
            least.append(reduce(np.minimum, arrays))
        return bool((self._bound(*least) > self._floor).any())

    def _score(self, n: FloatArray, error: FloatArray) -> FloatArray:
        return slice_score(n, error, float(self.whole.n), float(self.whole.error), self.alpha)

    @property
    def _floor(self) -> float:
        return self.best[-1].score if len(self.best) == self.k else 0.0

    def _bound(self, n: FloatArray, error: FloatArray, largest: FloatArray) -> FloatArray:
        """No slice with at most these rows, error and largest error scores more; -inf where it has too few rows.

        With s rows its error is at most min(s largest, error): the score grows with s up to error / largest, and goes one
        way from there.
        """
        turn = np.clip(divide(error, largest), self.min_rows, np.maximum(n, self.min_rows))
        at = [self._score(s, np.minimum(s * largest, error)) for s in (turn, n)]
        return np.where(n >= self.min_rows, np.maximum(*at) * (1 + _ROUNDING) + _ROUNDING, -np.inf)

    def _count(self, features: tuple[int, ...], *, is_last: bool) -> _Table:
        shape = tuple(int(self.sizes[feature]) for feature in features)
        cell = self.places[features[0]]
        for feature, size in zip(features[1:], shape[1:], strict=True):
            cell = cell * size + self.places[feature]
        n, error = (np.bincount(cell, weights, prod(shape)).reshape(shape) for weights in (None, self.errors))
        largest = np.zeros(prod(shape))
        if not is_last:
            np.maximum.at(largest, cell, self.errors)
        for axis in range(len(shape)):
            np.moveaxis(n, axis, 0)[-1] = 0
        return _Table(as_floats(n), as_floats(error), largest.reshape(shape))

    def _keep(self, features: tuple[int, ...], table: _Table) -> None:
        scores = self._score(table.n, table.error)
        scores[table.n < self.min_rows] = -np.inf
        for cell in np.argsort(-scores, axis=None, kind="stable")[: self.k]:
            at = np.unravel_index(cell, scores.shape)
            if not scores[at] > self._floor:
                break
            conditions = tuple((feature, int(code)) for feature, code in zip(features, at, strict=True))
            found = Slice(conditions, int(table.n[at]), float(table.error[at] / table.n[at]), float(scores[at]))
            self.best = sorted([*self.best, found], key=lambda one: -one.score)[: self.k]
