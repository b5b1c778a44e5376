"""Candidates that were never retrieved: a source that is silent, fewer candidates, a fallback instead, items that members
then look for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from recsysops.profiles.history import CellContrast, Context, History
from recsysops.profiles.measures import Cells, Keyed, Measure
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Rate, Verdict
from recsysops.triage.evidence import before, finding_of, literal, percent, without_reference
from recsysops.triage.findings import Finding, Looked, Skipped, Subject
from recsysops.triage.mean_gate import MeanChange, MeanLimits, mean_gate, means_of
from recsysops.triage.own_names import own_slice, role_column
from recsysops.triage.rate_gate import Rate as CellRate
from recsysops.triage.rate_gate import RateChange, RateLimits, rate_gate
from recsysops.triage.shown import chosen, named, under_own_name
from recsysops.triage.widest import widest

_SIZE = Cells("requests", "n_candidates", "moments")
_FALLBACK = Cells("requests", "fallback", "frequencies")
_REQUESTS = Cells("requests")
_FATE = Cells("attributed", "fate", "frequencies")
_UNSEEN = ("not retrieved", "ranked low", "filtered")
_MIN_PRESENCE = 0.05
"""A source is watched when it usually has candidates in so many requests."""


class CandidateSet:
    """Fewer candidates reach the model, a source sends none, or a fallback answers instead.

    Signals:
        ``source_absence_rate``: requests without a candidate of a source; ``n_candidates``: mean per request, both ways;
        ``fallback_rate``: requests answered by the fallback; ``not_retrieved_rate``: outcomes that no slate led to and whose item was no candidate of the member's last request, over
        all such outcomes. Rates in [0, 1]; higher is worse.
    Parameters:
        min_rate_change: least change of the absence of a source, or rise of the fallback, in points of rate, default 0.02;
        min_size_change: least
        change of the mean number of candidates, default 0.1 of it; min_recall_change: least rise of what was not retrieved,
        default 0.1.
    Needs:
        ``candidates`` with candidate_source for the sources, with fallback for the fallback; outcomes without a request (search, external) for what
        members then look for.
    Blind spots:
        A log of impressions alone; a source that sends worse candidates, as many as ever.
    Example:
        >>> from recsysops.testing.example_log import findings
        >>> from recsysops.testing.example_slates import example_slates
        >>> log = example_slates().drop("candidates", where="candidate_source == 'new' and ts.dt.minute < 12")
        >>> sorted({found.statistic for found in findings(CandidateSet(), log) if not found.slice.dimension})
        ['source_absence_rate']

    Source:
        Three gates of ``recsysops.triage.rate_gate`` and ``recsysops.triage.mean_gate``.
    """

    meta = DetectorMeta(
        "OUT207",
        "output.candidate_set",
        ("candidates", "outcomes"),
        "warning",
        "retrieval",
        yields_to_plans=True,
        tiers=("fast", "daily"),
    )

    class Params(Parameters):
        """Floors of ``output.candidate_set``."""

        min_rate_change: Rate = 0.02
        min_size_change: Rate = 0.1
        min_recall_change: Rate = 0.1

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        if schema.table("requests") is None:
            return
        table = schema.table("candidates")
        if table is None:
            return
        if table.role("fallback") is not None:
            yield _FALLBACK
        if (table.role("shown") or table.role("candidate_source") or table.role("raw_rank")) is None:
            return
        yield _SIZE
        sources = _sources(schema)
        if sources is not None:
            yield from (_REQUESTS, sources)
        if schema.table("attributed") is not None:
            yield _FATE

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        if not list(self.measures(context.schema)):
            reason = "the log tells no candidates beside impressions"
            yield Skipped(self.meta.name, "not_applicable", reason, "candidates")
            return
        skipped = without_reference(self.meta, context)
        if skipped is not None:
            yield skipped
            return
        n_series = n_whole = 0
        for part in (self._sizes, self._fallbacks, self._absences, self._recall):
            found, n_slices, n_own = part(history)
            yield from found
            n_series, n_whole = n_series + n_slices, n_whole + n_own
        yield Looked(self.meta.name, n_series, "candidates of requests", n_whole)

    def _sizes(self, history: History) -> tuple[list[Finding], int, int]:
        contrast = history.moments(_SIZE)
        if contrast is None or not len(contrast.reference.count):
            return [], 0, 0
        means = means_of(contrast)
        usual = float(np.nanmean(means.days[:, 0])) if np.isfinite(means.days[:, 0]).any() else 0.0
        floor = max(self.params.min_size_change * usual, 1e-9)
        found = [self._size(history.context, change, floor) for change in mean_gate(means, MeanLimits(floor))]
        return found, len(contrast.slices), 1

    def _size(self, context: Context, change: MeanChange, floor: float) -> Finding:
        request, rows = named(context.schema, "request_id"), _rows(context, change.slice)
        return finding_of(
            self.meta, context, under_own_name(context.schema, change),
            table="candidates", column=role_column(context.schema, "candidates", "candidate_source"),
            statistic="n_candidates", threshold=floor,
            severity="info" if change.is_up else "warning",
            headline=f"requests have {change.value:.1f} candidates, {before(context)} {change.reference:.1f}",
            query=f"SELECT CAST({named(context.schema, 'ts')} AS DATE) AS day, count(*) / count(DISTINCT {request}) AS n_candidates "
            f'FROM "candidates" {rows} GROUP BY 1 ORDER BY 1',
        )  # fmt: skip

    def _fallbacks(self, history: History) -> tuple[list[Finding], int, int]:
        table = history.context.schema.table("candidates")
        contrast = history.cells(_FALLBACK) if table is not None and table.role("fallback") is not None else None
        if contrast is None:
            return [], 0, 0
        known = tuple(index for index, cell in enumerate(contrast.cells) if cell != "null")
        rate = CellRate("fallback_rate", tuple(one for one in known if contrast.cells[one] != "false"), known)
        limits = RateLimits(self.params.min_rate_change, only_up=True)
        found = [self._fallback(history.context, one) for one in widest(rate_gate(contrast, [rate], limits))]
        return found, len(contrast.slices), 1

    def _fallback(self, context: Context, change: RateChange) -> Finding:
        column, request = named(context.schema, "fallback"), named(context.schema, "request_id")
        return finding_of(
            self.meta, context, under_own_name(context.schema, change),
            table="candidates", column=role_column(context.schema, "candidates", "fallback"),
            statistic="fallback_rate", threshold=self.params.min_rate_change,
            severity="critical" if change.value >= 0.5 and change.slice == EVERYTHING else "warning",
            headline=f"{percent(change.value)} of requests were answered by the fallback, {before(context)} "
            f"{percent(change.reference)}",
            query=f"SELECT CAST({named(context.schema, 'ts')} AS DATE) AS day, count(DISTINCT {request}) AS n_requests, "
            f"count(DISTINCT CASE WHEN {column} THEN {request} END) AS n_fallback "
            f'FROM "candidates" {_rows(context, change.slice)} GROUP BY 1 ORDER BY 1',
        )  # fmt: skip

    def _absences(self, history: History) -> tuple[list[Finding], int, int]:
        measure, requests = _sources(history.context.schema), history.cells(_REQUESTS)
        if measure is None or requests is None:
            return [], 0, 0
        presence = _presence(history, measure, requests)
        n_series = len(presence) * len(requests.slices)
        limits = RateLimits(self.params.min_rate_change)
        found = [
            self._absence(history.context, source, change)
            for source, counts in presence.items()
            for change in widest(rate_gate(counts, [CellRate("source_absence_rate", (1,), (0, 1))], limits))
        ]
        return found, n_series, len(presence)

    def _absence(self, context: Context, source: str, change: RateChange) -> Finding:
        column, request = named(context.schema, "candidate_source"), named(context.schema, "request_id")
        rows = _rows(context, change.slice)
        return finding_of(
            self.meta, context, under_own_name(context.schema, change),
            table="candidates", column=role_column(context.schema, "candidates", "candidate_source"),
            subject=Subject("source", source), statistic="source_absence_rate", threshold=self.params.min_rate_change,
            severity=("critical" if change.value >= 0.9 and change.slice == EVERYTHING else "warning") if change.is_up else "info",
            headline=f"{percent(change.value)} of requests have no candidate from {source}, {before(context)} "
            f"{percent(change.reference)}",
            query=f"SELECT CAST({named(context.schema, 'ts')} AS DATE) AS day, count(DISTINCT {request}) AS n_requests, "
            f"count(DISTINCT CASE WHEN CAST({column} AS VARCHAR) = {literal(source)} THEN {request} END) AS n_with "
            f'FROM "candidates" {rows} GROUP BY 1 ORDER BY 1',
        )  # fmt: skip

    def _recall(self, history: History) -> tuple[list[Finding], int, int]:
        contrast = history.cells(_FATE) if history.context.schema.table("attributed") is not None else None
        if contrast is None or not set(_UNSEEN[:2]) <= set(contrast.cells):
            return [], 0, 0
        of = tuple(contrast.cell(name) for name in _UNSEEN if name in contrast.cells)
        rate = CellRate("not_retrieved_rate", (contrast.cell("not retrieved"),), of)
        limits = RateLimits(self.params.min_recall_change, 3.0, only_up=True)
        table = history.context.schema.table("candidates")
        judged = {
            "",
            *(table.slices if table is not None else ()),
        }  # such outcomes are few: hosts and versions have a handful
        found = [
            self._lost(history.context, change)
            for change in widest(rate_gate(contrast, [rate], limits))
            if change.slice.dimension in judged
        ]
        return found, sum(one.dimension in judged for one in contrast.slices), 1

    def _lost(self, context: Context, change: RateChange) -> Finding:
        item, asked = named(context.schema, "item_id", "outcomes"), named(context.schema, "request_id", "outcomes")
        origin = named(context.schema, "origin", "outcomes")
        return finding_of(
            self.meta, context, under_own_name(context.schema, change),
            table="candidates", column=role_column(context.schema, "candidates", "candidate_source"),
            statistic="not_retrieved_rate", threshold=self.params.min_recall_change,
            headline=f"{percent(change.value)} of what members looked for themselves was no candidate, {before(context)} "
            f"{percent(change.reference)}",
            query=f'SELECT {item}, {origin} AS origin, count(*) AS n FROM "outcomes" WHERE {asked} IS NULL '
            "GROUP BY ALL ORDER BY n DESC LIMIT 20",
        )  # fmt: skip


def _sources(schema: Schema) -> Keyed | None:
    table = schema.table("candidates")
    column = table.role("candidate_source") if table else None
    return None if column is None else Keyed("candidates", column.name, ("requests",))


def _presence(history: History, measure: Keyed, requests: CellContrast) -> dict[str, CellContrast]:
    """Requests with and without each usual source, as counts of two cells by slice."""
    whole = history.keyed(measure)
    if whole is None or not len(whole.reference) or not len(whole.current):
        return {}
    totals = {"reference": requests.reference[..., 0], "current": requests.current[..., 0]}
    shares = whole.reference[:, :-1, 0].sum(axis=0) / max(1.0, float(totals["reference"][:, 0].sum()))
    usual = [key for key, share in zip(whole.keys, shares, strict=True) if share >= _MIN_PRESENCE]
    counts = {
        (source, window): np.zeros((*total.shape, 2), np.int64) for source in usual for window, total in totals.items()
    }
    for index, slice_ in enumerate(requests.slices):
        keyed = history.keyed(measure, own_slice(history.context.schema, slice_))
        for source in usual:
            at = keyed.keys.index(source) if keyed is not None and source in keyed.keys else None
            for window, total in totals.items():
                found = getattr(keyed, window)[:, at, 0] if at is not None else np.zeros(len(total))
                held = np.minimum(found.astype(np.int64), total[:, index])
                counts[source, window][:, index] = np.stack([held, total[:, index] - held], axis=1)
    return {
        source: CellContrast(
            requests.slices, ("with", "without"), requests.reference_days, requests.current_days,
            counts[source, "reference"], counts[source, "current"], lambda _window, _index: np.zeros((0, 2), np.int64),
        )
        for source in usual
    }  # fmt: skip


def _rows(context: Context, slice_: Slice) -> str:
    days = (*context.reference_days, *context.current_days)
    return chosen(context, own_slice(context.schema, slice_), days=days)
