"""Data that stopped coming: a day that ends early, a snapshot that is no longer renewed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta

from recsysops.profiles.history import Context, History, PartitionFacts
from recsysops.profiles.measures import Facts, Measure
from recsysops.profiles.slices import EVERYTHING
from recsysops.tables.contract import TABLES
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Verdict
from recsysops.triage.evidence import Stated, finding_of, not_between_cohorts
from recsysops.triage.findings import Finding, Looked, Skipped
from recsysops.triage.watched import clocked

_EVENTS = ("candidates", "outcomes")
_NEEDED = 3
"""Reference days with rows, or renewals of a snapshot, before anything is called usual."""


class Freshness:
    """A table has stopped being filled, or is no longer renewed.

    Signals:
        ``hours_without_rows``: from the last event of the judged day to its end, for logs of events;
        ``snapshot_age_hours``: from the newest ``as_of`` to the end of the judged day, for snapshots. Higher is worse.
    Parameters:
        min_ratio, min_hours: a delay is late from 1.5 times the longest usual one plus 2 hours on.
    Needs:
        Any table with a clock, and 3 days with rows (or since the first renewal) before.
    Blind spots:
        Rows that keep coming with old values in them; delays inside a day (see ``input.row_volume``); a table
        that is filled with rows of the future.
    Example:
        >>> from recsysops.testing.example_log import example_log, findings
        >>> log = example_log().drop("candidates", where="ts.dt.hour >= 15")
        >>> [(found.statistic, round(found.value)) for found in findings(Freshness(), log)]
        [('hours_without_rows', 9)]

    Source:
        A rule: the longest delay of the reference days, and a floor. No day is compared with the wall clock of a replay.
    """

    meta = DetectorMeta(
        "INP102",
        "input.freshness",
        ("candidates", "outcomes", "items", "item_features", "member_features"),
        "warning",
        "upstream",
    )

    class Params(Parameters):
        """Floors of ``input.freshness``."""

        min_hours: Positive = 2.0
        min_ratio: Positive = 1.5

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        for table in clocked(schema, self.meta.watches):
            yield Facts(table.table)

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        skipped = not_between_cohorts(self.meta, context)
        if skipped is not None:
            yield skipped
            return
        tables = []
        for table in clocked(context.schema, self.meta.watches):
            partitions = history.facts(Facts(table.table))
            if not partitions:
                continue
            delays = event_delays(context, partitions) if table.table in _EVENTS else snapshot_ages(context, partitions)
            if len(delays) <= _NEEDED:
                reason = f"{max(0, len(delays) - 1)} earlier days known; needs {_NEEDED} to know what is usual"
                yield Skipped(self.meta.name, "too_little_data", reason, table.table)
                continue
            tables.append(table.table)
            finding = self._judge(context, table.table, delays, sum(one.n_rows for one in partitions))
            if finding is not None:
                yield finding
        yield Looked(self.meta.name, len(tables), f"newest rows of {', '.join(tables) or 'no table'}")

    def _judge(self, context: Context, table: str, delays: Sequence[float], n_rows: int) -> Finding | None:
        *usual, now = delays
        longest = max(usual)
        floor = self.params.min_ratio * longest + self.params.min_hours
        if now < floor:
            return None
        is_event = table in _EVENTS
        schema = context.schema.table(table)
        clock = schema.role(TABLES[table].clock) if schema else None
        name = quote_identifier(clock.name) if clock else "NULL"
        said = "has no rows in the last" if is_event else "was last renewed"
        tail = "hours of the day" if is_event else "hours before the end of the day"
        change = Stated(
            EVERYTHING, now, now / floor, n_rows, reference=longest, n_reference=n_rows, series=tuple(delays)
        )
        return finding_of(
            self.meta, context, change,
            table=table, statistic="hours_without_rows" if is_event else "snapshot_age_hours", threshold=floor,
            stage="logging" if is_event else "upstream",
            headline=f"{table} {said} {now:.1f} {tail}, usually at most {longest:.1f}",
            query=f"SELECT CAST({name} AS DATE) AS day, max({name}) AS newest, count(*) AS n_rows "
            f"FROM {quote_identifier(table)} GROUP BY 1 ORDER BY 1 DESC LIMIT 30",
        )  # fmt: skip


def event_delays(context: Context, partitions: Sequence[PartitionFacts]) -> list[float]:
    """Hours from a day's last event to the day's end, for the reference days that have rows and then the judged day.

    A partition that goes on into the next day covers the end of this one, as far as can be told. A judged day without any
    row is left to ``input.row_volume``.
    """
    judged = context.current_days[-1]
    delays = [_delay(day, partitions) for day in (*context.reference_days, judged)]
    return [] if delays[-1] is None else [delay for delay in delays if delay is not None]


def _delay(day: date, partitions: Sequence[PartitionFacts]) -> float | None:
    last = [one.last_ts for one in partitions if one.last_ts and any(d == day and n for d, n in one.days)]
    if not last:
        return None
    return max(0.0, (_end_of(day) - max(last)).total_seconds() / 3600)


def snapshot_ages(context: Context, partitions: Sequence[PartitionFacts]) -> list[float]:
    """Hours since the newest renewal at the end of each reference day, and then of the judged day.

    A renewal is a day with rows; hours within it do not count. Days before the first renewal are left out.
    """
    renewed = sorted({day for one in partitions for day, n in one.days if n})
    ages = []
    for day in (*context.reference_days, context.current_days[-1]):
        known = [one for one in renewed if one <= day]
        if known:
            ages.append((_end_of(day) - _end_of(known[-1])).total_seconds() / 3600)
    return ages


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), UTC)
