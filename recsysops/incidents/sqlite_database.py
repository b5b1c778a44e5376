"""The state database as one SQLite file in the state folder; never overwritten when it is damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from recsysops.errors import StateError

FILE_NAME = "state.db"


def file_of(folder: Path) -> Path:
    """The file in a state folder."""
    return folder / FILE_NAME


def engine_of(folder: Path) -> Engine:
    """Connections to the file, which is made when it is not there; the folder too.

    Raises:
        StateError: if the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StateError(str(folder), found=error.strerror or str(error), expected="a folder for the state") from None
    engine = create_engine(URL.create("sqlite", database=str(file_of(folder))))
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def refuse_damage(connection: Connection, folder: Path) -> None:
    """A quick look over every page.

    Raises:
        StateError: if one is damaged.
    """
    damage = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    if damage != "ok":
        raise _damaged(folder, str(damage))


def state_error(folder: Path, error: DBAPIError) -> StateError:
    """What SQLite said, as one line."""
    reason, where = str(error.orig), str(file_of(folder))
    if "locked" in reason:
        return StateError(where, found=reason, next_step="another program has it open; try again")
    if "unable to open" in reason or "readonly" in reason or "full" in reason:
        return StateError(where, found=reason, next_step="check the folder's permissions and free space")
    return _damaged(folder, reason)


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


def _damaged(folder: Path, reason: str) -> StateError:
    return StateError(
        str(file_of(folder)),
        found=reason,
        expected="the state database of a workspace",
        next_step="move it away; the next `recsysops detect --since` judges the days again from the logs",
    )
