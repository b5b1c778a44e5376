"""A table of events day by day: which days it has rows of, and the rows of one day as Arrow."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from recsysops.serving.hashing import hash64

if TYPE_CHECKING:
    import pyarrow as pa

    from recsysops.tables.source import Partition
    from recsysops.tables.table import Table

SALT = "drill"
"""Of the hash by which requests are sampled: no other sample is of the same requests."""
_DAY_US, _EPOCH = 86_400_000_000, date(1970, 1, 1)
_HASHES = 1 << 64


@dataclass(frozen=True)
class TableDays:
    """An opened table with a clock; partitions may hold any days in any order.

    Raises:
        SchemaError, SourceError: as ``Table.batches``, from whatever reads rows.
    """

    table: Table

    @cached_property
    def clock(self) -> str:
        """The column that places rows in time."""
        column = self.table.schema.role(self.table.contract.clock)
        if column is None:
            raise ValueError(f"{self.table.name}: expected a table with a clock")
        return column.name

    @cached_property
    def days(self) -> Mapping[date, int]:
        """Rows of each day that has any, oldest first; rows without a time belong to no day."""
        found: dict[date, int] = {}
        for _, by_day in self._by_partition:
            for day, n_rows in by_day.items():
                found[day] = found.get(day, 0) + n_rows
        return dict(sorted(found.items()))

    @cached_property
    def _by_partition(self) -> list[tuple[Partition, dict[date, int]]]:
        """Reads the clock alone."""
        return [(partition, self._count(partition)) for partition in self.table.partitions()]

    def _count(self, partition: Partition) -> dict[date, int]:
        found: dict[date, int] = {}
        for batch in self.table.batches(partition, [self.clock]):
            numbers, counts = np.unique(_day_numbers(batch.column(0)), return_counts=True)
            for number, n_rows in zip(numbers.tolist(), counts.tolist(), strict=True):
                day = _date(number)
                if day is not None:
                    found[day] = found.get(day, 0) + n_rows
        return found

    def read(self, day: date, columns: Sequence[str], rate: float = 1.0) -> pa.Table:
        """The rows of a day in the order of the log, in canonical values; texts are plain, not dictionaries.

        Args:
            day: UTC.
            columns: names in the logs.
            rate: share of the requests, chosen by the portable hash; rows without a request are chosen one by one, and all
                are kept in a table that knows no requests.
        """
        return self.joined([piece for _, piece in self.pieces([day], columns, rate)], columns)

    def pieces(
        self, days: Collection[date], columns: Sequence[str], rate: float = 1.0
    ) -> Iterator[tuple[date, pa.Table]]:
        """The same for several days in one pass: piece by piece of bounded size, days in any order."""
        import pyarrow as pa

        request = self.table.schema.role("request_id")
        names = tuple(dict.fromkeys([*columns, self.clock, *([request.name] if request else [])]))
        numbers = {(day - _EPOCH).days: day for day in days}
        for partition in (one for one, its_days in self._by_partition if not its_days.keys().isdisjoint(days)):
            for batch in self.table.batches(partition, names):
                found = _day_numbers(batch.column(self.clock))
                for number in np.unique(found).tolist():
                    if number in numbers:
                        rows = batch if (found == number).all() else batch.filter(pa.array(found == number))
                        if request is not None and rate < 1:
                            rows = rows.filter(_sampled(rows.column(request.name), rate))
                        yield numbers[number], pa.Table.from_batches([_plain(rows)]).select(list(columns))

    def joined(self, pieces: Sequence[pa.Table], columns: Sequence[str]) -> pa.Table:
        """Pieces of one day as one table; without any, a table without rows."""
        import pyarrow as pa

        if not pieces:
            types = (self.table.arrow_schema(partition, columns) for partition in self.table.partitions())
            return next(types, pa.schema([(name, pa.null()) for name in columns])).empty_table()
        return pa.concat_tables(pieces, promote_options="permissive").combine_chunks()


def _sampled(requests: pa.Array, rate: float) -> pa.Array:
    import pyarrow as pa

    ids = requests if pa.types.is_dictionary(requests.type) else requests.dictionary_encode()
    chosen = np.array([*(_is_chosen(str(one), rate) for one in ids.dictionary.to_pylist()), False])
    places = ids.indices.fill_null(len(ids.dictionary)).to_numpy(zero_copy_only=False)
    kept = chosen[places]
    for number in np.flatnonzero(places == len(ids.dictionary)).tolist():
        kept[number] = _is_chosen(f"row {number}", rate)
    return pa.array(kept)


def _is_chosen(text: str, rate: float) -> bool:
    return hash64(text, SALT) < int(rate * _HASHES)


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Without dictionaries, whose entries differ from batch to batch."""
    import pyarrow as pa

    arrays = [one.dictionary_decode() if pa.types.is_dictionary(one.type) else one for one in batch.columns]
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


def _day_numbers(times: Any) -> Any:
    """Days since 1970 (UTC), rounded down; a NULL lies before all days."""
    import pyarrow as pa

    us = times.cast(pa.timestamp("us", times.type.tz), safe=False).view(pa.int64())
    return us.fill_null(-(1 << 62)).to_numpy(zero_copy_only=False) // _DAY_US


def _date(number: int) -> date | None:
    try:
        return _EPOCH + timedelta(days=number)
    except OverflowError:
        return None
