"""The outbox: what people were told, and the notices that wait to be sent; both written in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy import Connection, Row, insert, select, update

from recsysops.incidents.schema import metadata, notices, told
from recsysops.notifications.notice import Message, Notice, Told


class Transactions(Protocol):
    """What is needed of the state."""

    def transaction(self) -> AbstractContextManager[Connection]: ...


class Outbox:
    """Notices of one workspace; every method is one transaction."""

    def __init__(self, state: Transactions) -> None:
        self._state = state
        with state.transaction() as connection:  # a state from before there were notices
            metadata.create_all(connection, tables=[told, notices])

    def told(self) -> dict[str, Told]:
        """What people were last told, by subject."""
        with self._state.transaction() as connection:
            rows = connection.execute(select(told)).all()
        return {row.subject: Told(row.status, row.severity, row.n_changes) for row in rows}

    def tell(self, subject: str, after: Told, written: Iterable[Notice], *, replaces: bool = True) -> None:
        """Note that people know, and put the notices that make it so in the outbox: both or neither.

        A notice whose key is there already is not written again. With ``replaces``, older ones on the same subject that
        still wait for the same target are not sent any more: the new one says where things stand.
        """
        values = {"status": after.status, "severity": after.severity, "n_changes": after.n_changes}
        with self._state.transaction() as connection:
            if connection.execute(update(told).where(told.c.subject == subject).values(**values)).rowcount == 0:
                connection.execute(insert(told).values(subject=subject, **values))
            for notice in written:
                _write(connection, notice, replaces=replaces)

    def put(self, notice: Notice, entries: Collection[Notice] = ()) -> None:
        """Write a notice, and let go of the entries that it holds."""
        with self._state.transaction() as connection:
            _write(connection, notice, replaces=False)
            _finish(connection, [entry.id for entry in entries], "in digest", notice.created)

    def has(self, key: str) -> bool:
        """Whether a notice of that key was ever written."""
        with self._state.transaction() as connection:
            return connection.execute(select(notices.c.id).where(notices.c.key == key)).first() is not None

    def waiting(self) -> tuple[Notice, ...]:
        """Notices to be sent, those that failed least often first."""
        return self._with_status("waiting")

    def entries(self) -> tuple[Notice, ...]:
        """What waits for the digest, oldest first."""
        return self._with_status("entry")

    def finish(self, notice: Notice, status: str, now: datetime) -> None:
        """The notice was ``sent``, ``replaced``, ``given up`` or has no ``target`` any more."""
        with self._state.transaction() as connection:
            _finish(connection, [notice.id], status, now)

    def failed(self, notice: Notice, reason: str) -> None:
        """One more try that failed; it goes on waiting."""
        values = {"n_tries": notices.c.n_tries + 1, "error": reason}
        with self._state.transaction() as connection:
            connection.execute(update(notices).where(notices.c.id == notice.id).values(**values))

    def _with_status(self, status: str) -> tuple[Notice, ...]:
        query = select(notices).where(notices.c.status == status).order_by(notices.c.n_tries, notices.c.id)
        with self._state.transaction() as connection:
            return tuple(map(_notice, connection.execute(query).all()))


def _write(connection: Connection, notice: Notice, *, replaces: bool) -> None:
    if connection.execute(select(notices.c.id).where(notices.c.key == notice.key)).first() is not None:
        return
    if replaces:
        same = (notices.c.target == notice.target, notices.c.subject == notice.subject)
        waits = notices.c.status.in_(["waiting", "entry"])
        values = {"status": "replaced", "finished": _text(notice.created)}
        connection.execute(update(notices).where(*same, waits).values(**values))
    connection.execute(
        insert(notices).values(
            key=notice.key,
            target=notice.target,
            subject=notice.subject,
            incident=notice.incident,
            event=notice.event,
            severity=notice.severity,
            title=notice.message.title,
            body=notice.message.body,
            created=_text(notice.created),
            due=_text(notice.due),
            status="entry" if notice.is_entry else "waiting",
            n_tries=0,
        )
    )


def _finish(connection: Connection, ids: Collection[int], status: str, now: datetime) -> None:
    values = {"status": status, "finished": _text(now)}
    connection.execute(update(notices).where(notices.c.id.in_(sorted(ids))).values(**values))


def _notice(row: Row[Any]) -> Notice:
    return Notice(
        key=row.key,
        target=row.target,
        subject=row.subject,
        event=row.event,
        severity=row.severity,
        message=Message(row.title, row.body),
        created=datetime.fromisoformat(row.created),
        due=datetime.fromisoformat(row.due),
        is_entry=row.status == "entry",
        incident=row.incident,
        id=row.id,
        n_tries=row.n_tries,
    )


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
