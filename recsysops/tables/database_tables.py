"""Which table of a database file is meant."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from recsysops.errors import ConfigError, SourceError
from recsysops.tables.nearest import did_you_mean


def choose_table(wanted: str | None, known: Sequence[str], path: Path) -> str:
    """The table that is asked for, or the only one there is.

    Raises:
        SourceError: if the file has no such table, or none at all.
        ConfigError: if it has several and none is named.
    """
    shown = ", ".join(sorted(known)[:10])
    if wanted is None and len(known) == 1:
        return known[0]
    if wanted is None and known:
        raise ConfigError(f"source {path}", found=f"{len(known)} tables: {shown}", next_step="name one in source.table")
    if wanted in known:
        return str(wanted)
    raise SourceError(
        str(path),
        found=f"tables {shown}" if known else "a database without tables",
        expected=f"table {wanted!r}" if wanted else "a table",
        next_step=did_you_mean(wanted or "", known, "correct source.table"),
    )
