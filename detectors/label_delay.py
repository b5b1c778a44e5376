"""Outcomes that come later, or earlier, after their request than they used to; and outcomes that reach the log late."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from recsysops.profiles.history import CellContrast, Context, History
from recsysops.profiles.measures import Cells, Measure
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Rate, Verdict
from recsysops.triage.evidence import before, finding_of, lacking, literal, percent, without_reference
from recsysops.triage.findings import Finding, Looked
from recsysops.triage.own_names import in_own_names, role_column
from recsysops.triage.rate_gate import Rate as CellRate
from recsysops.triage.rate_gate import RateChange, RateLimits, rate_gate
from recsysops.triage.widest import widest

_DELAY = Cells("attributed", "delay_seconds", "histogram")
_INGEST = Cells("attributed", "ingest_delay_seconds", "histogram")
_CLOCKS = ("host", "client_version")
"""Dimensions whose values keep a clock of their own."""


class LabelDelay:
    """Outcomes come at another time after their request, or reach the log later.

    Signals:
        ``late_rate``, ``early_rate``: outcomes later than the slowest, or earlier than the fastest, ``tail`` of the reference, of
        all that name a request and in every slice: one host alone has a wrong clock. ``late_ingest_rate``: the same of the time
        between an outcome and its arrival. All in [0, 1]; higher is worse.
    Parameters:
        tail: share of the reference's outcomes that count as late, and as early, default 0.1; min_change: least rise of
        these shares, default 0.15; min_ratio: growth that needs a fifth of that, default 3.
    Needs:
        outcomes with request_id beside candidates; ingested_at for arrivals.
    Blind spots:
        Delays of slices with a handful of outcomes a day; clocks that are wrong by less than the delays themselves differ.
    Example:
        >>> from recsysops.testing.example_log import findings
        >>> from recsysops.testing.example_slates import example_slates
        >>> from dataclasses import replace
        >>> import pandas as pd
        >>> log = example_slates()
        >>> outcomes = log.tables["outcomes"]
        >>> minutes = pd.to_timedelta(9 * (outcomes["ts"].dt.date == log.days[-1]), unit="min")
        >>> late = replace(log, tables={**log.tables, "outcomes": outcomes.assign(ts=outcomes["ts"] + minutes)})
        >>> [found.statistic for found in findings(LabelDelay(), late) if not found.slice.dimension]
        ['late_rate']

    Source:
        Three gates of ``recsysops.triage.rate_gate``.
    """

    meta = DetectorMeta("INP111", "input.label_delay", ("candidates", "outcomes"), "warning", "label")

    class Params(Parameters):
        """Floors of ``input.label_delay``."""

        tail: Rate = 0.1
        min_change: Rate = 0.15
        min_ratio: Positive = 3.0

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        outcomes = schema.table("outcomes")
        if schema.table("attributed") is None or outcomes is None:
            return
        if outcomes.role("request_id") is not None:
            yield _DELAY
        if outcomes.role("ingested_at") is not None:
            yield _INGEST

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        measures = [one for one in self.measures(context.schema) if isinstance(one, Cells)]
        skipped = lacking(
            self.meta, measures, "needs outcomes with request_id or ingested_at", "outcomes"
        ) or without_reference(self.meta, context)
        if skipped is not None:
            yield skipped
            return
        n_series = 0
        limits = RateLimits(self.params.min_change, self.params.min_ratio, only_up=True)
        for measure in measures:
            contrast = history.cells(measure)
            rates = _tails(contrast, measure, self.params.tail) if contrast is not None else []
            if contrast is None or not rates:
                continue
            n_series += len(rates) * len(contrast.slices)
            for change in widest(rate_gate(contrast, rates, limits)):
                yield self._finding(context, measure, contrast, in_own_names(context.schema, change))
        yield Looked(self.meta.name, n_series, "delays of outcomes", 3)

    def _finding(self, context: Context, measure: Cells, contrast: CellContrast, change: RateChange) -> Finding:
        is_arrival = measure is _INGEST
        own_clock = change.slice.dimension in {role_column(context.schema, "candidates", role) for role in _CLOCKS}
        table = "candidates" if own_clock and not is_arrival else "outcomes"
        role = "ingested_at" if is_arrival else "ts"
        then, now = (
            _median(counts[:, change.slice_index].sum(axis=0), contrast)
            for counts in (contrast.reference, contrast.current)
        )
        said = "reach the log" if is_arrival else "come"
        return finding_of(
            self.meta, context, change,
            table=table, column=role_column(context.schema, table, role), statistic=change.rate.name,
            threshold=self.params.min_change, stage="logging" if table == "candidates" else "label",
            headline=f"outcomes {said} {now:.4g} s after {'they happen' if is_arrival else 'their request'} (median), "
            f"{before(context)} {then:.4g} s; {percent(change.value)} are "
            f"{'early' if change.rate.name == 'early_rate' else 'late'}, {before(context)} {percent(change.reference)}",
            query=_arrival_query(context) if is_arrival else _delay_query(context, change),
        )  # fmt: skip


def _tails(contrast: CellContrast, measure: Cells, tail: float) -> list[CellRate]:
    """The bins that hold the reference's slowest and fastest outcomes, as rates of all that have a delay."""
    bins = tuple(range(contrast.n_specials, len(contrast.cells)))
    counts = contrast.reference[:, 0][:, bins].sum(axis=0)
    if contrast.edges is None or len(bins) < 3 or not counts.sum():
        return []
    share = np.cumsum(counts) / counts.sum()
    late = bins[int(np.searchsorted(share, 1.0 - tail)) + 1 :]
    early = bins[: int(np.searchsorted(share, tail, side="right"))] or bins[:1]
    if measure is _INGEST:
        return [CellRate("late_ingest_rate", late, bins)] if late else []
    return [CellRate(name, cells, bins) for name, cells in (("late_rate", late), ("early_rate", early)) if cells]


