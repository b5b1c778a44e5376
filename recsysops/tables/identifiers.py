"""What puts names and words of the user's into SQL text."""

from __future__ import annotations

from recsysops.errors import SchemaError


def quote_identifier(name: str) -> str:
    """The name as a quoted SQL identifier (DuckDB, SQLite, PostgreSQL): double quotes are doubled.

    Raises:
        SchemaError: if the name is empty or holds a NUL character, which no database can carry.

    Example:
        >>> quote_identifier('price "net"')
        '"price ""net\"""'
    """
    if not name or "\x00" in name:
        found = "a NUL character in it" if name else "an empty name"
        raise SchemaError(f"column or table name {name!r}", found=found, next_step="rename it in the export")
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """The text as a SQL literal, where no value can be bound: single quotes are doubled, NUL characters left out.

    Example:
        >>> quote_text("rock 'n' roll")
        "'rock ''n'' roll'"
    """
    return "'" + text.replace("'", "''").replace("\0", "") + "'"
