"""The log of some requests: their own rows, and those of others in the same days and places."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from recsysops.cases.subject_requests import SubjectRequests
from recsysops.cases.whole_requests import RequestReader
from recsysops.errors import NotEnoughDataError
from recsysops.tables.table import Table


def read_request_log(table: Table, requests: Sequence[str]) -> SubjectRequests:
    """Read whole requests by their ids.

    Args:
        table: candidates.
        requests: ids as the log has them.

    Raises:
        NotEnoughDataError: if one of them was not logged.
        SchemaError, SourceError: as ``Table.batches``.
    """
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("asked", pa.table({"id": pa.array(list(requests), pa.string())}))
        reader = RequestReader(connection, table)
        reader.find("own", f"{reader.sql('request_id')}::VARCHAR IN (SELECT id FROM asked)", {})
        missing = connection.execute("SELECT id FROM asked WHERE id NOT IN (SELECT request FROM own)").fetchall()
        if missing:
            _refuse([one for (one,) in missing])
        reader.find_others()
        return reader.read()


def _refuse(missing: Sequence[str]) -> None:
    others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    raise NotEnoughDataError(
        f"request {missing[0]}{others}",
        found="no candidate of it in the log",
        expected="the id of a logged request",
        next_step="check the id; the log may be a sample of all requests",
    )
