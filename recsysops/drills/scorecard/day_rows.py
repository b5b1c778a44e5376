"""The logged candidates of one day, in a log with a partition (``day=2026-11-02``) per day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from recsysops.errors import SourceError
from recsysops.tables.source import Partition

if TYPE_CHECKING:
    import pyarrow as pa

    from recsysops.tables.table import Table


def rows_of_day(table: Table, day: date, columns: Sequence[str]) -> pa.Table:
    """The day's rows with these columns, in canonical values; texts are plain, not dictionaries.

    Raises:
        SchemaError, SourceError: as ``Table.batches``.
    """
    import pyarrow as pa

    partitions = partitions_of_day(table, day)
    batches = [batch for partition in partitions for batch in table.batches(partition, columns)]
    if not batches:
        return table.arrow_schema(partitions[0], columns).empty_table()
    plain = pa.concat_tables([pa.Table.from_batches([batch]) for batch in batches], promote_options="permissive")
    for index, field in enumerate(plain.schema):
        if pa.types.is_dictionary(field.type):
            plain = plain.set_column(index, field.name, plain.column(index).cast(field.type.value_type))
    return plain


def partitions_of_day(table: Table, day: date) -> tuple[Partition, ...]:
    """The files of a day.

    Raises:
        SourceError: if there is none.
    """
    found = tuple(one for one in table.partitions() if ("day", day.isoformat()) in one.values)
    if not found:
        raise SourceError(table.name, found=f"no partition day={day}", expected="a partition for each day")
    return found
