"""Dearer, or cheaper, items shown than the candidates' prices lead one to expect."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from recsysops.profiles.history import Context, History
from recsysops.profiles.measures import Cells, Measure
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Verdict
from recsysops.triage.evidence import before, finding_of, lacking, without_reference
from recsysops.triage.findings import Finding, Looked
from recsysops.triage.mean_gate import MeanChange, MeanLimits, mean_gate, means_of
from recsysops.triage.own_names import own_slice, role_column
from recsysops.triage.shown import chosen, is_shown, named, under_own_name

_MEASURES = tuple(Cells("requests", one, "moments") for one in ("price_lift", "first_price_lift"))
_CANDIDATES = Cells("requests", "mean_price_unshown", "moments")
_REPRICED = 0.1
"""When the prices of what was not shown moved by so much, members and models rightly weigh them anew."""
_SAID = {"price_lift": "what is shown costs", "first_price_lift": "the first place costs"}


class PriceExposure:
    """What is shown has become dearer, or cheaper, than what there was to show.

    Signals:
        ``price_lift``: mean price of a slate over the mean price of its request's candidates; ``first_price_lift``: that of the first
        place. Means over requests, both ways. A sale, or a dearer catalogue, moves both prices and is none of this detector's.
    Parameters:
        min_change: least change of the lift over all requests, default 0.15; min_slice_change: within a slice, default 0.25.
    Needs:
        ``candidates`` with price, and candidates that were not shown. Where the price of what was not shown moved by a tenth too (a sale),
        a change is information.
    Blind spots:
        Candidates that are all dearer; prices that are wrong for shown and unshown alike (``input.unit_change``).
    Example:
        >>> from recsysops.testing.example_log import findings
        >>> from recsysops.testing.example_slates import example_slates
        >>> log = example_slates().set("candidates", "price", 900.0, rate=0.2, where="position == 1")
        >>> sorted({found.statistic for found in findings(PriceExposure(), log)})
        ['first_price_lift', 'price_lift']

    Source:
        Three gates of ``recsysops.triage.mean_gate``.
    """

    meta = DetectorMeta("OUT210", "output.price_exposure", ("candidates",), "warning", "ranking", yields_to_plans=True)

    class Params(Parameters):
        """Floors of ``output.price_exposure``."""

        min_change: Positive = 0.15
        min_slice_change: Positive = 0.25

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        table = schema.table("candidates")
        has_rest = table is not None and (table.role("shown") or table.role("raw_rank")) is not None
        if has_rest and table is not None and table.role("price") is not None and schema.table("requests") is not None:
            yield _CANDIDATES
            yield from _MEASURES if table.role("position") is not None else _MEASURES[:1]

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        asked = set(self.measures(context.schema))
        measures = [measure for measure in _MEASURES if measure in asked]
        skipped = lacking(
            self.meta, measures, "needs prices of candidates, shown and not", "candidates"
        ) or without_reference(self.meta, context)
        if skipped is not None:
            yield skipped
            return
        n_series, repriced = 0, _repriced(history)
        for measure in measures:
            contrast = history.moments(measure)
            if contrast is None:
                continue
            n_series += len(contrast.slices)
            for change in mean_gate(means_of(contrast), MeanLimits(self.params.min_change, prior_sd=0.03)):
                floor = self.params.min_change if change.slice == EVERYTHING else self.params.min_slice_change
                if abs(change.value - change.reference) >= floor:
                    yield self._finding(context, measure.column, change, floor, is_repriced=change.slice in repriced)
        yield Looked(self.meta.name, n_series, "prices of what is shown", len(measures))

    def _finding(self, context: Context, name: str, change: MeanChange, floor: float, *, is_repriced: bool) -> Finding:
        schema, days = context.schema, (*context.reference_days, *context.current_days)
        price, shown = named(schema, "price"), is_shown(schema)
        if name == "first_price_lift":
            shown = f"{named(schema, 'position')} = 1"
        rows = chosen(context, own_slice(schema, change.slice), days=days)
        return finding_of(
            self.meta, context, under_own_name(schema, change),
            table="candidates", column=role_column(schema, "candidates", "price"), statistic=name, threshold=floor,
            severity="info" if is_repriced else "warning",
            headline=f"{_SAID[name]} {change.value:.2f} times the candidates' mean price, {before(context)} {change.reference:.2f}",
            query=f"SELECT CAST({named(schema, 'ts')} AS DATE) AS day, avg({price}) FILTER ({shown}) AS shown, avg({price}) AS candidates, "
            f'max({price}) FILTER ({shown}) AS dearest FROM "candidates" {rows} GROUP BY 1 ORDER BY 1',
        )  # fmt: skip


def _repriced(history: History) -> frozenset[Slice]:
    """Slices in which the prices of what was not shown moved as well."""
    contrast = history.moments(_CANDIDATES)
    if contrast is None or not len(contrast.reference.count):
        return frozenset()
    means = means_of(contrast)
    with np.errstate(divide="ignore", invalid="ignore"):
        usual = np.nansum(means.days * means.n_days, axis=0) / means.n_days.sum(axis=0)
        moved = np.abs(np.log(means.now / usual)) >= _REPRICED
    return frozenset(slice_ for slice_, one in zip(means.slices, moved, strict=True) if one)