def _median(counts: npt.NDArray[np.int64], contrast: CellContrast) -> float:
    """The upper edge of the bin that holds the median; the last edge where that bin has none."""
    edges = contrast.edges
    assert edges is not None
    bins = counts[contrast.n_specials :]
    index = int(np.searchsorted(np.cumsum(bins), 0.5 * bins.sum()))
    return float(edges[min(index, len(edges) - 1)])


def _delay_query(context: Context, change: RateChange) -> str:
    """Median delay by day, of the slice."""
    schema = context.schema
    request, ts = (quote_identifier(role_column(schema, "outcomes", role)) for role in ("request_id", "ts"))
    asked, served = (quote_identifier(role_column(schema, "candidates", role)) for role in ("request_id", "ts"))
    inside = ""
    if change.slice.dimension:
        inside = f"WHERE CAST({quote_identifier(change.slice.dimension)} AS VARCHAR) = {literal(change.slice.value)} "
    return (
        f"SELECT CAST(o.{ts} AS DATE) AS day, median(epoch(o.{ts}) - epoch(r.ts)) AS median_seconds, count(*) AS n "
        f"FROM {quote_identifier('outcomes')} o JOIN (SELECT CAST({asked} AS VARCHAR) AS request, min({served}) AS ts "
        f"FROM {quote_identifier('candidates')} {inside}GROUP BY 1) r ON CAST(o.{request} AS VARCHAR) = r.request "
        f"WHERE CAST(o.{ts} AS DATE) <= DATE '{context.current_days[-1]}' GROUP BY 1 ORDER BY 1"
    )


def _arrival_query(context: Context) -> str:
    schema = context.schema
    ts, arrived = (quote_identifier(role_column(schema, "outcomes", role)) for role in ("ts", "ingested_at"))
    return (
        f"SELECT CAST({ts} AS DATE) AS day, median(epoch({arrived}) - epoch({ts})) AS median_seconds, count(*) AS n "
        f"FROM {quote_identifier('outcomes')} WHERE CAST({ts} AS DATE) <= DATE '{context.current_days[-1]}' "
        f"GROUP BY 1 ORDER BY 1"
    )
