"""What policy makes of the model's order: items pushed up or left out without a rule on record, stricter filters and caps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

import numpy as np

from recsysops.profiles.history import Context, History, KeyedContrast
from recsysops.profiles.measures import Cells, Keyed, Measure
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Rate, Verdict
from recsysops.triage.evidence import Stated, before, finding_of, literal, percent, without_reference
from recsysops.triage.findings import Finding, Looked, Skipped, Subject
from recsysops.triage.item_rates import ItemLimits, rising_items
from recsysops.triage.mean_gate import MeanChange, MeanLimits, mean_gate, means_of
from recsysops.triage.own_names import own_slice, role_column
from recsysops.triage.shown import chosen, named, under_own_name

_ITEMS = Keyed("contenders", "item_id", ("rows",), sums=("earned", "given", "promoted", "dropped"))
_RATES = {
    "promoted_rate": ("promoted", "given", "final_rank", "is shown far above its raw rank in {0} of its impressions"),
    "dropped_rate": ("dropped", "earned", "filtered_by", "is left out in {0} of the requests where its rank earned a place"),
}  # fmt: skip
"""Statistic → flagged sum, the sum it is of, role at fault, what is said."""
_FILTERED, _DEPTH = (Cells("requests", one, "moments") for one in ("filtered_rate", "mean_raw_rank_shown"))
_DROPPED_P = 1e-5
_NEAR = timedelta(days=30)
_ENDS = re.compile(r"\b(end(s|ed)?|expire[sd]?|remove[sd]?|off|lifted|deleted?)\b", re.IGNORECASE)


class PolicyEffect:
    """Policy pushes an item up, leaves one out, or filters more than before.

    Signals:
        ``promoted_rate``: an item's impressions at half its open rank or higher, over all its impressions; ``dropped_rate``: requests
        whose raw ranks earned the item a place that it did not get, over all in which it earned one; by slice too. ``filtered_rate``:
        mean share of a request's candidates that a filter took; ``mean_raw_rank_shown``: mean raw rank of what is shown.
    Parameters:
        min_promoted_rate: least promoted_rate of an item that is told, default 0.6; min_dropped_rate: the same for dropped_rate,
        default 0.97 (a hit that most have seen is left out too, but not for all); min_promoted_rise, min_dropped_rise: least rise over the item's own past, as a share of the room to 1, default 0.4 and 0.9; min_filtered_change: of filtered_rate,
        default 0.05; min_depth_change: of mean_raw_rank_shown, relative, default 0.2.
    Needs:
        ``candidates`` with raw_rank, and shown or position; filtered_by to know which candidates were out of the race. A rule
        that ``changes`` records with the item's id within 30 days makes it information, unless the record says that it ended.
    Blind spots:
        Items of fewer than 20 impressions a day; rules before the candidates are logged; a pin at the rank that was earned.
    Example:
        >>> from recsysops.testing.example_log import findings
        >>> from recsysops.testing.example_slates import example_slates
        >>> log = example_slates().set("candidates", "shown", False, where="item_id == 'item_03' and market == 'NO'")
        >>> {(found.statistic, found.subject.id) for found in findings(PolicyEffect(), log)}
        {('dropped_rate', 'item_03')}

    Source:
        Beta-binomial tests of single items (Skellam, 1948); gates of ``recsysops.triage.mean_gate``.
    """

    meta = DetectorMeta("OUT214", "output.policy_effect", ("candidates",), "warning", "policy", yields_to_plans=True)

    class Params(Parameters):
        """Floors of ``output.policy_effect``."""

        min_promoted_rate: Rate = 0.6
        min_dropped_rate: Rate = 0.97
        min_promoted_rise: Rate = 0.4
        min_dropped_rise: Rate = 0.9
        min_filtered_change: Rate = 0.05
        min_depth_change: Rate = 0.2

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        table = schema.table("candidates")
        if table is None or schema.table("contenders") is None:
            return
        yield from (_ITEMS, _DEPTH)
        if table.role("filtered_by") is not None:
            yield _FILTERED

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        if not list(self.measures(context.schema)):
            reason = "needs raw ranks, and candidates that were not shown"
            yield Skipped(self.meta.name, "not_applicable", reason, "candidates")
            return
        skipped = without_reference(self.meta, context)
        if skipped is not None:
            yield skipped
            return
        n_items = 0
        told: set[tuple[str, str]] = set()
        for slice_ in _slices(history):
            keyed = history.keyed(_ITEMS, slice_)
            if keyed is None or not len(keyed.reference) or not len(keyed.current):
                continue
            for name in _RATES:
                n, found = self._items(context, keyed, name, slice_, told)
                n_items += n
                yield from found
        n_means = 0
        for measure in (_FILTERED, _DEPTH):
            n, found = self._means(history, measure)
            n_means += n
            yield from found
        yield Looked(
            self.meta.name, n_items + n_means, "items and requests against their raw ranks", 2 if n_means else 0
        )

    def _items(
        self, context: Context, keyed: KeyedContrast, name: str, slice_: Slice, told: set[tuple[str, str]]
    ) -> tuple[int, list[Finding]]:
        """How many items were judged, and findings; an item that all rows tell of is not told again in each slice."""
        flagged, of, _, _ = _RATES[name]
        k, n = ((keyed.reference[:, :-1, at], keyed.current[:, :-1, at].sum(axis=0)) for at in _at(keyed, flagged, of))
        limits = self._limits(name)
        found = []
        for index, change in rising_items(k, n, limits, slice_):
            item = keyed.keys[index]
            if (name, item) not in told:
                found.append(self._item(context, name, item, change))
                if slice_ == EVERYTHING:
                    told.add((name, item))
        return int((n[1] >= limits.min_rows).sum()), found

    def _limits(self, name: str) -> ItemLimits:
        """Members who have seen a hit are not shown it again: what is left out rises by itself, so it has to be sure."""
        if name == "promoted_rate":
            return ItemLimits(self.params.min_promoted_rate, self.params.min_promoted_rise)
        return ItemLimits(self.params.min_dropped_rate, self.params.min_dropped_rise, max_p=_DROPPED_P)

    def _item(self, context: Context, name: str, item: str, change: Stated) -> Finding:
        schema = context.schema
        _, _, role, said = _RATES[name]
        return finding_of(
            self.meta, context, under_own_name(schema, change),
            table="candidates", column=role_column(schema, "candidates", role), subject=Subject("item", item),
            statistic=name, threshold=self._limits(name).min_rise, severity="info" if is_on_record(context, item) else "warning",
            headline=f"item {item} {said.format(percent(change.value))}, {before(context)} {percent(change.reference)}",
            query=_item_query(context, item, change.slice),
        )  # fmt: skip

    def _means(self, history: History, measure: Cells) -> tuple[int, list[Finding]]:
        contrast = history.moments(measure)
        if contrast is None or not len(contrast.reference.count):
            return 0, []
        means = means_of(contrast)
        usual = float(np.nanmean(means.days[:, 0])) if np.isfinite(means.days[:, 0]).any() else 0.0
        is_rate = measure == _FILTERED
        floor = self.params.min_filtered_change if is_rate else max(self.params.min_depth_change * usual, 1e-9)
        found = [
            self._mean(history.context, measure.column, change, floor) for change in mean_gate(means, MeanLimits(floor))
        ]
        return len(contrast.slices), found

    def _mean(self, context: Context, name: str, change: MeanChange, floor: float) -> Finding:
        schema, days = context.schema, (*context.reference_days, *context.current_days)
        is_rate = name == "filtered_rate"
        role = "filtered_by" if is_rate else "raw_rank"
        value, then = (percent(one) if is_rate else f"{one:.1f}" for one in (change.value, change.reference))
        said = (
            f"filters take {value} of a request's candidates"
            if is_rate
            else f"what is shown had raw rank {value} on average"
        )
        column, rank = named(schema, "filtered_by"), named(schema, "raw_rank")
        return finding_of(
            self.meta, context, under_own_name(schema, change),
            table="candidates", column=role_column(schema, "candidates", role), statistic=name, threshold=floor,
            severity="warning" if change.is_up else "info", headline=f"{said}, {before(context)} {then}",
            query=f"SELECT CAST({named(schema, 'ts')} AS DATE) AS day, CAST({column} AS VARCHAR) AS filter, count(*) AS n, "
            f'avg({rank}) AS raw_rank FROM "candidates" {chosen(context, own_slice(schema, change.slice), days=days)} '
            "GROUP BY ALL ORDER BY ALL",
        )  # fmt: skip


def is_on_record(context: Context, item: str) -> bool:
    """Whether the last change that names the item, within 30 days, put a rule in force rather than ended one."""
    end = datetime.combine(context.current_days[-1], time.min, UTC) + timedelta(days=1)
    word = re.compile(rf"(?<![A-Za-z0-9]){re.escape(item)}(?![A-Za-z0-9])")
    named_by = [one for one in context.changes if end - _NEAR <= one.ts < end and word.search(one.scope)]
    return bool(named_by) and not _ENDS.search(max(named_by, key=lambda one: one.ts).description)


def _slices(history: History) -> tuple[Slice, ...]:
    """Every row, and the values of the dimensions that the user named: rules are scoped by those."""
    contrast = history.moments(_DEPTH)
    table = history.context.schema.table("candidates")
    named_by_user = table.slices if table is not None else ()
    found = contrast.slices if contrast is not None else (EVERYTHING,)
    return tuple(one for one in found if one == EVERYTHING or one.dimension in named_by_user)


def _at(keyed: KeyedContrast, *names: str) -> tuple[int, ...]:
    return tuple(keyed.counters.index(f"sum of {name}") for name in names)


def _item_query(context: Context, item: str, slice_: Slice) -> str:
    schema, days = context.schema, (*context.reference_days, *context.current_days)
    ts, rank, position, by = (named(schema, role) for role in ("ts", "raw_rank", "position", "filtered_by"))
    rows = chosen(
        context, own_slice(schema, slice_), f"CAST({named(schema, 'item_id')} AS VARCHAR) = {literal(item)}", days
    )
    return (
        f"SELECT CAST({ts} AS DATE) AS day, count(*) AS n_candidates, avg({rank}) AS raw_rank, count({position}) AS n_shown, "
        f'avg({position}) AS position, count({by}) AS n_filtered FROM "candidates" {rows} GROUP BY 1 ORDER BY 1'
    )
