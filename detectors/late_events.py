"""The last hours of a day are missing: the pipeline closed its window before the events had arrived."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from recsysops.profiles.history import CellContrast, Context, History
from recsysops.profiles.measures import Cells, Measure
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Schema
from recsysops.tables.views.steps import AGE
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Rate, Verdict
from recsysops.triage.evidence import finding_of, not_between_cohorts, percent, without_reference
from recsysops.triage.findings import Finding, Looked, Skipped
from recsysops.triage.own_names import role_column
from recsysops.triage.rate_gate import Rate as CellRate
from recsysops.triage.rate_gate import RateChange, RateLimits, rate_gate
from recsysops.triage.steps import BASES, cells_named

_HOURS = Cells("outcomes", by_hour=True)
_LAST = (1, 2, 3, 6)
"""Hours before midnight that are held against the whole day."""
_FRESH = (1, 2, 3, 4, 6, 8, 12)
"""Hours before the as-of time in which the newest events of many entities lie."""


class LateEvents:
    """The last events of the day are missing.

    Signals:
        ``fresh_rate``: entities whose newest event, by a time among their features, is of the last 1 to 12 hours; ``last_hours_rate``: outcomes of the last 1, 2, 3 or 6 hours of the day over all of it. In [0, 1]; lower is worse.
    Parameters:
        max_left: share of what is usual that may be left for a finding, default 0.35; min_expected: least number of rows
        expected there, default 15.
    Needs:
        item_features or member_features with a time among the features, such as of the last play; outcomes.
    Blind spots:
        Events that are missing all day long; features without a time of their newest event.
    Example:
        >>> from dataclasses import replace
        >>> import pandas as pd
        >>> from recsysops.testing.example_features import example_features
        >>> from recsysops.testing.example_log import findings
        >>> log = example_features()
        >>> members = log.tables["member_features"]
        >>> is_cut = members["last_play_at"] > members["as_of"].max() - pd.Timedelta(hours=6)
        >>> cut = members.assign(last_play_at=members["last_play_at"].mask(is_cut, members["joined_at"]))
        >>> found = findings(LateEvents(), replace(log, tables={**log.tables, "member_features": cut}))
        >>> [(one.column, one.value) for one in found]
        [('last_play_at', 0.0)]

    Source:
        Three gates of ``recsysops.triage.rate_gate``.
    """

    meta = DetectorMeta(
        "INP114", "input.late_events", ("outcomes", "item_features", "member_features"), "warning", "upstream"
    )

    class Params(Parameters):
        """Floors of ``input.late_events``."""

        max_left: Rate = 0.35
        min_expected: Positive = 15.0

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        outcomes = schema.table("outcomes")
        if outcomes is not None and outcomes.role("ts") is not None:
            yield _HOURS
        yield from _ages(schema)

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        if not list(self.measures(context.schema)):
            yield Skipped(self.meta.name, "not_applicable", "needs outcomes, or a time among the features", "outcomes")
            return
        skipped = not_between_cohorts(self.meta, context) or without_reference(self.meta, context)
        if skipped is not None:
            yield skipped
            return
        n_series = 0
        for measure in _ages(context.schema):
            contrast = history.cells(measure)
            rates = _fresh_rates(contrast) if contrast is not None else []
            if contrast is not None and rates:
                n_series += 1
                yield from self._told(self._fallen(contrast, rates), context, BASES[measure.table], measure.column)
        hours = history.cells(_HOURS)
        if hours is not None and hours.hourly is not None:
            n_series += 1
            by_hour = _of_hours(hours)
            rates = [CellRate("last_hours_rate", tuple(range(24 - last, 24))) for last in _LAST]
            yield from self._told(self._fallen(by_hour, rates), context, "outcomes", "")
        yield Looked(self.meta.name, n_series, "newest events and last hours", n_series)

    def _fallen(self, contrast: CellContrast, rates: list[CellRate]) -> RateChange | None:
        """The surest of the rates of which hardly anything is left."""
        whole = replace(
            contrast, slices=contrast.slices[:1], reference=contrast.reference[:, :1], current=contrast.current[:, :1]
        )
        fallen = [
            one
            for one in rate_gate(whole, rates, RateLimits(0.005, 2.0))
            if one.value <= self.params.max_left * one.reference
            and one.reference * one.n_current >= self.params.min_expected
        ]
        return min(fallen, key=lambda one: one.p_value, default=None)

    def _told(self, change: RateChange | None, context: Context, table: str, column: str) -> Iterator[Finding]:
        if change is None:
            return
        name = column.removeprefix(AGE)
        hours = len(change.rate.flagged)
        said = f"{name} is of the last {hours} hours in {percent(change.value)} of rows, expected {percent(change.reference)}"
        yield finding_of(
            self.meta, context, change,
            table=table, column=name, statistic=change.rate.name, threshold=self.params.max_left,
            stage="upstream" if name else "label",
            headline=f"{said}: the newest events are missing" if name else
            f"{percent(change.value)} of outcomes are of the last {hours} hours of the day, expected {percent(change.reference)}",
            query=_query(context, table, name),
        )  # fmt: skip


def _ages(schema: Schema) -> Iterator[Cells]:
    for view in BASES:
        table = schema.table(view)
        for column in table.columns if table is not None else ():
            if column.name.startswith(AGE):
                yield Cells(view, column.name, "frequencies")


def _fresh_rates(contrast: CellContrast) -> list[CellRate]:
    """Entities whose newest event lies in the last hours; none for times of plans, most of which lie ahead."""
    known = tuple(range(contrast.n_specials, len(contrast.cells)))
    counts = contrast.reference[:, 0].sum(axis=0)
    if counts[contrast.cell("later")] > 0.01 * counts[list(known)].sum():
        return []
    return [CellRate("fresh_rate", cells_named(contrast, *map(str, range(hours))), known) for hours in _FRESH]


def _of_hours(contrast: CellContrast) -> CellContrast:
    """The hours of a day as cells; buckets are not kept by hour."""
    assert contrast.hourly is not None
    reference, current = (
        contrast.hourly(window)[:, :, :1, 0].transpose(0, 2, 1) for window in ("reference", "current")
    )
    return replace(
        contrast, slices=contrast.slices[:1], cells=tuple(f"{hour:02d}" for hour in range(24)),
        reference=reference, current=current, load_buckets=lambda _window, _index: np.zeros((0, 24), np.int64), hourly=None,
    )  # fmt: skip


def _query(context: Context, table: str, name: str) -> str:
    role = "as_of" if name else "ts"
    clock = quote_identifier(role_column(context.schema, table, role))
    newest = f"max({quote_identifier(name)}) FILTER ({quote_identifier(name)} <= {clock})" if name else f"max({clock})"
    return (
        f"SELECT CAST({clock} AS DATE) AS day, {newest} AS newest, count(*) AS n FROM {quote_identifier(table)} "
        f"WHERE CAST({clock} AS DATE) <= DATE '{context.current_days[-1]}' GROUP BY 1 ORDER BY 1"
    )
