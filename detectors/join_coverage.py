"""Rows that no longer find one another: outcomes without their request or impression, items that the catalogue lacks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from recsysops.profiles.history import CellContrast, Context, History
from recsysops.profiles.measures import Cells, Measure
from recsysops.profiles.slices import EVERYTHING
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Rate, Verdict
from recsysops.triage.evidence import before, finding_of, lacking, percent, where, without_reference
from recsysops.triage.findings import Finding, Looked, Stage
from recsysops.triage.own_names import in_own_names, role_column
from recsysops.triage.rare_events import rare_gate
from recsysops.triage.rate_gate import Rate as CellRate
from recsysops.triage.rate_gate import RateChange, RateLimits, rate_gate
from recsysops.triage.widest import widest

_SAMPLING = Cells("requests", "sampling_rate", "moments")


@dataclass(frozen=True)
class _Break:
    """One way in which rows miss one another: what tells of it, and what is at fault then."""

    measure: Cells
    statistic: str
    table: str
    role: str
    stage: Stage
    said: str
    is_rare: bool = True


_BREAKS = (
    _Break(Cells("attributed", "has_other_form", "frequencies"), "other_form_rate", "outcomes", "request_id", "label",
           "of outcomes name a request in a form that request ids do not have"),
    _Break(Cells("attributed", "lacks_impression", "frequencies"), "not_shown_rate", "candidates", "shown", "logging",
           "of outcomes are of a candidate that was not shown, by the log"),
    _Break(Cells("attributed", "lacks_candidate", "frequencies"), "no_candidate_rate", "candidates", "item_id", "logging",
           "of outcomes are of an item that their request, by the log, did not consider"),
    _Break(Cells("attributed", "lacks_request", "frequencies"), "no_request_rate", "outcomes", "request_id", "label",
           "of outcomes name a request that the log lacks", is_rare=False),
    _Break(Cells("impressions", "is_unknown", "frequencies"), "unknown_item_rate", "items", "item_id", "upstream",
           "of impressions are of items that the catalogue lacks", is_rare=False),
)  # fmt: skip


class JoinCoverage:
    """Rows no longer find the rows they belong to.

    Signals:
        ``other_form_rate``: outcomes whose request id is formed unlike the log's; ``no_request_rate``: outcomes whose request
        the log lacks; ``not_shown_rate``, ``no_candidate_rate``: outcomes whose request is there, but does not show or have the
        item; ``unknown_item_rate``: impressions of items that the catalogue lacks. All in [0, 1]; higher is worse.
    Parameters:
        min_rate_change: least rise of the first and of what healthy logs hardly have, default 0.002; min_lost_change: least rise
        of outcomes without a request and of unknown items, default 0.03; min_ratio: growth that needs a fifth, default 3.
    Needs:
        outcomes with request_id beside candidates; shown for lost impressions; items for unknown ones. Where the log is a
        sample, outcomes of requests left out find none: only a rise counts, and not when the sampling rate fell.
    Blind spots:
        A key that was always broken; outcomes that name a wrong request that exists.
    Example:
        >>> from recsysops.testing.example_log import findings
        >>> from recsysops.testing.example_slates import example_slates
        >>> log = example_slates().set("candidates", "shown", False, rate=0.05)
        >>> [found.statistic for found in findings(JoinCoverage(), log) if not found.slice.dimension]
        ['not_shown_rate']

    Source:
        Przyborowski & Wilenski (1940) for rare counts; three gates of ``recsysops.triage.rate_gate`` for the rest.
    """

    meta = DetectorMeta(
        "INP110", "input.join_coverage", ("candidates", "outcomes", "items", "availability"), "warning", "label"
    )

    class Params(Parameters):
        """Floors of ``input.join_coverage``."""

        min_rate_change: Rate = 0.002
        min_lost_change: Rate = 0.03
        min_ratio: Positive = 3.0

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        breaks = list(_watched(schema))
        yield from (one.measure for one in breaks)
        candidates = schema.table("candidates")
        if any(one.role == "request_id" for one in breaks) and candidates and candidates.role("sampling_rate"):
            yield _SAMPLING

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        breaks = list(_watched(context.schema))
        skipped = lacking(
            self.meta, breaks, "needs outcomes that name their request, or a catalogue", "outcomes"
        ) or without_reference(self.meta, context)
        if skipped is not None:
            yield skipped
            return
        n_series = 0
        for one in breaks:
            contrast = history.cells(one.measure)
            if contrast is None or not contrast.current.any():
                continue
            n_series += len(contrast.slices)
            for change in widest(self._changes(one, contrast)):
                if one.measure.column != "lacks_request" or not _samples_less(history, change):
                    yield self._finding(context, one, in_own_names(context.schema, change))
        yield Looked(self.meta.name, n_series, "outcomes, their requests and items", len(breaks))

    def _changes(self, one: _Break, contrast: CellContrast) -> Iterator[RateChange]:
        """``new`` is a value that the reference never had: of two values that can only be true."""
        is_true = tuple(index for index, name in enumerate(contrast.cells) if name in ("true", "new"))
        known = tuple(index for index, name in enumerate(contrast.cells) if name in ("true", "new", "false"))
        rate = CellRate(one.statistic, is_true, known)
        if one.is_rare:
            yield from rare_gate(contrast, rate, RateLimits(self.params.min_rate_change, self.params.min_ratio))
        else:
            limits = RateLimits(self.params.min_lost_change, self.params.min_ratio, only_up=True)
            yield from rate_gate(contrast, [rate], limits)

    def _finding(self, context: Context, one: _Break, change: RateChange) -> Finding:
        return finding_of(
            self.meta, context, change,
            table=one.table, column=role_column(context.schema, one.table, one.role), statistic=one.statistic, stage=one.stage,
            threshold=self.params.min_rate_change if one.is_rare else self.params.min_lost_change,
            headline=f"{percent(change.value)} {one.said}, {before(context)} {percent(change.reference)}",
            query=_unknown_query(context, change) if one.table == "items" else _link_query(context),
        )  # fmt: skip


def _watched(schema: Schema) -> Iterator[_Break]:
    """The breaks that the workspace's tables can tell of."""
    outcomes, candidates = schema.table("outcomes"), schema.table("candidates")
    names_request = outcomes is not None and outcomes.role("request_id") is not None
    tells_shown = candidates is not None and (candidates.role("shown") or candidates.role("position")) is not None
    for one in _BREAKS:
        if schema.table(one.measure.table) is None:
            continue
        if one.measure.table == "attributed" and names_request and (tells_shown or one.role != "shown"):
            yield one
        if one.measure.table == "impressions" and schema.table("items") is not None:
            yield one


