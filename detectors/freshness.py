"""Data that stopped coming: a day that ends early, a snapshot that is no longer renewed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import numpy.typing as npt

from recsysops.profiles.history import Context, History, PartitionFacts
from recsysops.profiles.measures import Cells, Facts, Measure
from recsysops.profiles.slices import EVERYTHING
from recsysops.statistics.count_prediction import predictive_tails
from recsysops.statistics.overdispersion import estimate_dispersion
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Schema
from recsysops.tables.views.contracts import CONTRACTS
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Verdict
from recsysops.triage.evidence import Stated, finding_of, not_between_cohorts
from recsysops.triage.findings import Finding, Looked, Skipped
from recsysops.triage.watched import clocked

_EVENTS = ("candidates", "outcomes")
_NEEDED = 3
"""Reference days with rows, or renewals of a snapshot, before anything is called usual."""
_MAX_P = 1e-3
_DISPERSION = 0.01
"""Healthy hours move by at least a tenth from day to day, whatever few days show."""


class Freshness:
    """A table has stopped being filled, or is no longer renewed.

    Signals:
        ``hours_without_rows``: whole hours without an event at the end of the judged day, for logs of events, unless the
        same hours of the reference days held so few that none is no surprise; ``snapshot_age_hours``: from the newest ``as_of`` to the end of the judged day, for snapshots. Higher is worse.
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
        A rule: the longest delay of the reference days, and a floor; for events also the negative-binomial probability
        of no row. No day is compared with the wall clock of a replay.
    """

    meta = DetectorMeta(
        "INP102",
        "input.freshness",
        ("candidates", "outcomes", "items", "item_features", "member_features"),
        "warning",
        "upstream",
        tiers=("fast", "daily"),
    )

    class Params(Parameters):
        """Floors of ``input.freshness``."""

        min_hours: Positive = 2.0
        min_ratio: Positive = 1.5

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        for table in clocked(schema, self.meta.watches):
            yield Cells(table.table, by_hour=True) if table.table in _EVENTS else Facts(table.table)

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        skipped = not_between_cohorts(self.meta, context)
        if skipped is not None:
            yield skipped
            return
        tables = []
        for table in clocked(context.schema, self.meta.watches):
            delays, p_value, n_rows = self._delays(history, table.table)
            if not delays:
                continue
            if len(delays) <= _NEEDED:
                reason = f"{len(delays) - 1} earlier days known; needs {_NEEDED} to know what is usual"
                yield Skipped(self.meta.name, "too_little_data", reason, table.table)
                continue
            tables.append(table.table)
            finding = self._judge(context, table.table, delays, p_value, n_rows)
            if finding is not None:
                yield finding
        yield Looked(self.meta.name, len(tables), f"newest rows of {', '.join(tables) or 'no table'}", len(tables))

    def _delays(self, history: History, table: str) -> tuple[Sequence[float], float | None, int]:
        """Delays of the reference days and then the judged one, the chance of the last, and rows seen; () if none."""
        if table not in _EVENTS:
            partitions = history.facts(Facts(table))
            return (
                (snapshot_ages(history.context, partitions), None, _rows(partitions)) if partitions else ((), None, 0)
            )
        contrast = history.cells(Cells(table, by_hour=True))
        if contrast is None or contrast.hourly is None:
            return (), None, 0
        reference, current = (contrast.hourly(window)[:, :, 0, 0] for window in ("reference", "current"))
        seen = reference.any(axis=1)
        if not current[-1].any():  # a day without any row is a matter of volume
            return (), None, 0
        delays = [float(silent_hours(day)) for day in (*reference[seen], current[-1])]
        return delays, chance_of_silence(reference[seen], int(delays[-1])), int(reference.sum() + current.sum())

    def _judge(
        self, context: Context, table: str, delays: Sequence[float], p_value: float | None, n_rows: int
    ) -> Finding | None:
        *usual, now = delays
        longest = max(usual)
        floor = self.params.min_ratio * longest + self.params.min_hours
        if now < floor or (p_value is not None and p_value > _MAX_P):
            return None
        is_event = table in _EVENTS
        schema = context.schema.table(table)
        clock = schema.role(CONTRACTS[table].clock) if schema else None
        name = quote_identifier(clock.name) if clock else "NULL"
        said = "has no rows in the last" if is_event else "was last renewed"
        tail = (
            ("hours of the day" if context.hour is None else "hours") if is_event else "hours before the end of the day"
        )
        change = Stated(
            EVERYTHING, now, now / floor, n_rows,
            reference=longest, p_value=p_value, n_reference=n_rows, series=tuple(delays),
        )  # fmt: skip
        return finding_of(
            self.meta, context, change,
            table=table, statistic="hours_without_rows" if is_event else "snapshot_age_hours", threshold=floor,
            stage="logging" if is_event else "upstream",
            headline=f"{table} {said} {now:.1f} {tail}, usually at most {longest:.1f}",
            query=f"SELECT CAST({name} AS DATE) AS day, max({name}) AS newest, count(*) AS n_rows "
            f"FROM {quote_identifier(table)} GROUP BY 1 ORDER BY 1 DESC LIMIT 30",
        )  # fmt: skip


def silent_hours(rows: npt.NDArray[np.int64]) -> int:
    """Whole hours without rows at the end of a day; ``rows`` per hour, (24,).

    Example:
        >>> silent_hours(np.array([5] * 22 + [0, 0]))
        2
    """
    return int(np.argmax(rows[::-1] > 0)) if rows.any() else 24


def chance_of_silence(reference: npt.NDArray[np.int64], n_hours: int) -> float:
    """Probability of no row in the last hours of a day, given the rows of the reference days' same hours, (n_days, 24)."""
    if n_hours == 0 or not len(reference):
        return 1.0
    rows = reference[:, 24 - n_hours :].sum(axis=1)
    dispersion = np.maximum(estimate_dispersion(rows), _DISPERSION) if len(rows) > 1 else _DISPERSION
    return float(predictive_tails(0, rows, dispersion=np.nan_to_num(dispersion, nan=_DISPERSION)).lower)


def _rows(partitions: Sequence[PartitionFacts]) -> int:
    return sum(one.n_rows for one in partitions)


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
