"""A copy of a state in a file of its own, for looking without keeping."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import delete, insert, select

from recsysops.incidents.database import open_database, speaking_of
from recsysops.incidents.location import StateLocation
from recsysops.incidents.schema import metadata
from recsysops.incidents.sqlite_database import file_of


def copy_state(location: StateLocation, folder: Path) -> None:
    """Write everything that is remembered to ``folder``; nothing when nothing is.

    Raises:
        StateError: if it is damaged, newer, or out of reach.
    """
    if location.is_server:
        _copy_rows(location, StateLocation(folder))
    elif file_of(location.folder).exists():
        open_database(location).dispose()  # refuses what is damaged or newer
        folder.mkdir(parents=True, exist_ok=True)
        with (
            closing(sqlite3.connect(file_of(location.folder))) as source,
            closing(sqlite3.connect(file_of(folder))) as target,
        ):
            source.backup(target)


def _copy_rows(location: StateLocation, copy: StateLocation) -> None:
    source, target = open_database(location), open_database(copy)
    try:
        with speaking_of(location), source.connect() as reading, target.begin() as writing:
            for table in reversed(metadata.sorted_tables):
                if table.name != "trail":  # new, hence empty; it lets nothing be deleted
                    writing.execute(delete(table))
            for table in metadata.sorted_tables:
                rows = [dict(row) for row in reading.execute(select(table)).mappings()]
                if rows:
                    writing.execute(insert(table), rows)
    finally:
        source.dispose()
        target.dispose()
