"""What faults do to a column: blank it, write other values, or give a row what belongs to another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from recsysops.drills.rows import Column, Mask, Rows


def blanked(rows: Rows, name: str, where: Mask) -> Rows:
    """Missing values in the rows chosen, as the service's own stages know them: NaN, NaT or None."""
    values = rows[name]
    missing = {"f": np.nan, "M": np.datetime64("NaT", "us"), "O": None}.get(values.dtype.kind)
    if values.dtype.kind not in "fMO":
        return rows.with_null(name, where)
    return rows.with_value(name, where, missing)


def changed_numbers(rows: Rows, name: str, where: Mask, values: npt.NDArray[np.float64]) -> Rows:
    """Other numbers in the rows chosen; what is NULL stays NULL. Whole numbers become floats, float32 stays float32.

    Args:
        values: one per row of ``rows``.
    """
    before = rows[name]
    kind = before.dtype if before.dtype.kind == "f" else np.dtype(np.float64)
    changed = before.astype(kind)
    changed[where] = values[where].astype(kind)
    return Rows({**rows.columns, name: changed}, rows.nulls)


def changed_words(rows: Rows, name: str, where: Mask, values: Sequence[str] | Column) -> Rows:
    """Other words in the rows chosen; what is NULL or None stays so."""
    known = rows[name] != None  # noqa: E711  (elementwise)
    chosen = where & np.asarray(known, bool) & ~rows.nulls.get(name, np.zeros(len(rows), bool))
    changed = rows[name].astype(object)
    changed[chosen] = np.asarray(values, object)[chosen]
    return Rows({**rows.columns, name: changed}, rows.nulls)


def taken_from(rows: Rows, names: Sequence[str], source: npt.NDArray[np.int64]) -> Rows:
    """Some columns, with their NULLs, as they are in row ``source`` of each row."""
    columns = {name: rows[name][source] for name in names}
    nulls = {name: rows.nulls[name][source] for name in names if name in rows.nulls}
    return Rows({**rows.columns, **columns}, {**rows.nulls, **nulls})
