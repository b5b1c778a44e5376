"""Do requests lie in one partition each? What is counted per request is counted within a partition."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from recsysops.errors import RecSysOpsError
from recsysops.inspection.report import Problem
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.relation import partition_view
from recsysops.tables.source import Partition
from recsysops.tables.table import Table

SAMPLED = 16
"""One request in so many is looked at, the same in every partition: by its hash."""
MIN_SHARE = 0.001
"""Below it, requests at midnight are cut, which no count notices."""
_VIEW = "straddling"


def straddling_problems(
    connection: duckdb.DuckDBPyConnection, table: Table, partitions: Sequence[Partition]
) -> list[Problem]:
    """A warning when requests are spread over several of these partitions.

    A partition that cannot be read is left out: that it cannot has been said already.
    """
    request = table.schema.role("request_id")
    if table.name != "candidates" or request is None or len(partitions) < 2:
        return []
    connection.execute("CREATE OR REPLACE TEMP TABLE seen_requests (request UBIGINT, part INTEGER)")
    for number, partition in enumerate(partitions):
        try:
            with partition_view(connection, table, partition, [request.name], _VIEW) as view:
                hashed = f"hash(CAST({quote_identifier(request.name)} AS VARCHAR))"
                connection.execute(
                    f"INSERT INTO seen_requests SELECT DISTINCT {hashed} AS request, {number} FROM {view} "
                    f"WHERE {quote_identifier(request.name)} IS NOT NULL AND {hashed} % {SAMPLED} = 0"
                )
        except (RecSysOpsError, duckdb.Error):
            continue
    counted = "SELECT count(*) AS n FROM seen_requests GROUP BY request"
    row = connection.execute(f"SELECT count(*), count(*) FILTER (n > 1) FROM ({counted})").fetchone()
    n_requests, n_spread = row if row is not None else (0, 0)
    if not n_requests or n_spread / n_requests < MIN_SHARE:
        return []
    return [
        Problem(
            "warning",
            f"{table.name}.{request.name}",
            f"{n_spread / n_requests:.1%} of requests in several of the newest {len(partitions)} partitions",
            "all rows of a request in one",
            "partition the export by request or by time: per-request counts take each part for a request of its own",
        )
    ]
