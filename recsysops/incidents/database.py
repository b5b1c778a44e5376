"""Opening the state database: created when absent, refused when newer or damaged, never overwritten."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError, DBAPIError

from recsysops.errors import StateError
from recsysops.incidents.schema import STATE_VERSION, metadata, state_version

FILE_NAME = "state.db"


def open_database(state: Path) -> Engine:
    """The database in a workspace's state folder, ready for use.

    Raises:
        StateError: if it is damaged, of a newer version, or cannot be opened. Nothing is changed then.
    """
    path = state / FILE_NAME
    try:
        state.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StateError(str(state), found=error.strerror or str(error), expected="a folder for the state") from None
    engine = create_engine(URL.create("sqlite", database=str(path)))
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    try:
        with speaking_of(path), engine.begin() as connection:
            _settle_version(connection, path)
    except BaseException:
        engine.dispose()
        raise
    return engine


@contextmanager
def speaking_of(path: Path) -> Iterator[None]:
    """Turn the database's own errors into one line that names the file."""
    try:
        yield
    except DatabaseError as error:
        raise _state_error(path, error) from error


def _prepare(connection: Any, record: object) -> None:
    """WAL lets readers in during a run; FULL keeps what was committed through a power cut."""
    connection.isolation_level = None  # we begin transactions ourselves, so that DDL is inside them too
    try:
        for pragma in ("busy_timeout=5000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()  # it never reaches the pool, so nobody else would
        raise


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _settle_version(connection: Connection, path: Path) -> None:
    damage = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    if damage != "ok":
        raise _damaged(path, str(damage))
    names = inspect(connection).get_table_names()
    if not names:
        metadata.create_all(connection)
        connection.execute(insert(state_version).values(version=STATE_VERSION))
        return
    if state_version.name not in names:
        raise _damaged(path, "a database of something else")
    found = connection.execute(select(state_version.c.version)).scalar()
    if found != STATE_VERSION:
        raise StateError(
            str(path),
            found=f"state of version {found}",
            expected=f"version {STATE_VERSION}",
            next_step="use the recsysops that wrote it, or move the file away to begin anew",
        )


def _state_error(path: Path, error: DBAPIError) -> StateError:
    reason = str(error.orig)
    if "locked" in reason:
        return StateError(str(path), found=reason, next_step="another program has it open; try again")
    if "unable to open" in reason or "readonly" in reason or "full" in reason:
        return StateError(str(path), found=reason, next_step="check the folder's permissions and free space")
    return _damaged(path, reason)


def _damaged(path: Path, reason: str) -> StateError:
    return StateError(
        str(path),
        found=reason,
        expected="the state database of a workspace",
        next_step="move it away; the next `recsysops detect --since` judges the days again from the logs",
    )
