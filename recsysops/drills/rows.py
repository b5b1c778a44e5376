"""Rows of one table as arrays: what passes from one stage of the service to the next, and what faults change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Rows:
    """Columns of equal length. Numbers are float or integer arrays, texts object arrays, times ``datetime64[us]`` (UTC).

    ``nulls`` marks the NULLs of a column where they must be told from NaN; without a mark NaN, NaT and None are
    written as NULL only in columns that are not ``nan`` by nature (see ``world.log_columns``).
    Arrays are shared between values and never written to: take a copy, change it, pass it to ``with_columns``.
    """

    columns: Mapping[str, Column]
    nulls: Mapping[str, Mask] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 0

    def __getitem__(self, name: str) -> Column:
        return self.columns[name]

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def with_columns(self, **columns: Column) -> Rows:
        """The same rows with some columns replaced or added; what was NULL in a replaced column no longer is."""
        nulls = {name: mask for name, mask in self.nulls.items() if name not in columns}
        return Rows({**self.columns, **columns}, nulls)

    def with_value(self, name: str, where: Mask, value: Any) -> Rows:
        """The same rows with ``value`` (a scalar, or one per chosen row) in a column of the rows chosen."""
        changed = self.columns[name].copy()
        changed[where] = value
        kept = {**self.nulls, name: self.nulls[name] & ~where} if name in self.nulls else self.nulls
        return Rows({**self.columns, name: changed}, kept)

    def with_null(self, name: str, where: Mask) -> Rows:
        """The same rows with NULL in a column of the rows chosen."""
        before = self.nulls.get(name)
        return Rows(self.columns, {**self.nulls, name: where if before is None else before | where})

    def without(self, *names: str) -> Rows:
        """The same rows without some columns."""
        return Rows(
            {name: column for name, column in self.columns.items() if name not in names},
            {name: mask for name, mask in self.nulls.items() if name not in names},
        )

    def take(self, chosen: Mask | npt.NDArray[np.int64]) -> Rows:
        """The rows chosen by a mask, or by numbers (which may repeat), in that order."""
        return Rows(
            {name: column[chosen] for name, column in self.columns.items()},
            {name: mask[chosen] for name, mask in self.nulls.items()},
        )

    def followed_by(self, other: Rows) -> Rows:
        """These rows and then the other's, which must have the same columns."""
        names = self.columns
        nulls = {
            name: np.concatenate([rows.nulls.get(name, np.zeros(len(rows), bool)) for rows in (self, other)])
            for name in {*self.nulls, *other.nulls}
        }
        return Rows({name: np.concatenate([self[name], other[name]]) for name in names}, nulls)

    def where(self, **values: object) -> Mask:
        """Rows whose columns have these values, compared as texts."""
        mask = np.ones(len(self), bool)
        for name, value in values.items():
            mask &= self.columns[name].astype(str) == str(value)
        return mask
