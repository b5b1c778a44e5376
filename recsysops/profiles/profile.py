"""A profile: the mergeable counts of some measures over one source partition.

One row per (measure, day, hour, slice, key); what a row holds adds up (``counts``, ``sums``), is a least or greatest
value (``lows``, ``highs``), or a HyperLogLog register file (``registers``). Request-hash buckets are kept beside the
collapsed rows, in a table of their own that can be dropped: the collapsed rows are their sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from recsysops.profiles.byte_planes import packed
from recsysops.profiles.history import PartitionFacts
from recsysops.profiles.slices import Slice

NO_HOUR = -1

ROWS = pa.schema(
    [
        ("measure", pa.string()),
        ("day", pa.int32()),  # days since 1970-01-01, UTC
        ("hour", pa.int8()),  # NO_HOUR unless counted by hour
        ("dimension", pa.string()),
        ("value", pa.string()),
        ("key", pa.string()),  # an item, an age in days …; "" where the measure has no key
        ("counts", pa.list_(pa.int64())),
        ("sums", pa.list_(pa.float64())),
        ("lows", pa.list_(pa.float64())),
        ("highs", pa.list_(pa.float64())),
        ("registers", pa.binary()),
    ]
)
BUCKETS = pa.schema(
    [
        ("measure", pa.string()),
        ("day", pa.int32()),
        ("dimension", pa.string()),
        ("value", pa.string()),
        ("counts", pa.binary()),  # byte planes of N_BUCKETS × n_cells, bucket by bucket
    ]
)


@dataclass(frozen=True)
class Profile:
    """Counts of one partition, ready to be stored: ``rows`` has the schema ROWS, ``buckets`` the schema BUCKETS."""

    measure_ids: tuple[str, ...]
    facts: PartitionFacts
    rows: pa.Table
    buckets: pa.Table


@dataclass
class RowWriter:
    """Collects profile rows: one by one, or whole tables of them where there may be many."""

    _rows: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in ROWS.names})
    _buckets: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in BUCKETS.names})
    _tables: list[pa.Table] = field(default_factory=list)

    def add(
        self,
        measure: str,
        day: int,
        slice_: Slice,
        *,
        hour: int = NO_HOUR,
        key: str = "",
        counts: Sequence[int] | Any = (),
        sums: Sequence[float] | Any = (),
        lows: Sequence[float] | Any = (),
        highs: Sequence[float] | Any = (),
        registers: bytes = b"",
    ) -> None:
        """One row; sequences may be numpy arrays."""
        values = (measure, day, hour, slice_.dimension, slice_.value, key, counts, sums, lows, highs, registers)
        for name, value in zip(ROWS.names, values, strict=True):
            self._rows[name].append(value)

    def add_table(self, rows: pa.Table) -> None:
        """Many rows; columns of ``ROWS`` that the table does not have are empty."""
        fields = {one.name: rows[one.name].cast(one.type) for one in ROWS if one.name in rows.schema.names}
        absent = {one.name: _empty(one, rows.num_rows) for one in ROWS if one.name not in fields}
        self._tables.append(pa.table({**fields, **absent}).select(ROWS.names).cast(ROWS))

    def add_buckets(self, measure: str, day: int, slice_: Slice, counts: Sequence[int] | Any) -> None:
        """The bucketed counts of one row, flattened bucket by bucket."""
        values = (measure, day, slice_.dimension, slice_.value, packed(counts))
        for name, value in zip(BUCKETS.names, values, strict=True):
            self._buckets[name].append(value)

    def rows(self) -> pa.Table:
        """All rows so far."""
        return pa.concat_tables([pa.table(self._rows, schema=ROWS), *self._tables]).combine_chunks()

    def buckets(self) -> pa.Table:
        """All bucketed rows so far."""
        return pa.table(self._buckets, schema=BUCKETS)


def _empty(field_: pa.Field, n_rows: int) -> pa.Array:
    """What a row holds that says nothing in this column."""
    if n_rows == 0:  # `repeat` makes no lists of no rows
        return pa.array([], field_.type)
    if pa.types.is_list(field_.type):
        nothing: Any = []
    else:
        nothing = NO_HOUR if field_.name == "hour" else b"" if pa.types.is_binary(field_.type) else ""
    return pa.repeat(pa.scalar(nothing, field_.type), n_rows)
