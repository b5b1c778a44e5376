"""How much two states of the same rows differ."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsysops.drills.rows import Column, Mask, Rows
from recsysops.testing.example_site import ROW


def copied(rows: Rows) -> Rows:
    """The same rows in arrays of their own."""
    columns = {name: rows[name].copy() for name in rows}
    return Rows(columns, {name: mask.copy() for name, mask in rows.nulls.items()})


def is_unchanged(before: Rows, after: Rows) -> bool:
    """Whether both have the same columns, values and NULLs; NaN equals NaN."""
    same_shape = set(before) == set(after) and len(before) == len(after)
    return same_shape and not any(_cells(before, after, name, np.arange(len(before))).any() for name in before)


def amount_changed(before: Rows, after: Rows) -> float:
    """Cells that differ, each by how much: a number by its change in standard deviations, at most 1; a word or a NULL by 1.

    A lost or an added row counts as one cell, a lost or an added column as one for each row.
    """
    places = after[ROW] if ROW in after else np.arange(min(len(before), len(after)))
    n_kept = len(np.unique(places))
    amount = float(len(before) - n_kept + len(after) - n_kept)
    columns = set(before) & set(after)
    amount += len(after) * len(set(before) ^ set(after))
    if ROW not in after:
        after = after.take(places)
    return amount + sum(float(_cells(before, after, name, places).sum()) for name in columns - {ROW})


def _cells(before: Rows, after: Rows, name: str, places: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Change of every cell in [0, 1]."""
    old, new = before[name][places], after[name]
    was_null, is_null = _null(before, name)[places], _null(after, name)
    both = ~was_null & ~is_null
    changed: npt.NDArray[np.float64] = np.asarray(was_null != is_null, np.float64)
    changed[both] = _distance(old[both], new[both], _spread(before[name]))
    return changed


def _null(rows: Rows, name: str) -> Mask:
    return rows.nulls.get(name, np.zeros(len(rows), bool))


def _distance(old: Column, new: Column, spread: float) -> npt.NDArray[np.float64]:
    if old.dtype.kind not in "iufM" or new.dtype.kind not in "iufM":
        return np.array([float(_differs(one, other)) for one, other in zip(old, new, strict=True)])
    x, y = _number(old), _number(new)
    with np.errstate(invalid="ignore"):
        apart = np.where(x == y, 0.0, np.minimum(np.abs(y - x) / spread, 1.0))
    return np.where(np.isnan(apart), (np.isnan(x) != np.isnan(y)).astype(np.float64), apart)


def _differs(one: object, other: object) -> bool:
    return one is not other and one != other and not (one != one and other != other)


def _number(values: Column) -> npt.NDArray[np.float64]:
    if values.dtype.kind == "M":
        return np.where(np.isnat(values), np.nan, values.astype("datetime64[us]").astype(np.float64))
    return values.astype(np.float64)


def _spread(values: Column) -> float:
    if values.dtype.kind not in "iufM":
        return 1.0
    numbers = _number(values)
    finite = numbers[np.isfinite(numbers)]
    return float(finite.std()) or 1.0 if len(finite) else 1.0
