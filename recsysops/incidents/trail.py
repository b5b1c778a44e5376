"""The audit trail: who did what, when, from what to what; append-only, each entry sealed with the hash of the one before.

An entry cannot be altered, taken out or put in between without breaking every hash after it; the head, kept apart, shows
when the newest entries are missing. Appending locks the head first, so that two writers cannot seal on the same entry.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, insert, select, update

from recsysops.errors import StateError
from recsysops.incidents.schema import trail, trail_head

GENESIS = "0" * 64


@dataclass(frozen=True)
class Entry:
    """One step. ``at`` is the wall clock, ``moment`` the workspace's clock: in an archive, the end of its last judged day."""

    who: str
    action: str
    moment: datetime
    at: datetime
    incident: int | None = None
    before: str = ""
    after: str = ""
    details: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    number: int = 0

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "number": self.number,
            "at": _text(self.at),
            "moment": _text(self.moment),
            "who": self.who,
            "action": self.action,
            "incident": self.incident,
            "before": self.before,
            "after": self.after,
            "details": dict(self.details),
        }


def lock_head(connection: Connection) -> None:
    """Wait for, and hold until the end of the transaction, the right to append.

    SQLite's own write lock is held from the transaction's begin; PostgreSQL locks the row.
    """
    connection.execute(select(trail_head.c.number).with_for_update()).scalar()


def begin_trail(connection: Connection) -> None:
    """An empty trail."""
    connection.execute(insert(trail_head).values(one=1, number=0, hash=GENESIS))


def append(connection: Connection, entries: Iterable[Entry]) -> None:
    """Seal the entries onto the trail, in the caller's transaction.

    Raises:
        StateError: if the trail's head is gone.
    """
    head = connection.execute(select(trail_head.c.number, trail_head.c.hash).with_for_update()).one_or_none()
    if head is None:
        raise StateError(
            "audit trail",
            found="no head: it was removed by other means",
            expected="the number and hash of the newest entry",
            next_step="bring the state back from a backup",
        )
    number, previous = head
    rows = []
    for entry in entries:
        number += 1
        row = {**entry.to_dict(), "number": number}
        row["details"] = json.dumps(row["details"], sort_keys=True, ensure_ascii=True)
        row |= {"previous": previous, "hash": _seal(previous, row)}
        previous = row["hash"]
        rows.append(row)
    if rows:
        connection.execute(insert(trail), rows)
        connection.execute(update(trail_head).values(number=number, hash=previous))


def read_trail(connection: Connection, incident: int | None = None) -> tuple[Entry, ...]:
    """Entries in order, of one incident or all."""
    query = select(trail).order_by(trail.c.number)
    if incident is not None:
        query = query.where(trail.c.incident == incident)
    return tuple(_entry(dict(row)) for row in connection.execute(query).mappings())


def broken_at(connection: Connection) -> int | None:
    """Number of the first entry that was altered, moved or lost; None when the chain is whole."""
    expected, previous = 1, GENESIS
    for row in connection.execute(select(trail).order_by(trail.c.number)).mappings():
        if row["number"] != expected or row["previous"] != previous or row["hash"] != _seal(previous, dict(row)):
            return expected
        expected, previous = expected + 1, row["hash"]
    head = connection.execute(select(trail_head.c.number, trail_head.c.hash)).one_or_none()
    return None if head is not None and tuple(head) == (expected - 1, previous) else expected


_SEALED = ("number", "at", "moment", "who", "action", "incident", "before", "after", "details")


def _seal(previous: str, row: Mapping[str, Any]) -> str:
    content = json.dumps([row[name] for name in _SEALED], ensure_ascii=True)
    return hashlib.sha256(f"{previous}\n{content}".encode()).hexdigest()


def _entry(row: dict[str, Any]) -> Entry:
    kept: dict[str, Any] = {name: row[name] for name in ("who", "action", "incident", "before", "after", "number")}
    kept |= {name: datetime.fromisoformat(row[name]) for name in ("at", "moment")}
    return Entry(**kept, details=MappingProxyType(json.loads(row["details"])))


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
