"""One run at a time among all machines that share a state on a server: an advisory lock of a connection kept open.

The server lets go of it when the connection ends, and that ends with the process or with the machine's network.
"""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text
from sqlalchemy.pool import NullPool

from recsysops.errors import LockHeldError
from recsysops.incidents.database import place_of, speaking_of
from recsysops.incidents.location import StateLocation
from recsysops.incidents.postgres_database import engine_of

_HOLDER = """
    SELECT activity.application_name, to_char(activity.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SSZ')
    FROM pg_locks AS held JOIN pg_stat_activity AS activity USING (pid)
    WHERE held.locktype = 'advisory' AND held.granted
      AND held.classid::bigint = (:key >> 32) & 4294967295 AND held.objid::bigint = :key & 4294967295
"""


@contextmanager
def server_lock(location: StateLocation, verb: str, name: str) -> Iterator[None]:
    """Hold the workspace's lock of that name on the server for the length of the block.

    Raises:
        LockHeldError: at once, if another run holds it; names its verb, machine, process and start.
        StateError: if the server cannot be reached.
    """
    holder = f"recsysops {verb} {socket.gethostname()[:30]}:{os.getpid()}"
    engine = engine_of(location, application=holder, pool=NullPool)
    key = _key(location, name)
    try:
        with speaking_of(location):
            connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        with connection:
            with speaking_of(location):
                is_ours = connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}).scalar_one()
            if not is_ours:
                found = _holder(connection, key)
                raise LockHeldError(
                    place_of(location), found=found, expected="no other run", next_step="wait until it has ended"
                )
            yield
    finally:
        engine.dispose()


def _key(location: StateLocation, name: str) -> int:
    """The lock's number on the server: 64 bits with a sign."""
    digest = hashlib.sha256(f"recsysops\x1f{location.namespace}\x1f{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _holder(connection: Connection, key: int) -> str:
    row = connection.execute(text(_HOLDER), {"key": key}).first()
    words = str(row[0]).split() if row is not None else []
    if row is None or len(words) != 3:
        return "another run"
    return f"`{words[1]}` running as {words[2]} since {row[1]}"
