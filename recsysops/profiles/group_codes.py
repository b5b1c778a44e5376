"""Rows of a batch to groups, and groups to the rows of the count arrays that they are added to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsysops.errors import SchemaError
from recsysops.profiles.categories import CategorySet, as_labels, texts_of
from recsysops.profiles.request_buckets import Buckets
from recsysops.profiles.tally import group_rows, order_by_group

Integers = npt.NDArray[np.int64]
SliceCodes = npt.NDArray[np.uint8]

MAX_SLICE_VALUES = 200
MAX_PERIODS = 20_000
NULL_VALUE, OTHER_VALUE = "(null)", "(other)"
_WIDTH = MAX_SLICE_VALUES + 2
HOUR_US, DAY_US = 3_600_000_000, 86_400_000_000
_EPOCH = date(1970, 1, 1)
_FIRST_DAY, _END_DAY = (date.min - _EPOCH).days, (date.max - _EPOCH).days + 1


def day_of(number: int) -> date:
    """The date of a day number (days since 1970-01-01, UTC)."""
    return _EPOCH + timedelta(days=number)


def microseconds(clock: pa.Array, name: str) -> tuple[Integers, npt.NDArray[np.bool_]]:
    """Times in microseconds since 1970 UTC and whether each can be placed on the calendar, shapes (n,).

    Times without a zone are taken as UTC; NULL and years outside 1–9999 cannot be placed.

    Raises:
        SchemaError: if the column holds no times.
    """
    kind = clock.type
    if not (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
        raise SchemaError(name, found=f"type {kind}", expected="timestamps", next_step="name another column as clock")
    times = pc.cast(clock, pa.timestamp("us", getattr(kind, "tz", None)), safe=False)
    values = np.asarray(pc.fill_null(times.view(pa.int64()), 0).to_numpy(zero_copy_only=False), np.int64)
    placeable = (values >= _FIRST_DAY * DAY_US) & (values < _END_DAY * DAY_US)
    if clock.null_count:
        placeable &= clock.is_valid().to_numpy(zero_copy_only=False)
    return values, placeable


class SliceCoder:
    """Values of one slice dimension as small numbers: 0 is NULL, 1 is other, then values.

    With a category set its first 200 are kept; without one, the first 200 to appear (dictionary order within a batch), so
    name the set wherever there may be more.
    """

    def __init__(self, dimension: str, values: CategorySet | None = None) -> None:
        self.dimension = dimension
        self.names = [NULL_VALUE, OTHER_VALUE]
        self._code = {NULL_VALUE: 0, OTHER_VALUE: 1}
        self._is_frozen = values is not None
        for name in values.categories[:MAX_SLICE_VALUES] if values is not None else ():
            self._learn(name)

    def _learn(self, name: str) -> int:
        if name not in self._code:
            self._code[name] = len(self.names)
            self.names.append(name)
        return self._code[name]

    def codes(self, column: pa.Array) -> SliceCodes:
        """Shape (n,)."""
        labels = as_labels(column, self.dimension)
        places = pc.fill_null(labels.indices, len(labels.dictionary)).to_numpy(zero_copy_only=False)
        if self._is_frozen or len(labels.dictionary) < MAX_SLICE_VALUES:
            used: Iterable[int] = range(len(labels.dictionary))
        else:  # a large dictionary may be used in a few places only
            used = np.unique(places[places < len(labels.dictionary)]).tolist()
        names = texts_of(labels.dictionary, self.dimension)
        table = np.zeros(len(names) + 1, np.uint8)
        for place in used:
            table[place] = self._code_of(names[place])
        return np.asarray(table[places], np.uint8)

    def _code_of(self, name: str | None) -> int:
        if name is None:
            return 0
        code = self._code.get(name)
        if code is not None:
            return code
        return 1 if self._is_frozen or len(self.names) >= _WIDTH else self._learn(name)


@dataclass(frozen=True)
class Grouping:
    """Rows of a batch in group order. Group g is ``order[starts[g]:starts[g + 1]]`` and is added to the count rows
    ``targets[g]``: first the one for all rows, then one per slice dimension. ``homes`` is the same with bucket 0."""

    order: npt.NDArray[np.int32]
    starts: Integers
    targets: Integers
    homes: Integers


class Grouper:
    """Gives every (period, slice value) that occurs a place in the count arrays: one row per bucket.

    Periods are days (with buckets) or hours (without).
    """

    def __init__(self, n_dimensions: int, period_us: int, n_buckets: int, bucket_days: frozenset[date] | None) -> None:
        self._period_us = period_us
        self._n_buckets = n_buckets
        self._bucket_days = bucket_days
        self._index: dict[int, int] = {}
        self._rows = np.full((4, n_dimensions + 1, _WIDTH), -1, np.int64)
        self.n_rows = 0

    @property
    def periods(self) -> tuple[int, ...]:
        """Period numbers since 1970, in the order of the first axis of `places`."""
        return tuple(self._index)

    @property
    def places(self) -> Integers:
        """(n_periods, 1 + n_dimensions, value code) → first count row, −1 where nothing occurred; axis 1 entry 0 is all
        rows, under value code 0."""
        return self._rows[: len(self._index)]

    def n_buckets_of(self, period: int) -> int:
        """How many count rows the slices of a period have: one per bucket, or one."""
        day = day_of(period * self._period_us // DAY_US)
        return self._n_buckets if self._bucket_days is None or day in self._bucket_days else 1

    def group(
        self, times: Integers, placeable: npt.NDArray[np.bool_], buckets: Buckets, values: SliceCodes
    ) -> Grouping:
        """Group a batch. Shapes: (n,), (n,), (n,), (n_dimensions, n)."""
        n = len(times)
        periods = self._period_codes(times, placeable)
        widths = np.array([self.n_buckets_of(period) for period in self._index], np.int64)
        if self._n_buckets == 1 or (len(widths) and widths.max() == 1):
            buckets = np.zeros(n, np.uint8)
        group, first = np.empty(n, np.int32), np.empty(n, np.int32)
        table = np.full(1 << max(2 * n, 2).bit_length(), -1, np.int32)
        n_groups = group_rows(periods, _packed(periods, buckets, values), group, first, table)
        # Groups of a bucket one after the other: the few count rows that they share then stay in the cache.
        by_bucket = np.argsort(buckets[first[:n_groups]], kind="stable")
        renumbered = np.empty(n_groups + 1, np.int32)
        renumbered[by_bucket] = np.arange(n_groups)
        renumbered[-1] = -1
        starts = np.zeros(n_groups + 2, np.int64)
        order = np.empty(n, np.int32)
        order_by_group(renumbered[group], starts, order)
        first = first[by_bucket]
        homes = self._homes(periods[first], values[:, first], widths)
        within = np.minimum(buckets[first].astype(np.int64), widths[periods[first]] - 1)
        return Grouping(order, starts, homes + within[:, None], homes)

    def _period_codes(self, times: Integers, placeable: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
        numbers = times // self._period_us
        codes = np.full(len(times), -1, np.int32)
        distinct = _distinct(numbers[placeable] if not placeable.all() else numbers)
        for number in distinct:
            self._index.setdefault(number, len(self._index))
        if len(self._index) > MAX_PERIODS:
            raise SchemaError(
                "clock column",
                found=f"rows on more than {MAX_PERIODS} days or hours in one partition",
                expected="times of events",
                next_step="check its unit, or split the file",
            )
        if len(distinct) == 1:
            codes[placeable] = self._index[distinct[0]]
        elif distinct:
            ordered = np.array(distinct)
            lookup = np.array([self._index[number] for number in distinct], np.int32)
            codes[placeable] = lookup[np.searchsorted(ordered, numbers[placeable])]
        return codes

    def _homes(self, periods: Any, values: SliceCodes, widths: Integers) -> Integers:
        """The count row (bucket 0) of every group's targets, making room for those seen for the first time."""
        while len(self._index) > len(self._rows):
            self._rows = np.concatenate([self._rows, np.full_like(self._rows, -1)])
        targets = np.empty((len(periods), 1 + len(values)), np.int64)
        for t in range(targets.shape[1]):
            codes = values[t - 1] if t else np.zeros(len(periods), np.uint8)
            wanted = np.zeros(self._rows[: len(self._index), t].shape, np.bool_)
            wanted[periods, codes] = True
            for period, code in np.argwhere(wanted & (self._rows[: len(self._index), t] < 0)).tolist():
                self._rows[period, t, code] = self.n_rows
                self.n_rows += int(widths[period])
            targets[:, t] = self._rows[periods, t, codes]
        return targets


def _packed(periods: npt.NDArray[np.int32], buckets: Buckets, values: SliceCodes) -> npt.NDArray[np.uint64]:
    """All that makes a group in as few 64-bit words as it takes: (n, n_words)."""
    n_dimensions, n = values.shape
    packed = np.zeros((n, (5 + n_dimensions + 7) // 8 * 8), np.uint8)
    packed.view(np.int32)[:, 0] = periods
    packed[:, 4] = buckets
    packed[:, 5 : 5 + n_dimensions] = values.T
    return packed.view(np.uint64)


def _distinct(numbers: Integers) -> list[int]:
    if not len(numbers):
        return []
    low, high = int(numbers.min()), int(numbers.max())
    if low == high:
        return [low]
    is_narrow = high - low < 1 << 20  # then counting is much faster than sorting
    distinct = np.flatnonzero(np.bincount(numbers - low)) + low if is_narrow else np.unique(numbers)
    return [int(number) for number in distinct]
