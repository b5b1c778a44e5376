"""Members play what the recommender did not offer them: searched titles that were ranked low, filtered or not retrieved."""

from __future__ import annotations

from collections.abc import Iterator

from recsysops.profiles.categories import PAIR_SEPARATOR
from recsysops.profiles.history import CellContrast, Context, History
from recsysops.profiles.measures import Cells, Measure
from recsysops.profiles.slices import EVERYTHING
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Rate, Verdict
from recsysops.triage.evidence import before, finding_of, lacking, literal, percent, where, without_reference
from recsysops.triage.findings import Finding, Looked, Skipped, Stage
from recsysops.triage.own_names import in_own_names
from recsysops.triage.rate_gate import Rate as CellRate
from recsysops.triage.rate_gate import RateChange, RateLimits, rate_gate
from recsysops.triage.shown import named

_OWN_DOING = "slate"
"""The origin of outcomes that the recommender itself brought about."""
_FATES: dict[str, tuple[str, Stage]] = {
    "ranked low": ("were candidates and were not shown", "ranking"),
    "filtered": ("were filtered out", "policy"),
    "not retrieved": ("were no candidates at all", "retrieval"),
}


class LowRankedPlay:
    """Members look for what the recommender did not offer them, more often than before.

    Signals:
        ``ranked_low_rate``, ``filtered_rate``, ``not_retrieved_rate``: of the outcomes that did not come from a slate (search,
        external) by members with a request in the label window before, the share whose item that last request had
        ranked below the slate, filtered, or not retrieved, in [0, 1]. Higher is worse; the three are the causes.
    Parameters:
        min_rate_change: least rise in points of rate, default 0.05; min_ratio: a rate that grows this many times, default
        2, needs a fifth of that.
    Needs:
        ``outcomes`` with ``origin`` and ``member_id``, ``candidates`` with ``member_id``; fates need the log of candidates that were
        not shown. Outcomes from slates are left out: positions decide about them.
    Blind spots:
        Members who leave instead of searching; a request that was not sampled into the log.
    Example:
        >>> from recsysops.testing.example_log import findings
        >>> from recsysops.testing.example_slates import example_slates
        >>> log = example_slates(requests_per_day=600).set("outcomes", "item_id", "a title nobody retrieves", where="origin == 'search'")
        >>> [found.statistic for found in findings(LowRankedPlay(), log) if not found.slice.dimension]
        ['not_retrieved_rate']

    Source:
        Saberian & Basilico, RecSysOps (2022), for the question; three gates of ``recsysops.triage.rate_gate``.
    """

    meta = DetectorMeta("MEM501", "member.low_ranked_play", ("outcomes",), "warning", "ranking")

    class Params(Parameters):
        """Floors of ``member.low_ranked_play``."""

        min_rate_change: Rate = 0.05
        min_ratio: Positive = 2.0

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        yield from _measures(schema)

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        measures = list(_measures(context.schema))
        skipped = lacking(
            self.meta,
            measures,
            "needs outcomes with an origin, and members on both sides, to find what members looked for",
            "outcomes",
        ) or without_reference(self.meta, context)
        if skipped is not None:
            yield skipped
            return
        contrast = history.cells(measures[0])
        if contrast is None:
            yield Skipped(self.meta.name, "too_little_data", "no outcomes in one of the windows", "outcomes")
            return
        rates = _rates(contrast)
        limits = RateLimits(self.params.min_rate_change, self.params.min_ratio, only_up=True)
        for change in rate_gate(contrast, rates, limits):
            yield self._finding(context, in_own_names(context.schema, change))
        n_whole = len(rates)
        yield Looked(self.meta.name, n_whole * len(contrast.slices), "what members looked for by themselves", n_whole)

    def _finding(self, context: Context, change: RateChange) -> Finding:
        fate = change.rate.name.removesuffix("_rate").replace("_", " ")
        said, stage = _FATES[fate]
        return finding_of(
            self.meta, context, change,
            table="outcomes", column=_column(context.schema, "origin"), statistic=change.rate.name,
            threshold=self.params.min_rate_change, stage=stage,
            headline=f"{percent(change.value)} of what members looked for themselves {said} of their last request, "
            f"{before(context)} {percent(change.reference)}",
            query=_query(context),
        )  # fmt: skip


def _measures(schema: Schema) -> Iterator[Cells]:
    outcomes, candidates = schema.table("outcomes"), schema.table("candidates")
    if schema.table("attributed") is None or outcomes is None or candidates is None:
        return
    if outcomes.role("origin") is None or outcomes.role("member_id") is None or candidates.role("member_id") is None:
        return
    yield Cells("attributed", "origin", "frequencies", pair="fate")


def _rates(contrast: CellContrast) -> list[CellRate]:
    """One rate for each fate, over the outcomes that no slate brought about and whose fate is known."""
    pairs = [tuple(name.split(PAIR_SEPARATOR)) for name in contrast.cells]
    wanted = [index for index, pair in enumerate(pairs) if len(pair) == 2 and pair[0] != _OWN_DOING]
    return [
        CellRate(f"{fate.replace(' ', '_')}_rate", flagged, tuple(wanted))
        for fate in _FATES
        if (flagged := tuple(index for index in wanted if pairs[index][1] == fate))
    ]


def _column(schema: Schema, role: str) -> str:
    table = schema.table("outcomes")
    column = table.role(role) if table is not None else None
    return column.name if column is not None else ""


def _query(context: Context) -> str:
    schema = context.schema
    origin, item = named(schema, "origin", "outcomes"), named(schema, "item_id", "outcomes")
    days = where(context, "outcomes", EVERYTHING)
    rows = f"{days} AND" if days else "WHERE"
    return (
        f'SELECT {item}, count(*) AS n FROM "outcomes" {rows} {origin} <> {literal(_OWN_DOING)} '
        "GROUP BY 1 ORDER BY n DESC LIMIT 20"
    )
