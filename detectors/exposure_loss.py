"""An established item that lost its exposure, everywhere or in one market."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recsysops.profiles.history import Context, History, KeyedContrast
from recsysops.profiles.measures import Cells, Keyed, Measure
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Rate, Verdict
from recsysops.triage.evidence import (
    Stated,
    before,
    finding_of,
    literal,
    not_between_cohorts,
    percent,
    without_reference,
)
from recsysops.triage.exposure_falls import FallLimits, falling_items
from recsysops.triage.findings import Finding, Looked, Skipped, Subject
from recsysops.triage.on_record import ends, records_of
from recsysops.triage.own_names import own_slice, role_column
from recsysops.triage.shown import chosen, is_shown, named, under_own_name

_REQUESTS = Cells("requests")


class ExposureLoss:
    """An established item lost its exposure, everywhere or in one slice.

    Signals:
        ``exposure_share``: an item's impressions over all, in [0, 1], overall and by the dimensions that the user named; lower is
        worse. What is expected follows the item's own days, weighted towards the last ones.
    Parameters:
        min_expected: impressions expected of an item that is judged, default 10; max_ratio: greatest part of them that is
        still told, default 0.2; ended_ratio: the same for all an item has left in a slice while it keeps the rest, default 0.1.
    Needs:
        ``candidates``; shown or position where the log holds candidates that were not shown. Ends of availability and recorded rules
        that name the item (and the market) make it information; launches of the last 28 days are left out.
    Blind spots:
        Items of few impressions; an item that fades over weeks, as items do; what was never shown.
    Example:
        >>> from recsysops.testing.example_log import findings
        >>> from recsysops.testing.example_slates import example_slates
        >>> log = example_slates().set("candidates", "shown", False, where="item_id == 'item_03'")
        >>> [(found.subject.id, found.slice.value) for found in findings(ExposureLoss(), log)]
        [('item_03', '')]

    Source:
        Przyborowski & Wilenski (1940) for the exact test of two counts; Smyth (2004) for moderated variance between days.
    """

    meta = DetectorMeta("ITM603", "item.exposure_loss", ("candidates",), "warning", "policy", yields_to_plans=True)

    class Params(Parameters):
        """Floors of ``item.exposure_loss``."""

        min_expected: Positive = 10.0
        max_ratio: Rate = 0.2
        ended_ratio: Rate = 0.1

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        measure = _items(schema)
        if measure is not None:
            yield measure
            if schema.table("requests") is not None:
                yield _REQUESTS

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        skipped = not_between_cohorts(self.meta, context) or without_reference(self.meta, context)
        if skipped is not None:
            yield skipped
            return
        measure = _items(context.schema)
        whole = history.keyed(measure) if measure is not None else None
        if measure is None or whole is None or not whole.current[..., 0].any():
            yield Skipped(self.meta.name, "too_little_data", "no impressions on the judged day", "candidates")
            return
        # launches lose exposure by growing older, which is `item.cold_start_health`'s to judge
        young = context.catalogue.young_items(context.current_days[-1])
        found = self._lost(young, whole, EVERYTHING)
        gone = {one.item for one in found.lost}
        n_series = found.n_judged
        lost = found.lost
        for slice_ in _slices(history):
            keyed = history.keyed(measure, slice_)
            if keyed is not None:
                here = self._lost(young, keyed, slice_)
                n_series += here.n_judged
                lost += tuple(one for one in here.lost if one.item not in gone)
        yield from (self._finding(context, one) for one in lost)
        yield Looked(self.meta.name, n_series, f"exposure of items in {n_series} places")

    def _lost(self, young: frozenset[str], keyed: KeyedContrast, slice_: Slice) -> _Judged:
        ratio = self.params.ended_ratio if slice_.dimension else self.params.max_ratio
        limits = FallLimits(self.params.min_expected, ratio)
        is_young = np.array([item in young for item in keyed.keys], bool)
        n_judged, found = falling_items(keyed, limits, slice_, ~is_young)
        return _Judged(n_judged, tuple(_Lost(keyed.keys[index], change) for index, change in found))

    def _finding(self, context: Context, lost: _Lost) -> Finding:
        change, schema = lost.change, context.schema
        why = _explained(context, lost)
        item = named(schema, "item_id")
        rows = chosen(
            context, own_slice(schema, change.slice), f"CAST({item} AS VARCHAR) = {literal(lost.item)}",
            (*context.reference_days, *context.current_days),
        )  # fmt: skip
        return finding_of(
            self.meta, context, under_own_name(schema, change),
            table="candidates", column=role_column(schema, "candidates", "item_id"), subject=Subject("item", lost.item),
            statistic="exposure_share", threshold=1 - self.params.max_ratio, severity="info" if why else "warning",
            headline=f"item {lost.item} has {percent(change.value)} of impressions, {before(context)} {percent(change.reference)}"
            + (f" ({why})" if why else ""),
            query=f"SELECT CAST({named(schema, 'ts')} AS DATE) AS day, count(*) AS n_candidates, "
            f'count(*) FILTER ({is_shown(schema)}) AS n_impressions FROM "candidates" {rows} GROUP BY day ORDER BY day',
        )  # fmt: skip


@dataclass(frozen=True)
class _Lost:
    item: str
    change: Stated


@dataclass(frozen=True)
class _Judged:
    n_judged: int
    lost: tuple[_Lost, ...]


def _items(schema: Schema) -> Keyed | None:
    table = schema.table("candidates")
    item = table.role("item_id") if table else None
    return None if item is None else Keyed("candidates", item.name, ("impressions",))


def _slices(history: History) -> tuple[Slice, ...]:
    """The values of the dimensions that the user named."""
    requests, table = history.cells(_REQUESTS), history.context.schema.table("candidates")
    if requests is None or table is None:
        return ()
    return tuple(one for one in requests.slices if one.dimension in table.slices)


def _explained(context: Context, lost: _Lost) -> str:
    """The end of availability, or the recorded rule, that explains it; "" if none does."""
    day, value = context.current_days[-1], lost.change.slice.value
    catalogue = context.catalogue
    end = catalogue.market_ends.get((lost.item, value)) or catalogue.ends.get(lost.item)
    if end is not None and end.date() <= day:
        return f"no longer available since {end.date()}"
    records = list(records_of(context, lost.item, value))
    if records:
        last = records[-1]
        return f"{last.kind} {last.scope} of {last.ts.date()}{', which has ended' if ends(last) else ''}"
    return ""
