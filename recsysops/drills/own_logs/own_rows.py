"""A day of somebody's logs as rows that faults change, and the exact way back: what is not touched is written as it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from recsysops.drills.own_logs.names import Seen
from recsysops.drills.rows import Column, Mask, Rows
from recsysops.errors import PluginError

if TYPE_CHECKING:
    import pyarrow as pa

ROW = "\x00row"
"""Column with the number of each row in the log; no column of a log can have a NUL in its name."""
Places = npt.NDArray[np.int64]


def rows_of(table: pa.Table, seen: Sequence[Seen]) -> Rows:
    """The rows of a table under the names that faults know.

    Args:
        table: canonical values, one chunk per column.
        seen: of its columns; those that the table lacks are left out.
    """
    columns: dict[str, Column] = {}
    nulls: dict[str, Mask] = {}
    for one in seen:
        if one.column not in table.column_names:
            continue
        array = (
            _without_nan(_whole(table.column(one.column))) if one.sight == "whole" else _whole(table.column(one.column))
        )
        values = _SIGHTS[one.sight](array)
        for name in one.names:
            columns[name] = values
            if array.null_count:
                nulls[name] = array.is_null().to_numpy(zero_copy_only=False)
    return Rows({**columns, ROW: np.arange(len(table))}, nulls)


def table_of(changed: Rows, original: pa.Table, seen: Sequence[Seen]) -> pa.Table:
    """The table with the changes in it.

    Cells that are as they were keep their value and every column its type where the new values fit it: fractions are
    rounded in whole numbers, NaN is NULL in columns that never held it. A column that was taken away is absent; one that
    was added is not written. Where nothing was changed it is the original itself.

    Args:
        changed: made from ``rows_of(original, seen)``.
        original: the table.
        seen: of its columns.

    Raises:
        PluginError: if the rows were made anew, so that nobody knows which is which.
    """
    if ROW not in changed:
        raise PluginError("a fault", found="rows made anew", expected="the rows it was given, changed")
    places: Places = changed[ROW].astype(np.int64)
    before = rows_of(original, seen)
    is_same = len(places) == len(original) and bool((places == np.arange(len(places))).all())
    kept = original if is_same else original.take(places)
    for one in seen:
        if one.column not in original.column_names:
            continue
        if not all(name in changed for name in one.names):
            kept = kept.drop_columns([one.column])
            continue
        for name in one.names:
            where = _differs(before, changed, name, places)
            if where.any():
                array = _replaced(
                    _whole(kept.column(one.column)), where, changed, name, _whole(original.column(one.column))
                )
                kept = kept.set_column(kept.column_names.index(one.column), one.column, array)
    return kept


def _differs(before: Rows, after: Rows, name: str, places: Places) -> Mask:
    """Cells with another value; a NULL that only lost its mark is none."""
    old, new = before[name][places], after[name]
    was_null = _null(before, name)[places]
    is_null = _null(after, name)
    if old.dtype.kind != new.dtype.kind and "M" in old.dtype.kind + new.dtype.kind:
        old, new = old.astype(object), new.astype(object)
    same = np.asarray(old == new, bool) | (_nothing(old) & _nothing(new))
    is_gone = is_null | (was_null & _nothing(new))
    return np.where(was_null, ~is_gone, is_null | ~same)


def _replaced(array: pa.Array, where: Mask, rows: Rows, name: str, original: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    values, gone = rows[name][where], _null(rows, name)[where]
    if not _holds_nan(original):
        gone = gone | _nothing(values)
    new = _fitting(values, gone, array.type)
    return pc.replace_with_mask(array.cast(new.type, safe=False), pa.array(where), new)


def _fitting(values: Column, gone: Mask, type_: pa.DataType) -> pa.Array:
    """The values in the column's type, or in the least other one that holds them."""
    import pyarrow as pa

    types = pa.types
    if values.dtype == object:
        texts = pa.array(
            [None if is_gone else str(one) for one, is_gone in zip(values, gone, strict=True)], pa.string()
        )
        try:
            return texts.cast(type_)
        except pa.ArrowInvalid:
            return texts
    if values.dtype.kind == "M":
        return pa.array(values.astype("datetime64[us]"), pa.timestamp("us"), mask=gone).cast(type_)
    if types.is_integer(type_) and values.dtype.kind == "f":
        there = values[~gone]
        if not (np.abs(there) < 2.0**63).all():
            return pa.array(values.astype(np.float64), mask=gone)
        values = np.rint(np.where(gone, 0, values)).astype(np.int64)
    if types.is_integer(type_) and not _fits(values, type_):
        type_ = pa.int64()
    return pa.array(values, mask=gone).cast(type_, safe=False)


def _fits(values: Column, type_: pa.DataType) -> bool:
    limits = np.iinfo(type_.to_pandas_dtype())
    return bool(((values >= limits.min) & (values <= limits.max)).all())


def _holds_nan(array: pa.Array) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    return bool(pa.types.is_floating(array.type) and pc.any(pc.is_nan(array)).as_py())


def _null(rows: Rows, name: str) -> Mask:
    return rows.nulls.get(name, np.zeros(len(rows), bool))


def _nothing(values: Column) -> Mask:
    """NaN, NaT or None."""
    if values.dtype == object:
        return np.array([one is None or one != one for one in values], bool)
    if values.dtype.kind == "M":
        return np.isnat(values)
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), bool)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _numbers(array: pa.Array) -> Column:
    import pyarrow as pa

    type_ = array.type if pa.types.is_float32(array.type) else pa.float64()
    return np.asarray(array.cast(type_, safe=False).to_numpy(zero_copy_only=False))


def _without_nan(array: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(pc.is_nan(array), None, array) if pa.types.is_floating(array.type) else array


def _wholes(array: pa.Array) -> Column:
    import pyarrow as pa

    return np.asarray(array.cast(pa.int64(), safe=False).fill_null(0).to_numpy(zero_copy_only=False))


def _texts(array: pa.Array) -> Column:
    import pyarrow as pa

    return np.array(array.cast(pa.string()).to_pylist(), object)


def _flags(array: pa.Array) -> Column:
    import pyarrow as pa

    return np.asarray(array.cast(pa.bool_()).fill_null(False).to_numpy(zero_copy_only=False))


def _times(array: pa.Array) -> Column:
    import pyarrow as pa

    return np.asarray(array.cast(pa.timestamp("us")).to_numpy(zero_copy_only=False), "datetime64[us]")


_SIGHTS: dict[str, Any] = {"number": _numbers, "whole": _wholes, "text": _texts, "flag": _flags, "time": _times}
