"""Facts of one column: missing, spread, how alike the rows of a request are, and whose property the value is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from recsysops.drills.site import ColumnFacts

if TYPE_CHECKING:
    import pyarrow as pa

Codes = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]
N_CATEGORIES = 20
MOSTLY = 0.95
"""Share of the groups that must hold one value only: real logs have a late update here and there."""


@dataclass(frozen=True)
class Groups:
    """Rows in groups: ``order`` sorts them by group, which then begin at ``starts``."""

    order: Codes
    starts: Codes

    @classmethod
    def of(cls, codes: Codes) -> Groups:
        """Groups of rows with equal codes; at least one row."""
        order = np.argsort(codes, kind="stable")
        return cls(order, np.flatnonzero(np.diff(codes[order], prepend=codes[order[0]] - 1)))

    @property
    def has_pairs(self) -> bool:
        """Whether any group has two rows."""
        return len(self.starts) < len(self.order)

    def hold_one_value(self, values: Numbers) -> bool:
        """Whether nearly every group with two values has only one; NaN is no value."""
        sorted_values = values[self.order]
        is_missing = np.isnan(sorted_values)
        low = np.minimum.reduceat(np.where(is_missing, np.inf, sorted_values), self.starts)
        high = np.maximum.reduceat(np.where(is_missing, -np.inf, sorted_values), self.starts)
        is_pair = np.add.reduceat(~is_missing, self.starts, dtype=np.int64) >= 2
        return bool(is_pair.any()) and float(np.mean(low[is_pair] == high[is_pair])) >= MOSTLY


@dataclass(frozen=True)
class Grouped:
    """How the rows of a log belong together."""

    requests: Codes
    member: Groups
    """By request; by member and day where every request has one row."""
    item: Groups
    """By item and day."""

    @classmethod
    def of(cls, requests: Codes, members: Codes | None, items: Codes) -> Grouped:
        """From one code per row each; those of members and items differ from day to day."""
        by_request = Groups.of(requests)
        use_members = members is not None and not by_request.has_pairs
        return cls(
            requests, Groups.of(members) if use_members and members is not None else by_request, Groups.of(items)
        )

    def per(self, values: Numbers) -> str:
        """Whose property the value is: ``member``, ``item`` or ``row``. Of a constant nobody can tell: ``row``."""
        known = values[~np.isnan(values)]
        if not len(known) or (known == known[0]).all():
            return "row"
        if self.member.hold_one_value(values):
            return "member"
        return "item" if self.item.hold_one_value(values) else "row"


def number_facts(values: pa.Array, grouped: Grouped) -> ColumnFacts:
    """Facts of a numeric column; NULL and NaN are both missing."""
    numbers = _numbers(values)
    is_finite = np.isfinite(numbers)
    finite = numbers[is_finite]
    return ColumnFacts(
        "numeric",
        missing_rate=float(np.mean(np.isnan(numbers))),
        mean=float(finite.mean()) if len(finite) else 0.0,
        sd=float(finite.std()) if len(finite) else 0.0,
        zero_rate=float(np.mean(numbers == 0)),
        design_effect=design_effect(finite, grouped.requests[is_finite]),
        per=grouped.per(numbers),
    )


def category_facts(values: pa.Array, grouped: Grouped) -> ColumnFacts:
    """Facts of a column of texts or flags. The design effect is the mean of those of its categories (Rao & Scott 1981)."""
    import pyarrow as pa

    encoded = values.cast(pa.string()).dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    names = encoded.dictionary.to_pylist()
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    largest = sorted(range(len(names)), key=lambda place: (-counts[place], names[place]))[:N_CATEGORIES]
    effects = [design_effect((codes == place).astype(np.float64), grouped.requests) for place in largest]
    rests = [1 - counts[place] / len(codes) for place in largest]
    return ColumnFacts(
        "categorical",
        missing_rate=float(np.mean(codes < 0)),
        design_effect=float(np.average(effects, weights=rests)) if sum(rests) else 1.0,
        per=grouped.per(np.where(codes < 0, np.nan, codes.astype(np.float64))),
        values={names[place]: float(counts[place] / len(codes)) for place in largest},
    )


def design_effect(values: Numbers, clusters: Codes) -> float:
    """Variance of the mean when clusters are drawn, beside that when rows are; 1 where there is nothing to compare.

    The linearised cluster variance, Σ_c (Σ_i e_ci)² / n² · C / (C − 1) (Kish 1965, §5.3), over s² / n.
    """
    n_values = len(values)
    if n_values < 2:
        return 1.0
    rest = values - values.mean()
    _, places = np.unique(clusters, return_inverse=True)
    totals = np.bincount(places, rest)
    spread = float(rest @ rest)
    n_clusters = len(totals)
    if n_clusters < 2 or not 0 < spread < np.inf:
        return 1.0
    of_clusters = float(totals @ totals) * n_clusters / (n_clusters - 1)
    return of_clusters / (spread * n_values / (n_values - 1))


def codes_of(values: pa.ChunkedArray | pa.Array, day: Codes | None = None) -> Codes:
    """A number for each distinct value (of a day, if days are given); rows without a value are each their own."""
    encoded = values.combine_chunks() if hasattr(values, "combine_chunks") else values
    encoded = encoded.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    if day is not None:
        codes = np.where(codes < 0, codes, codes + day * (len(encoded.dictionary) + 1))
    return np.where(codes < 0, -1 - np.arange(len(codes)), codes)


def _numbers(values: pa.Array) -> Numbers:
    import pyarrow as pa

    return np.asarray(values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), np.float64)