def _samples_less(history: History, change: RateChange) -> bool:
    """Whether the log keeps fewer of the requests than before, by enough to explain half of the rise."""
    candidates = history.context.schema.table("candidates")
    if candidates is None or candidates.role("sampling_rate") is None:
        return False
    moments = history.moments(_SAMPLING)
    if moments is None or not moments.reference.count[:, 0].sum() or not moments.current.count[:, 0].sum():
        return False
    seen = moments.reference.count[:, 0] > 0
    usual = float(moments.reference.mean[seen, 0].mean())
    now = float(moments.current.mean[moments.current.count[:, 0] > 0, 0].mean())
    return usual - now >= 0.5 * (change.value - change.reference)


def _unknown_query(context: Context, change: RateChange) -> str:
    items, own = quote_identifier("items"), quote_identifier(role_column(context.schema, "items", "item_id"))
    item = quote_identifier(role_column(context.schema, "candidates", "item_id"))
    return (
        f"SELECT c.{item}, count(*) AS n FROM (SELECT * FROM {quote_identifier('candidates')} "
        f"{where(context, 'candidates', change.slice)}) c ANTI JOIN {items} i "
        f"ON CAST(c.{item} AS VARCHAR) = CAST(i.{own} AS VARCHAR) GROUP BY 1 ORDER BY n DESC LIMIT 20"
    )


def _link_query(context: Context) -> str:
    """Outcomes of the judged day with how many candidates their request has, and how many rows of their item."""
    schema = context.schema
    request, item = (quote_identifier(role_column(schema, "outcomes", role)) for role in ("request_id", "item_id"))
    asked, shown = (quote_identifier(role_column(schema, "candidates", role)) for role in ("request_id", "item_id"))
    return (
        f"SELECT o.{request}, o.{item}, count(c.{asked}) AS n_candidates, count(*) FILTER (c.{shown} = o.{item}) AS n_of_item "
        f"FROM (SELECT * FROM {quote_identifier('outcomes')} {where(context, 'outcomes', EVERYTHING)}) o "
        f"LEFT JOIN {quote_identifier('candidates')} c ON CAST(c.{asked} AS VARCHAR) = CAST(o.{request} AS VARCHAR) "
        f"WHERE o.{request} IS NOT NULL GROUP BY 1, 2 ORDER BY n_of_item, n_candidates LIMIT 20"
    )
