"""Items that were launched in the last days, or soon will be."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recsysops.tables.table import Table

NEAR = timedelta(days=14)
MAX_ITEMS = 50


def launched_items(items: Table | None, last_day: date) -> tuple[str, ...]:
    """Ids of the items whose launch lies within two weeks of the last day, nearest first.

    Where the catalogue is kept as of several days, the latest launch known by the last day counts.

    Raises:
        SchemaError, SourceError: if the catalogue cannot be read.
    """
    launch = items.schema.role("launch_at") if items is not None else None
    item = items.schema.role("item_id") if items is not None else None
    if items is None or launch is None or item is None:
        return ()
    as_of = items.schema.role("as_of")
    columns = [item.name, launch.name, *([as_of.name] if as_of else [])]
    end = datetime(last_day.year, last_day.month, last_day.day, tzinfo=UTC) + timedelta(days=1)
    known: dict[str, tuple[datetime, datetime]] = {}
    for partition in items.partitions():
        for batch in items.batches(partition, columns):
            texts, launches, *moments = (column.to_pylist() for column in batch.columns)
            for place, (text, launch_at) in enumerate(zip(texts, launches, strict=True)):
                moment = (moments[0][place] if moments else None) or datetime.min.replace(tzinfo=UTC)
                if text is not None and launch_at is not None and moment < end:
                    known[str(text)] = max(known.get(str(text), (moment, launch_at)), (moment, launch_at))
    near = [(abs(launch_at - end), name) for name, (_, launch_at) in known.items() if abs(launch_at - end) <= NEAR]
    return tuple(name for _, name in sorted(near)[:MAX_ITEMS])
