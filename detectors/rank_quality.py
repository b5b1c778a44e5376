"""Rankings that suit members less: how high the items stand that they then chose."""

from __future__ import annotations

from collections.abc import Iterator

from recsysops.profiles.history import Context, History
from recsysops.profiles.measures import Cells, Measure
from recsysops.profiles.slices import EVERYTHING
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Verdict
from recsysops.triage.evidence import before, finding_of, lacking, without_reference
from recsysops.triage.findings import Finding, Looked
from recsysops.triage.mean_gate import MeanChange, MeanLimits, mean_gate, means_of
from recsysops.triage.own_names import own_slice, role_column
from recsysops.triage.shown import followed_query, named, under_own_name

_SAID = {"ndcg": "NDCG@10", "average_precision": "MAP@10", "auc": "AUC"}


class RankQuality:
    """Slates are ordered less well than before.

    Signals:
        ``ndcg``, ``average_precision`` (both at ten places, in the order of positions) and ``auc`` (by score, ties count
        half), each averaged over requests at one label age; lower is worse, a rise is information.
    Parameters:
        min_change: least change of a mean, default 0.03; min_slice_change: the same within a slice, default 0.06.
    Needs:
        ``candidates`` with position, ``outcomes`` that name their request; auc also needs score. Requests without an outcome say
        nothing and are left out.
    Blind spots:
        Losses smaller than a day of requests can tell; members look at the first places more, so a layout moves these
        numbers too (see ``output.position_curve``); candidates that nobody was shown.
    Example:
        >>> from recsysops.testing.example_log import findings
        >>> from recsysops.testing.example_slates import example_slates
        >>> log = example_slates(requests_per_day=600)
        >>> log = log.set("candidates", "score", 0.3, where="position == 1").set("candidates", "score", 0.4, where="position > 1")
        >>> {found.statistic for found in findings(RankQuality(), log)}
        {'auc'}

    Source:
        Järvelin & Kekäläinen (2002) for NDCG; Mann & Whitney (1947) for AUC; Smyth (2004) for the moderated variance.
    """

    meta = DetectorMeta("OUT205", "output.rank_quality", ("candidates",), "warning", "training", yields_to_plans=True)

    class Params(Parameters):
        """Floors of ``output.rank_quality``."""

        min_change: Positive = 0.03
        min_slice_change: Positive = 0.06

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        yield from _measures(schema)

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        measures = list(_measures(context.schema))
        skipped = lacking(
            self.meta, measures, "needs positions and outcomes that name their request", "candidates"
        ) or without_reference(self.meta, context)
        if skipped is not None:
            yield skipped
            return
        n_series = 0
        for measure in measures:
            contrast = history.moments(measure)
            if contrast is None:
                continue
            n_series += len(contrast.slices)
            for change in mean_gate(means_of(contrast), MeanLimits(self.params.min_change, prior_sd=0.01)):
                floor = self._floor(change)
                if abs(change.value - change.reference) >= floor:
                    yield self._finding(context, measure.column, change, floor)
        yield Looked(self.meta.name, n_series, f"{len(measures)} measures of ranking", len(measures))

    def _floor(self, change: MeanChange) -> float:
        return self.params.min_change if change.slice == EVERYTHING else self.params.min_slice_change

    def _finding(self, context: Context, name: str, change: MeanChange, floor: float) -> Finding:
        role = "score" if name == "auc" else "position"
        return finding_of(
            self.meta, context, under_own_name(context.schema, change),
            table="candidates", column=role_column(context.schema, "candidates", role), statistic=name, threshold=floor,
            severity="info" if change.is_up else "warning",
            headline=f"{_SAID[name]} is {change.value:.3f}, {before(context)} {change.reference:.3f}",
            query=followed_query(context, own_slice(context.schema, change.slice), f"c.{named(context.schema, 'position')}"),
        )  # fmt: skip


def _measures(schema: Schema) -> Iterator[Cells]:
    table = schema.table("candidates")
    if schema.table("ranked_requests") is None or table is None:
        return
    yield Cells("ranked_requests", "ndcg", "moments")
    yield Cells("ranked_requests", "average_precision", "moments")
    if table.role("score") is not None:
        yield Cells("ranked_requests", "auc", "moments")
