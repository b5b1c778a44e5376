"""Slate-shaped logs: arrays per request become one row per candidate."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

INDEX_COLUMN = "_index"
"""Reserved name: the 1-based place of an entry in its array, for logs whose order is the position."""


class UnequalLengthsError(ValueError):
    """Arrays of one row differ in length; ``row`` is its number in the batch."""

    def __init__(self, row: int, column: str, n_entries: int, n_expected: int) -> None:
        self.row = row
        super().__init__(f"{n_entries} entries in {column!r} but {n_expected} in the other arrays")


def is_list(type_: pa.DataType) -> bool:
    """Whether a column holds an array per row."""
    return bool(pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_))


def unnest(batch: pa.RecordBatch, arrays: Sequence[str], anchor: str) -> pa.RecordBatch:
    """One row per entry of the arrays, which are taken in parallel; all other columns are repeated.

    A request whose anchor is empty or NULL has no candidates and so no rows. Another array that is NULL stands for as many
    NULLs. A column ``_index`` with each entry's 1-based place is appended.

    Args:
        batch: slate-shaped rows.
        arrays: the columns to unnest that the batch has.
        anchor: the one of them that says how many candidates a request has.

    Raises:
        UnequalLengthsError: if arrays of one row differ in length.
    """
    lengths = pc.fill_null(pc.list_value_length(batch.column(anchor)), 0).cast(pa.int64())
    parents = _parents(lengths)
    columns = [
        _entries(batch.column(name), lengths, parents, name) if name in arrays else batch.column(name).take(parents)
        for name in batch.schema.names
    ]
    ends = pc.cumulative_sum(lengths)
    starts = pc.subtract(ends, lengths)
    index = pc.add(pc.subtract(pa.array(range(len(parents)), pa.int64()), starts.take(parents)), 1)
    return pa.RecordBatch.from_arrays([*columns, index], names=[*batch.schema.names, INDEX_COLUMN])


def _parents(lengths: pa.Array) -> pa.Array:
    """For each candidate, the row it comes from."""
    import numpy as np

    return pa.array(np.repeat(np.arange(len(lengths)), lengths.to_numpy()), pa.int64())


def _entries(lists: pa.Array, lengths: pa.Array, parents: pa.Array, name: str) -> pa.Array:
    own = pc.list_value_length(lists)
    differs = pc.fill_null(pc.not_equal(own, lengths), False)
    if pc.any(differs).as_py():
        row = pc.index(differs, True).as_py()
        raise UnequalLengthsError(row, name, own[row].as_py(), lengths[row].as_py())
    if lists.null_count == 0:
        return pc.list_flatten(lists)
    # NULL arrays have no entries to flatten: place the others, leave NULL where nothing is placed
    is_placed = pc.is_valid(lists).take(parents)
    places = pc.subtract(pc.cumulative_sum(is_placed.cast(pa.int64())), 1)
    return pc.list_flatten(lists).take(pc.if_else(is_placed, places, None))
