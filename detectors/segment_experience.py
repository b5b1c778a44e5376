"""A segment of members gets slates that lead to nothing, more often than it used to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from recsysops.profiles.history import CellContrast, Context, History, MomentContrast
from recsysops.profiles.measures import Cells, Measure
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Rate, Verdict
from recsysops.triage.evidence import before, finding_of, percent, without_reference
from recsysops.triage.findings import Finding, Looked, Skipped
from recsysops.triage.mean_gate import MeanChange, MeanLimits, mean_gate, means_of
from recsysops.triage.own_names import role_column
from recsysops.triage.rate_gate import Rate as CellRate
from recsysops.triage.rate_gate import RateChange, RateLimits, rate_gate
from recsysops.triage.shown import followed_query, under_own_name
from recsysops.triage.widest import widest

_BARREN = Cells("ranked_requests", "is_barren", "frequencies")
_PLAYS = Cells("ranked_requests", "n_followed", "moments")


class SegmentExperience:
    """A segment of members gets slates that lead to nothing, more often than before.

    Signals:
        ``barren_rate``: requests whose slate no outcome followed within the label age, over all, in [0, 1]; higher is worse.
        ``outcomes_per_request``: impressions with an outcome, mean over requests; lower is worse. For everybody and for each value of
        the dimensions that the user named, against its own past at equal label age.
    Parameters:
        min_rate_change: least rise of barren_rate, default 0.08; min_fall: least fall of outcomes_per_request, as a part of
        what it was for everybody, default 0.2.
    Needs:
        ``candidates`` with position; ``outcomes`` that name their request.
    Blind spots:
        Members who no longer ask; segments that are no dimension of the log; 50 requests in each window are the least.
    Example:
        >>> from recsysops.testing.example_log import findings
        >>> from recsysops.testing.example_slates import example_slates
        >>> log = example_slates(requests_per_day=600).drop("outcomes", rate=0.9, where="origin == 'slate'")
        >>> [found.statistic for found in findings(SegmentExperience(), log) if not found.slice.dimension]
        ['barren_rate', 'outcomes_per_request']

    Source:
        Three gates of ``recsysops.triage.rate_gate`` and ``recsysops.triage.mean_gate`` (Smyth, 2004).
    """

    meta = DetectorMeta("MEM502", "member.segment_experience", ("candidates", "outcomes"), "warning", "ranking")

    class Params(Parameters):
        """Floors of ``member.segment_experience``."""

        min_rate_change: Rate = 0.08
        min_fall: Rate = 0.2

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        if schema.table("ranked_requests") is not None:
            yield from (_BARREN, _PLAYS)

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        if context.schema.table("ranked_requests") is None:
            reason = "needs positions, and outcomes that name their request"
            yield Skipped(self.meta.name, "not_applicable", reason, "outcomes")
            return
        skipped = without_reference(self.meta, context)
        if skipped is not None:
            yield skipped
            return
        contrast, moments = history.cells(_BARREN), history.moments(_PLAYS)
        if contrast is None or moments is None or not contrast.current.any():
            yield Skipped(
                self.meta.name, "too_little_data", "no requests with a label in one of the windows", "outcomes"
            )
            return
        limits = RateLimits(self.params.min_rate_change, only_up=True)
        changes = widest(
            change for change in rate_gate(contrast, [_rate(contrast)], limits) if _is_segment(context, change)
        )
        yield from (self._barren(context, change) for change in changes)
        usual = means_of(moments)
        floor = self.params.min_fall * _usual(moments)
        if floor > 0:
            falls = [one for one in mean_gate(usual, MeanLimits(floor)) if not one.is_up and _is_segment(context, one)]
            yield from (self._fewer(context, one, floor) for one in _alone(falls))
        n_segments = sum(_is_own(context, one.dimension) for one in contrast.slices)
        yield Looked(self.meta.name, 2 * n_segments, f"what {n_segments} segments do with their slates", 2)

    def _barren(self, context: Context, change: RateChange) -> Finding:
        return finding_of(
            self.meta, context, under_own_name(context.schema, replace(change)),
            table="outcomes", column=role_column(context.schema, "outcomes", "request_id"), statistic=change.rate.name,
            threshold=self.params.min_rate_change,
            headline=f"{percent(change.value)} of requests lead to no outcome, {before(context)} {percent(change.reference)}",
            query=followed_query(context, under_own_name(context.schema, change).slice),
        )  # fmt: skip

    def _fewer(self, context: Context, change: MeanChange, floor: float) -> Finding:
        return finding_of(
            self.meta, context, under_own_name(context.schema, change),
            table="outcomes", column=role_column(context.schema, "outcomes", "request_id"), statistic="outcomes_per_request",
            threshold=floor,
            headline=f"{change.value:.2f} outcomes follow a request, {before(context)} {change.reference:.2f}",
            query=followed_query(context, under_own_name(context.schema, change).slice),
        )  # fmt: skip


def _rate(contrast: CellContrast) -> CellRate:
    """``new`` is a value that the reference never had: of two values that can only be true."""
    flagged = tuple(index for index, name in enumerate(contrast.cells) if name in ("true", "new"))
    known = tuple(index for index, name in enumerate(contrast.cells) if name in ("true", "new", "false"))
    return CellRate("barren_rate", flagged, known)


def _usual(moments: MomentContrast) -> float:
    """Outcomes per request over the reference; 0 without requests."""
    n, mean = moments.reference.count[:, 0], moments.reference.mean[:, 0]
    return float((n * np.nan_to_num(mean)).sum() / n.sum()) if n.sum() else 0.0


def _is_own(context: Context, dimension: str) -> bool:
    table = context.schema.table("candidates")
    return not dimension or (table is not None and dimension in table.slices)


def _is_segment(context: Context, change: RateChange | MeanChange) -> bool:
    return _is_own(context, change.slice.dimension) and change.slice.value not in ("(null)", "(other)")


def _alone(falls: list[MeanChange]) -> Iterator[MeanChange]:
    """Everybody's fall, and those of segments that fell half as much again, or alone."""
    whole = next((one for one in falls if not one.slice.dimension), None)
    for one in falls:
        if one is whole or whole is None or one.reference - one.value >= 1.5 * (whole.reference - whole.value):
            yield one
