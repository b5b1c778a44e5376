"""Scores whose distribution moved, as a whole, in a slice, or for one model."""

from __future__ import annotations

from collections.abc import Iterator

from recsysops.profiles.history import History
from recsysops.profiles.measures import Cells, Measure
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Verdict
from recsysops.triage.evidence import lacking, without_reference
from recsysops.triage.findings import Looked
from recsysops.triage.number_shift import N_LOOKED, ShapeFloors, judge_numbers


class ScoreShift:
    """The model's scores are distributed unlike before.

    Signals:
        ``ks``, ``psi``, ``w1_over_iqr``, ``rank_shift``, ``tail_rate`` and ``beyond_range_rate`` of ``score`` and
        ``raw_score``, as in ``input.distribution_shift``.
    Parameters:
        min_ks, min_psi, min_w1_over_iqr, min_rank_shift: floors 0.03, 0.05 nats, 0.05 and 0.02;
        min_tail_change: least change in points of rate, default 0.005.
    Needs:
        ``candidates`` with ``score`` or ``raw_score``. Name ``model_id`` among the slices to have each model judged.
    Blind spots:
        A new model may rightly score on another scale: look at the changes beside the finding. Scores that moved within
        requests but not over all of them; NaN (see ``output.invalid_scores``).
    Example:
        >>> from recsysops.testing.example_log import example_log, findings
        >>> log = example_log().scale("candidates", "score", by=0.7)
        >>> {found.column for found in findings(ScoreShift(), log)}
        {'score'}

    Source:
        Three gates of ``recsysops.triage.shape_gate``.
    """

    meta = DetectorMeta("OUT202", "output.score_shift", ("candidates",), "warning", "ranking", yields_to_plans=True)

    class Params(ShapeFloors):
        """Floors of ``output.score_shift``."""

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        table = schema.table("candidates")
        for role in ("score", "raw_score"):
            column = table.role(role) if table else None
            if column is not None and column.kind == "numeric":
                yield Cells("candidates", column.name, "histogram")

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        measures = [measure for measure in self.measures(context.schema) if isinstance(measure, Cells)]
        skipped = lacking(
            self.meta, measures, "no column plays the role score or raw_score", "candidates"
        ) or without_reference(self.meta, context)
        if skipped is not None:
            yield skipped
            return
        n_series = n_whole = 0
        for measure in measures:
            contrast = history.cells(measure)
            if contrast is not None:
                n_series, n_whole = n_series + N_LOOKED * len(contrast.slices), n_whole + N_LOOKED
                yield from judge_numbers(self.meta, context, "candidates", measure.column, contrast, self.params)
        yield Looked(self.meta.name, n_series, f"distributions of {len(measures)} score columns", n_whole)
