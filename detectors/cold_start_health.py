"""Launched items that are not retrieved, not shown or not played as launches of their age are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recsysops.profiles.history import Context, History
from recsysops.profiles.measures import Keyed, Measure
from recsysops.profiles.slices import EVERYTHING
from recsysops.tables.schema import Schema
from recsysops.triage.arithmetic import Term
from recsysops.triage.detector import DetectorMeta, Parameters, Rate, Verdict
from recsysops.triage.evidence import Stated, finding_of, literal, not_between_cohorts, percent, without_reference
from recsysops.triage.findings import Finding, Looked, Severity, Skipped, Stage, Subject
from recsysops.triage.on_record import records_of
from recsysops.triage.own_names import role_column
from recsysops.triage.rate_gate import MAX_P
from recsysops.triage.shown import chosen, is_shown, named
from recsysops.triage.young_items import Shortfall, YoungCounts, shortfalls, together, young_counts

_ITEM_MAX_P = 3e-5
"""Launches are many and unlike one another: the far tail of what they do is not known as well as that of a count."""


@dataclass(frozen=True)
class _Step:
    """A step from launch to play: what is counted per chance, and what it says when it is missing."""

    statistic: str
    events: str
    chances: str
    role: str
    stage: Stage
    said: str
    lost: str


_RETRIEVED = _Step(
    "retrieval_ratio", "rows", "", "item_id", "retrieval", "times among the candidates", "never retrieved"
)
_SHOWN = _Step(
    "impression_ratio", "impressions", "rows", "item_id", "ranking", "impressions", "retrieved and never shown"
)
_PLAYED = _Step("play_ratio", "sum of label", "sum of score", "score", "feature", "plays", "shown and never played")


class ColdStartHealth:
    """A launched item is not retrieved, shown or played as other launches were at its age.

    Signals:
        ``retrieval_ratio``, ``impression_ratio``, ``play_ratio``: candidates of a launched item, impressions given its candidates, and
        outcomes given its scores, over what launches of the same age had in the reference; lower is worse, 0 is never.
        ``new_items_retrieved``, ``new_items_shown``: the same for all launches of the last week together.
    Parameters:
        max_ratio: greatest ratio that is told of an item, default 0.33; max_together: of all launches together, default 0.67.
    Needs:
        ``items`` with ``launch_at``, ``candidates``; outcomes that name their request for plays; ``expected_audience`` scales what is
        expected as far as launches bear it out. Ten launches of about the same age. Ends of availability and
        recorded rules that name the item explain it.
    Blind spots:
        An item that is shown to the wrong members and plays there; launches that all fail alike since the first day.
    Example:
        >>> ColdStartHealth.meta.name
        'item.cold_start_health'

    Source:
        Saberian & Basilico, RecSysOps (2022), for the question; gamma-Poisson (Clayton & Kaldor, 1987) for what launches differ by.
    """

    meta = DetectorMeta("ITM601", "item.cold_start_health", ("candidates", "outcomes", "items"), "warning", "launch")

    class Params(Parameters):
        """Limits of ``item.cold_start_health``."""

        max_ratio: Rate = 0.33
        max_together: Rate = 0.67

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        yield from (measure for measure, _ in _counted(schema))

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        skipped = not_between_cohorts(self.meta, context) or without_reference(self.meta, context)
        if skipped is not None:
            yield skipped
            return
        if not context.catalogue.is_known or not context.catalogue.launches:
            yield Skipped(
                self.meta.name, "not_applicable", "needs a catalogue with launches of the last weeks", "items"
            )
            return
        n_items = 0
        for measure, steps in _counted(context.schema):
            keyed = history.keyed(measure)
            if keyed is None or not keyed.current.any():
                continue
            for step in steps:
                counts = young_counts(keyed, context.catalogue, step.events, step.chances)
                n_items += int(np.isfinite(counts.ages[-1]).sum())
                yield from self._items(context, step, counts)
            if measure.table == "candidates":
                yield from self._together(context, young_counts(keyed, context.catalogue, "rows"), "retrieved")
                shown = young_counts(keyed, context.catalogue, "impressions")
                yield from self._together(context, shown, "shown")
        if n_items:
            yield Looked(self.meta.name, n_items + 2, "launches of the last four weeks", 2)
        else:
            yield Skipped(self.meta.name, "too_little_data", "no launches of the last four weeks", "items")

    def _items(self, context: Context, step: _Step, counts: YoungCounts) -> Iterator[Finding]:
        audiences = context.catalogue.audiences
        low = float(np.quantile(list(audiences.values()), 0.1)) if audiences else 0.0
        for one in shortfalls(counts, self.params.max_ratio, _ITEM_MAX_P, audiences):
            if not any(records_of(context, one.item)):
                severity: Severity = "info" if audiences.get(one.item, low) < low else "warning"
                yield self._finding(context, step, one, severity)

    def _finding(self, context: Context, step: _Step, one: Shortfall, severity: Severity) -> Finding:
        audience = context.catalogue.audiences.get(one.item)
        of_audience = f", planned for an audience of {audience:,.0f}" if audience else ""
        never = f" ({step.lost})" if one.n == 0 else ""
        return finding_of(
            self.meta, context, _stated(one, self.params.max_ratio),
            table="candidates", column=role_column(context.schema, "candidates", step.role), subject=Subject("item", one.item),
            statistic=step.statistic, threshold=self.params.max_ratio, severity=severity, stage=step.stage,
            headline=f"item {one.item}, launched {one.age_days:.1f} days ago{of_audience}: {one.n:.0f} {step.said}{never}, "
            f"{one.expected:.0f} expected at its age",
            query=_query(context, one.item),
        )  # fmt: skip

    def _together(self, context: Context, counts: YoungCounts, what: str) -> Iterator[Finding]:
        found = together(counts)
        if found is None:
            return
        days, now, level = found
        usual = float(level.expected)
        if now > self.params.max_together * usual or float(level.p_value) > MAX_P:
            return
        change = Stated(
            EVERYTHING, now, (1 - now / usual) / (1 - self.params.max_together), int(counts.events[-1].sum()),
            reference=usual, p_value=float(level.p_value), n_reference=int(counts.events[:-1].sum()),
            series=(*(float(day) for day in days), now),
        )  # fmt: skip
        yield finding_of(
            self.meta, context, change,
            table="candidates", column=role_column(context.schema, "candidates", "item_id"),
            statistic=f"new_items_{what}", threshold=self.params.max_together,
            stage="retrieval" if what == "retrieved" else "launch",
            headline=f"launches of the last week are {what} {percent(now / usual)} as often as launches of their age were",
            query=_query(context, None),
        )  # fmt: skip


def _stated(one: Shortfall, max_ratio: float) -> Stated:
    ratio = one.n / one.expected
    terms = (
        Term("counts", "launches compared with", float(one.n_peers)),
        Term("counts", "events of the item", one.n),
        Term("counts", "events expected at its age", one.expected, "mean of launches at that age × its chances"),
        Term("counts", "factor of the planned audience", one.audience_factor),
        Term("size", "ratio", ratio, f"at most {max_ratio:g}"),
        Term("noise", "shape", one.shape, "of the gamma distribution of launches; dispersion is one over it"),
        Term(
            "chance", "p", one.p_value, f"lower tail of the negative binomial; at most {_ITEM_MAX_P:g} to be a finding"
        ),
    )
    effect = (1 - ratio) / (1 - max_ratio)
    return Stated(
        EVERYTHING, ratio, effect, int(one.n), reference=1.0, p_value=one.p_value, n_reference=one.n_peers,
        series=one.series, arithmetic=terms,
    )  # fmt: skip


def _counted(schema: Schema) -> Iterator[tuple[Keyed, tuple[_Step, ...]]]:
    candidates, items = schema.table("candidates"), schema.table("items")
    item = candidates.role("item_id") if candidates is not None else None
    if candidates is None or items is None or items.role("launch_at") is None or item is None:
        return
    tells_shown = (candidates.role("shown") or candidates.role("position")) is not None
    yield (
        Keyed("candidates", item.name, ("rows", "impressions")),
        (_RETRIEVED, _SHOWN) if tells_shown else (_RETRIEVED,),
    )
    if schema.table("labels") is not None and candidates.role("score") is not None:
        yield Keyed("labels", "item_id", ("rows",), sums=("label", "score")), (_PLAYED,)


def _query(context: Context, item: str | None) -> str:
    schema, days = context.schema, (*context.reference_days, *context.current_days)
    name, day = named(schema, "item_id"), f"CAST({named(schema, 'ts')} AS DATE)"
    kept = f"CAST({name} AS VARCHAR) = {literal(item)}" if item is not None else ""
    if item is None:
        young = sorted(one for one in context.catalogue.launches if _is_new(context, one))
        kept = f"CAST({name} AS VARCHAR) IN ({', '.join(map(literal, young))})" if young else ""
    rows = chosen(context, EVERYTHING, kept, days)
    return (
        f'SELECT {day} AS day, count(*) AS n_candidates, count(*) FILTER ({is_shown(schema)}) AS n_impressions FROM "candidates" '
        f"{rows} GROUP BY day ORDER BY day"
    )


def _is_new(context: Context, item: str) -> bool:
    age = context.catalogue.age_days(item, context.current_days[-1])
    return age is not None and 0 <= age <= 7
