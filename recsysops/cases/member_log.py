"""The log of a member: the last requests of a window, and requests of members alike on the same days and before."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from recsysops.cases.subject import Window
from recsysops.cases.subject_requests import SubjectRequests
from recsysops.cases.whole_requests import RequestReader
from recsysops.errors import ConfigError, NotEnoughDataError
from recsysops.tables.table import Table


def read_member_log(
    table: Table, member: str, window: Window, alike: Sequence[str], n_requests: int
) -> SubjectRequests:
    """Read whole requests of a member and of others, members alike before anybody else.

    Args:
        table: candidates.
        member: as the log has it.
        window: of the member's requests.
        alike: members to compare with.
        n_requests: at most so many of the member's, the last ones.

    Raises:
        ConfigError: if the log does not say who asked.
        NotEnoughDataError: if the member has no logged request in the window.
        SchemaError, SourceError: as ``Table.batches``.
    """
    if table.schema.role("member_id") is None:
        raise ConfigError(
            "candidates.roles", found="no member_id", expected="the column that says who asked", next_step="map it"
        )
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("alike", pa.table({"id": pa.array(list(alike), pa.string())}))
        reader = RequestReader(connection, table)
        who, clock = f"{reader.sql('member_id')}::VARCHAR", reader.sql("ts")
        bound = {"member": member, "start": window.start, "end": window.end}
        reader.find("own", f"{who} = $member AND {clock} >= $start AND {clock} < $end", bound)
        connection.execute(
            "DELETE FROM own WHERE request NOT IN (SELECT request FROM own ORDER BY asked_at DESC, request LIMIT $n)",
            {"n": n_requests},
        )
        if connection.execute("SELECT count(*) FROM own").fetchall() == [(0,)]:
            _refuse(reader, member, window)
        preferred = "member IN (SELECT id FROM alike)"
        reader.find_others(preferred, f"{who} IS DISTINCT FROM $member", {"member": member})
        return reader.read(by_member=True)


def _refuse(reader: RequestReader, member: str, window: Window) -> None:
    reader.find("ever", f"{reader.sql('member_id')}::VARCHAR = $member", {"member": member})
    [(last,)] = reader.connection.execute("SELECT max(day) FROM ever").fetchall()
    found = f"no logged request in the {window.days:.0f} days to {window.end:%Y-%m-%d}"
    raise NotEnoughDataError(
        f"member {member}",
        found=found if last is None else f"{found}, the last one on {last}",
        expected="a member with logged requests",
        next_step="check the id; the log may be a sample of all requests" if last is None else "choose another window",
    )
