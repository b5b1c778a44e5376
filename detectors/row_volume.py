"""Rows that never came, or came twice: per day, per slice, per hour."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from recsysops.profiles.history import CellContrast, Context, History
from recsysops.profiles.measures import Cells, Measure
from recsysops.profiles.slices import EVERYTHING
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Schema
from recsysops.tables.views.contracts import CONTRACTS
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Rate, Verdict
from recsysops.triage.evidence import Stated, finding_of, not_between_cohorts, percent, where, without_reference
from recsysops.triage.findings import Finding, Looked, Severity
from recsysops.triage.rate_gate import MAX_P
from recsysops.triage.volume_gate import Volumes, rows_that_come_together, volume_gate
from recsysops.triage.watched import clocked

_DAY_PRIOR_SD, _HOUR_PRIOR_SD = 0.1, 0.4
_SAME_HOUR_PRIOR_SD = 0.15
"""The same hour of the same weekday moves more than a day and less than any hour of any day."""


class RowVolume:
    """There are far fewer, or far more, rows than expected.

    Signals:
        ``n_rows``: rows of the day, of all rows and of every slice; both directions. ``n_silent_hours``: hours without a
        row that had rows on every reference day; higher is worse.
    Parameters:
        min_change: least loss, default 0.2 of the expected rows, and the gain that undoes it (+25 %).
        min_hourly_rows: expected rows from which an empty hour is judged, default 20.
    Needs:
        Any table with a clock. From 4 reference days of the same weekday on, only those are compared with.
    Blind spots:
        Slices of a handful of rows; losses below what days differ by anyway; holidays look like losses.
    Example:
        >>> from recsysops.testing.example_log import example_log, findings
        >>> log = example_log().drop("candidates", where="market == 'DK'")
        >>> [str(found.slice) for found in findings(RowVolume(), log)]
        ['market=DK']

    Source:
        Johnson, Kemp & Kotz (2005), ch. 5 (negative binomial); Smyth (2004) for the moderated variance.
    """

    meta = DetectorMeta(
        "INP101",
        "input.row_volume",
        ("candidates", "outcomes", "items", "item_features", "member_features"),
        "warning",
        "logging",
        yields_to_plans=True,
        tiers=("fast", "daily"),
    )

    class Params(Parameters):
        """Floors of ``input.row_volume``."""

        min_change: Rate = 0.2
        min_hourly_rows: Positive = 20.0

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        for table in clocked(schema, self.meta.watches):
            yield Cells(table.table, by_hour=True)

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        skipped = not_between_cohorts(self.meta, context) or without_reference(self.meta, context)
        if skipped is not None:
            yield skipped
            return
        n_series, tables = 0, []
        for table in clocked(context.schema, self.meta.watches):
            contrast = history.cells(Cells(table.table, by_hour=True))
            if contrast is None or not contrast.reference.any():
                continue
            tables.append(table.table)
            n_series += len(contrast.slices) + 24
            daily = list(self._daily(context, table.table, contrast))
            yield from daily
            if context.hour is None and not any(found.slice == EVERYTHING for found in daily):
                yield from self._silent(context, table.table, contrast)
        yield Looked(self.meta.name, n_series, f"rows of {', '.join(tables) or 'no table'}", 25 * len(tables))

    def _daily(self, context: Context, table: str, contrast: CellContrast) -> Iterator[Finding]:
        current = contrast.current[:, :, 0].sum(axis=0)
        sd = _DAY_PRIOR_SD if context.hour is None else _SAME_HOUR_PRIOR_SD
        volumes, is_found = self._judged(contrast, np.ones(len(contrast.slices)), sd)
        if is_found.any():  # only now are buckets worth reading
            volumes, is_found = self._judged(contrast, _cluster_sizes(contrast, np.flatnonzero(is_found)), sd)
        if is_found[0]:  # slices that merely follow the whole say nothing new
            relative = np.abs(np.log(np.maximum(volumes.ratio, 1e-9) / max(float(volumes.ratio[0]), 1e-9)))
            is_found[1:] &= relative[1:] >= -np.log(1.0 - self.params.min_change)
        for index in np.flatnonzero(is_found):
            change = self._change(contrast, volumes, int(index), int(current[index]))
            yield finding_of(
                self.meta, context, change,
                table=table, statistic="n_rows", threshold=self.params.min_change,
                severity=_severity(change), stage="logging" if table in ("candidates", "outcomes") else "upstream",
                headline=f"{table} has {int(current[index]):,} rows, expected {change.reference:,.0f} "
                f"({'−' if change.value < change.reference else '+'}{percent(abs(float(volumes.ratio[index]) - 1))})",
                query=_daily_query(context, table, change),
            )  # fmt: skip

    def _judged(
        self, contrast: CellContrast, sizes: npt.NDArray[np.float64], prior_sd: float
    ) -> tuple[Volumes, npt.NDArray[np.bool_]]:
        volumes = volume_gate(
            contrast.reference[:, :, 0], contrast.current[:, :, 0].sum(axis=0),
            min_change=self.params.min_change, rows_per_cluster=sizes,
            days=contrast.reference_days, day=contrast.current_days[-1], prior_sd=prior_sd,
        )  # fmt: skip
        return volumes, (volumes.effect >= 1) & (volumes.p_value <= MAX_P)

    def _change(self, contrast: CellContrast, volumes: Volumes, index: int, n_rows: int) -> Stated:
        series = contrast.reference[:, index, 0]
        return Stated(
            contrast.slices[index], float(n_rows), float(volumes.effect[index]), n_rows,
            reference=float(volumes.expected[index]), p_value=float(volumes.p_value[index]),
            n_reference=int(series.sum()), series=(*(float(one) for one in series), float(n_rows)),
            arithmetic=volumes.terms(index, float(n_rows), self.params.min_change),
        )  # fmt: skip

    def _silent(self, context: Context, table: str, contrast: CellContrast) -> Iterator[Finding]:
        if contrast.hourly is None:
            return
        reference = contrast.hourly("reference")[:, :, 0, 0]
        current = contrast.hourly("current")[:, :, 0, 0].sum(axis=0)
        if not ((current == 0) & (reference > 0).all(axis=0)).any():
            return
        size = _cluster_sizes(contrast, np.zeros(1, np.int64))[0]
        volumes = volume_gate(reference, current, min_change=0.5, rows_per_cluster=size, prior_sd=_HOUR_PRIOR_SD)
        is_usual = (reference > 0).all(axis=0) & (volumes.expected >= self.params.min_hourly_rows)
        silent = np.flatnonzero((current == 0) & is_usual & (volumes.p_value <= MAX_P))
        if not len(silent):
            return
        change = Stated(
            EVERYTHING, float(len(silent)), float(len(silent)), int(current.sum()), n_reference=int(reference.sum()),
            p_value=float(volumes.p_value[silent].min()), series=(*([0.0] * len(reference)), float(len(silent))),
        )  # fmt: skip
        yield finding_of(
            self.meta, context, change,
            table=table, statistic="n_silent_hours", threshold=1.0,
            headline=f"{table} has no rows in {len(silent)} hours from {silent[0]:02d}:00 UTC, "
            f"usually {volumes.expected[silent].sum():,.0f}",
            query=_daily_query(context, table, None, unit="hour"),
        )  # fmt: skip


def _cluster_sizes(contrast: CellContrast, indices: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Variance over mean of the rows of a bucket: how many rows come together; 1 for slices not asked for."""
    sizes = np.ones(len(contrast.slices))
    for index in indices:
        sizes[index] = rows_that_come_together(contrast, int(index))
    return sizes


def _severity(change: Stated) -> Severity:
    return "critical" if change.value <= 0.5 * change.reference and change.slice == EVERYTHING else "warning"


def _daily_query(context: Context, table: str, change: Stated | None, unit: str = "day") -> str:
    schema = context.schema.table(table)
    clock = schema.role(CONTRACTS[table].clock) if schema else None
    ts = quote_identifier(clock.name) if clock else "NULL"
    days = (*context.reference_days, *context.current_days)
    rows = where(context, table, change.slice if change else EVERYTHING, days)
    return f"SELECT date_trunc('{unit}', {ts}) AS {unit}, count(*) AS n_rows FROM {quote_identifier(table)} {rows} GROUP BY 1 ORDER BY 1"
