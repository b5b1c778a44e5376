"""Ties: scores that no longer tell candidates apart."""

from __future__ import annotations

from collections.abc import Iterator

from recsysops.profiles.history import Context, History
from recsysops.profiles.measures import Measure, PerRequest
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Rate, Verdict
from recsysops.triage.evidence import Stated, before, finding_of, lacking, percent, without_reference
from recsysops.triage.findings import Finding, Looked
from recsysops.triage.own_names import own_slice, role_column
from recsysops.triage.rate_gate import RateChange, RateLimits
from recsysops.triage.request_rates import Flagged, rising_rates
from recsysops.triage.shown import chosen, is_shown, named, under_own_name

_SAID = {
    "has_tie_at_cut": "the last place is decided by a tie",
    "has_one_score": "all candidates have one score",
}


class TieRate:
    """Candidates have equal scores.

    Signals:
        ``has_tie_at_cut_rate``: requests whose last item shown and best item left out have one score;
        ``has_one_score_rate``: requests whose scored candidates all have one score. Over all requests, in [0, 1]; higher is worse.
    Parameters:
        min_rate_change: least rise in points of rate, default 0.01; min_ratio: a rate that grows this many times, default 2,
        needs a fifth of that.
    Needs:
        ``candidates`` with score, and shown or position.
    Blind spots:
        Ties within the slate or far below it; scores that are NaN (``output.invalid_scores``).
    Example:
        >>> from recsysops.testing.example_log import findings
        >>> from recsysops.testing.example_slates import example_slates
        >>> log = example_slates().set("candidates", "score", 0.2, where="ts.dt.minute < 2")
        >>> [found.statistic for found in findings(TieRate(), log) if not found.slice.dimension]
        ['has_tie_at_cut_rate', 'has_one_score_rate']

    Source:
        Three gates of ``recsysops.triage.rate_gate``; an exact test of counts where a rate was next to nothing.
    """

    meta = DetectorMeta("OUT206", "output.tie_rate", ("candidates",), "warning", "ranking")

    class Params(Parameters):
        """Floors of ``output.tie_rate``."""

        min_rate_change: Rate = 0.01
        min_ratio: Positive = 2.0

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        yield from _measures(schema)

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        measures = list(_measures(context.schema))
        skipped = lacking(self.meta, measures, "no column plays the role score", "candidates") or without_reference(
            self.meta, context
        )
        if skipped is not None:
            yield skipped
            return
        limits = RateLimits(self.params.min_rate_change, self.params.min_ratio, only_up=True)
        n_series = 0
        for measure in measures:
            contrast = history.cells(measure)
            if contrast is None:
                continue
            n_series += len(contrast.slices)
            name = measure.columns[0]
            tolerates = name != "has_one_score"
            for change in rising_rates(contrast, Flagged(f"{name}_rate", tolerates), limits):
                yield self._finding(context, name, change)
        yield Looked(self.meta.name, n_series, "ties within requests", len(measures))

    def _finding(self, context: Context, name: str, change: RateChange | Stated) -> Finding:
        column = role_column(context.schema, "candidates", "score")
        return finding_of(
            self.meta, context, under_own_name(context.schema, change),
            table="candidates", column=column, statistic=f"{name}_rate", threshold=self.params.min_rate_change,
            severity="critical" if name == "has_one_score" and change.value >= 0.5 else "warning",
            headline=f"{_SAID[name]} in {percent(change.value)} of requests, {before(context)} {percent(change.reference)}",
            query=_query(context, name, change),
        )  # fmt: skip


def _measures(schema: Schema) -> Iterator[PerRequest]:
    table = schema.table("candidates")
    if schema.table("requests") is None or table is None or table.role("score") is None:
        return
    if (table.role("shown") or table.role("position")) is not None:
        yield PerRequest("requests", "any_row", ("has_tie_at_cut",))
    yield PerRequest("requests", "any_row", ("has_one_score",))


def _query(context: Context, name: str, change: RateChange | Stated) -> str:
    schema = context.schema
    request, score = named(schema, "request_id"), named(schema, "score")
    shown = is_shown(schema)
    tied = {
        "has_tie_at_cut": f"min({score}) FILTER ({shown}) = max({score}) FILTER (NOT {shown})",
        "has_one_score": f"count({score}) > 1 AND min({score}) = max({score})",
    }[name]
    rows = chosen(context, own_slice(schema, change.slice))
    return (
        f"SELECT {request}, count(*) AS n_candidates, count(DISTINCT {score}) AS n_scores "
        f'FROM "candidates" {rows} GROUP BY 1 HAVING {tied} ORDER BY 1 LIMIT 20'
    )
