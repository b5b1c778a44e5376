"""Where on the slate members choose: a layout that hides places, or a log that misplaces them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from recsysops.profiles.history import CellContrast, Context, History
from recsysops.profiles.measures import Cells, Measure
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Rate, Verdict
from recsysops.triage.evidence import before, finding_of, percent, without_reference
from recsysops.triage.findings import Finding, Looked, Skipped
from recsysops.triage.own_names import own_slice, role_column
from recsysops.triage.rate_gate import Rate as CellRate
from recsysops.triage.rate_gate import RateChange, RateLimits, rate_gate
from recsysops.triage.shown import followed_query, named, under_own_name

_PLACES = Cells("labels", "followed_place", "frequencies")
_MIN_FOLLOWED = 200
"""Outcomes in the reference below which a slice's curve is not judged."""

_NO_RATIO = 1e9
"""Only points of rate count: doubling says little here."""


class PositionCurve:
    """Members choose at other places of the slate than before.

    Signals:
        ``low_place_rate``: outcomes at the lower places over all outcomes of slates, in [0, 1]; lower places are those below the
        median outcome of the reference. Both ways; every slice has its own curve.
    Parameters:
        min_rate_change: least change in points of rate, default 0.08.
    Needs:
        ``candidates`` with position, ``outcomes`` that name their request. Name the device among the slices.
    Blind spots:
        A curve that only falls as a whole (see ``output.calibration``); a better ranker moves choices upward too; recorded
        releases and experiments on layouts explain a change that lies in their scope.
    Example:
        >>> from recsysops.testing.example_log import findings
        >>> from recsysops.testing.example_slates import example_slates
        >>> log = example_slates(requests_per_day=600)
        >>> log = log.set("candidates", "position", 4.0, where="position < 3")
        >>> {found.column for found in findings(PositionCurve(), log)}
        {'position'}

    Source:
        A contrast of the curve at its median, the one-sided alternative to a Kolmogorov-Smirnov test; gates of
        ``recsysops.triage.rate_gate``.
    """

    meta = DetectorMeta("OUT211", "output.position_curve", ("candidates",), "warning", "client", yields_to_plans=True)

    class Params(Parameters):
        """Floors of ``output.position_curve``."""

        min_rate_change: Rate = 0.08

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        table = schema.table("candidates")
        if schema.table("labels") is not None and table is not None and table.role("position") is not None:
            yield _PLACES

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        contrast = history.cells(_PLACES) if list(self.measures(context.schema)) else None
        if contrast is None:
            reason = "needs positions and outcomes that name their request"
            yield Skipped(self.meta.name, "not_applicable", reason, "candidates")
            return
        skipped = without_reference(self.meta, context)
        if skipped is not None:
            yield skipped
            return
        rate = lower_places(contrast)
        if rate is None:
            reason = "no outcomes at two places of slates in the reference"
            yield Skipped(self.meta.name, "too_little_data", reason, "candidates")
            return
        limits = RateLimits(self.params.min_rate_change, _NO_RATIO)
        n_judged = 0
        enough = contrast.reference[..., rate.of].sum(axis=(0, 2)) >= _MIN_FOLLOWED
        n_judged = int(enough.sum())
        for change in rate_gate(contrast, [rate], limits):
            if enough[change.slice_index]:
                yield self._finding(context, change, rate, contrast)
        yield Looked(self.meta.name, n_judged, "places that members choose", 1)

    def _finding(self, context: Context, change: RateChange, rate: CellRate, contrast: CellContrast) -> Finding:
        first = min(int(contrast.cells[cell]) for cell in rate.flagged)
        return finding_of(
            self.meta, context, under_own_name(context.schema, change),
            table="candidates", column=role_column(context.schema, "candidates", "position"), statistic="low_place_rate",
            threshold=self.params.min_rate_change,
            headline=f"{percent(change.value)} of outcomes come from place {first} or below, {before(context)} "
            f"{percent(change.reference)}",
            query=followed_query(context, own_slice(context.schema, change.slice), f"c.{named(context.schema, 'position')}"),
        )  # fmt: skip


def lower_places(contrast: CellContrast) -> CellRate | None:
    """Outcomes beyond the median place of the reference, of all whose place is known."""
    places = {int(name): index for index, name in enumerate(contrast.cells) if name.lstrip("-").isdigit()}
    ordered = sorted(places)
    counts = np.array([contrast.reference[:, 0, places[one]].sum() for one in ordered], np.float64)
    if len(ordered) < 2 or not counts.sum():
        return None
    split = min(int(np.searchsorted(np.cumsum(counts) / counts.sum(), 0.5)), len(ordered) - 2)
    flagged = tuple(places[one] for one in ordered[split + 1 :])
    return CellRate("low_place_rate", flagged, tuple(places[one] for one in ordered))
