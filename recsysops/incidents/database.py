"""Opening the state database: created when absent, brought up to date when older, refused when newer or damaged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, insert, inspect, select, update
from sqlalchemy.exc import DatabaseError

from recsysops.errors import StateError
from recsysops.incidents import postgres_database, sqlite_database
from recsysops.incidents.location import StateLocation
from recsysops.incidents.schema import STATE_VERSION, metadata, state_version
from recsysops.incidents.trail import Entry, append, begin_trail


def open_database(location: StateLocation) -> Engine:
    """The database of a workspace's state, ready for use.

    Raises:
        StateError: if it is damaged, of a newer version, or cannot be opened or reached. Nothing is changed then.
        ConfigError: if the settings name a server and its driver is not installed.
    """
    engine = postgres_database.engine_of(location) if location.is_server else sqlite_database.engine_of(location.folder)
    try:
        with speaking_of(location), engine.begin() as connection:
            if location.is_server:
                postgres_database.make_namespace(connection, location.namespace)
            else:
                sqlite_database.refuse_damage(connection, location.folder)
            _settle_version(connection, location)
    except BaseException:
        engine.dispose()
        raise
    return engine


def place_of(location: StateLocation) -> str:
    """How errors name the database; without a password."""
    if location.is_server:
        return postgres_database.place_of(location)
    return str(sqlite_database.file_of(location.folder))


@contextmanager
def speaking_of(location: StateLocation) -> Iterator[None]:
    """Turn the database's own errors into one line that names it."""
    try:
        yield
    except DatabaseError as error:
        if location.is_server:
            raise postgres_database.state_error(location, error) from error
        raise sqlite_database.state_error(location.folder, error) from error


def _settle_version(connection: Connection, location: StateLocation) -> None:
    """Make what a new database needs; add what later versions added. All in one transaction."""
    names = inspect(connection).get_table_names()
    if not names:
        metadata.create_all(connection)
        connection.execute(insert(state_version).values(version=STATE_VERSION))
        begin_trail(connection)
        return
    if state_version.name not in names:
        raise StateError(
            place_of(location),
            found="a database of something else",
            expected="the state database of a workspace",
            next_step="name another place, or move it away",
        )
    found = connection.execute(select(state_version.c.version)).scalar()
    if not isinstance(found, int) or not 1 <= found <= STATE_VERSION:
        raise StateError(
            place_of(location),
            found=f"state of version {found}",
            expected=f"version {STATE_VERSION} or older",
            next_step="use the recsysops that wrote it, or move it away to begin anew",
        )
    if found < STATE_VERSION:
        _bring_up_to_date(connection, found)


def _bring_up_to_date(connection: Connection, found: int) -> None:
    """Every version so far only added tables."""
    metadata.create_all(connection)
    if found < 2:
        begin_trail(connection)
    connection.execute(update(state_version).values(version=STATE_VERSION))
    now = datetime.now(UTC)
    append(
        connection,
        [Entry("recsysops", "migrate", now, now, before=f"version {found}", after=f"version {STATE_VERSION}")],
    )
