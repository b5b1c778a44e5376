"""Outcomes joined to the requests they followed, by request day and age, counted when the outcomes arrive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from recsysops.engines.prepared_rows import PreparedRows, day_number
from recsysops.profiles.group_codes import DAY_US
from recsysops.profiles.measures import Cohort
from recsysops.profiles.profile import RowWriter
from recsysops.profiles.slices import EVERYTHING

if TYPE_CHECKING:
    import duckdb

UNMATCHED = "unmatched"
"""Key of outcomes that found no request within the label window; their day is their own."""


def count_cohort(
    connection: duckdb.DuckDBPyConnection,
    requests: PreparedRows,
    measures: Sequence[tuple[str, Cohort]],
    window_days: int,
    writer: RowWriter,
) -> None:
    """Count one partition of outcomes.

    The connection must have the table ``arrived`` (id, request, item, us: microseconds since 1970, kind: text or NULL)
    and the view named by ``requests`` over the candidates of the label window (request, c0: item, c1: time). An outcome
    is matched to the candidate of the same request and item (of several, the last one before it) if it is at most
    ``window_days`` whole days old; rows count outcomes, by slice of the candidate.
    """
    slices = "".join(f", min(c.{column}) AS {column}" for column in requests.slice_columns)
    grouped = requests.grouping_sets("day", "age")
    for measure_id, measure in measures:
        statement = f"""
            WITH outcome AS (
                SELECT * FROM arrived WHERE $kind = '' OR kind = $kind
            ), matched AS (
                SELECT o.id, max(c.day) AS day, min((o.us - epoch_us(c.c1)) // {DAY_US}) AS age{slices}
                FROM outcome AS o JOIN {requests.view} AS c
                  ON c.request = o.request AND CAST(c.c0 AS VARCHAR) = o.item
                 AND o.us >= epoch_us(c.c1) AND o.us < epoch_us(c.c1) + {window_days + 1} * {DAY_US}
                GROUP BY o.id
            )
            SELECT day, CAST(age AS INTEGER) AS age, {"".join(f"{column}, " for column in requests.slice_columns)}count(*)
            FROM matched GROUP BY {grouped}
            UNION ALL
            SELECT CAST({day_number("us")} AS INTEGER), -1, {"NULL, " * len(requests.dimensions)}count(*)
            FROM outcome WHERE id NOT IN (SELECT id FROM matched) GROUP BY ALL
            ORDER BY ALL
        """
        for row in connection.execute(statement, {"kind": measure.outcome_kind}).fetchall():
            key = UNMATCHED if row[1] < 0 else str(row[1])
            slice_ = EVERYTHING if row[1] < 0 else requests.slice_of(row[2:-1])
            writer.add(measure_id, row[0], slice_, key=key, counts=[row[-1]])
