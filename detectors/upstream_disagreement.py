"""Columns that tell one fact and no longer agree: country and language, the catalogue and the features that were served."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recsysops.profiles.history import CellContrast, Context, History
from recsysops.profiles.measures import Cells, Measure
from recsysops.profiles.slices import EVERYTHING
from recsysops.statistics.proportions import clopper_pearson_interval
from recsysops.tables.agreements import ENTITIES, Pair, Side, pairs_of
from recsysops.tables.schema import Schema
from recsysops.triage.agreement_query import agreement_query
from recsysops.triage.dependence import (
    BROKEN,
    KEPT,
    Dependence,
    held_against,
    learn,
    likeliest_break,
    moved,
)
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Rate, Verdict
from recsysops.triage.evidence import Stated, before, finding_of, percent, without_reference
from recsysops.triage.findings import Finding, Looked, Skipped
from recsysops.triage.own_names import own_slice
from recsysops.triage.rare_events import rare_gate
from recsysops.triage.rate_gate import Rate as CellRate
from recsysops.triage.rate_gate import RateChange, RateLimits, rate_gate
from recsysops.triage.request_rates import NEVER_DAYS, NEVER_IN
from recsysops.triage.widest import widest

_RATE = CellRate("disagreement_rate", (BROKEN,), (KEPT, BROKEN))
_DECLARED = 0.5
"""Least agreement and gain of declared pairs: a team's word counts more than the reference."""
_MAX_JUDGED = 8
_NEVER_OF = 200
"""Entities of a day that make a rule of what none of them breaks."""


@dataclass(frozen=True)
class _Watched:
    pair: Pair
    counts: CellContrast
    alone: tuple[CellContrast, CellContrast]
    dependence: Dependence


class UpstreamDisagreement:
    """Two columns that tell one fact disagree in more rows than before.

    Signals:
        ``disagreement_rate``: rows in which a value does not go with the one that it went with in the reference, over all rows with
        both, in [0, 1]; higher is worse. Of items and members a pair that never was otherwise may not be so once.
    Parameters:
        min_rate_change: least rise, default 0.005; min_ratio: growth that needs a fifth of that, default 2; min_agreement: share of
        rows that must agree in the reference for a pair to be watched, default 0.99; min_gain: how much better than chance one
        column must tell the other, default 0.9 (Goodman and Kruskal's lambda).
    Needs:
        Two columns of classes in one table, or in two of candidates, items, item_features and member_features with as_of. They are
        declared by ``agrees_with``, or found: those with like names, and those of the catalogue and of features that determine
        each other; the eight best are judged.
    Blind spots:
        Both columns wrong alike; a value missing on one side (see ``input.missing_rate``) or never seen before on the side that
        determines the other (see ``input.category_change``); columns of more than 50 pairs of values; single entities from the
        day after.
    Example:
        >>> from recsysops.testing.example_agreements import example_agreements
        >>> from recsysops.testing.example_log import findings
        >>> log = example_agreements().set("items", "country", "NO", where="item_id == 'item_7'")
        >>> [found.headline for found in findings(UpstreamDisagreement(), log)]
        ['country and language of items disagree in 1 of 300 rows, which never happened before; it is items.country that moved']

    Source:
        Goodman & Kruskal (1954) for lambda; Ilyas et al. (2004, CORDS) for soft functional dependencies; gates of ``recsysops.triage``.
    """

    meta = DetectorMeta(
        "INP116",
        "input.upstream_disagreement",
        ("candidates", "outcomes", *ENTITIES),
        "warning",
        "upstream",
        yields_to_plans=True,
    )

    class Params(Parameters):
        """Floors of ``input.upstream_disagreement``."""

        min_rate_change: Rate = 0.005
        min_ratio: Positive = 2.0
        min_agreement: Rate = 0.99
        min_gain: Rate = 0.9

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        wanted = (measure for pair in pairs_of(schema) for measure in _counted(pair))
        yield from dict.fromkeys(wanted)

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        skipped = without_reference(self.meta, context)
        if skipped is not None:
            yield skipped
            return
        watched = []
        for pair in pairs_of(context.schema):
            found = self._watched(history, pair)
            if isinstance(found, Skipped):
                yield found
            elif found is not None:
                watched.append(found)
        watched.sort(key=lambda one: (one.pair.is_declared, one.dependence.gain, one.dependence.share), reverse=True)
        n_declared = sum(one.pair.is_declared for one in watched)
        judged = watched[: max(_MAX_JUDGED, n_declared)]
        yield from self._findings(context, [(one, change) for one in judged for change in self._changes(context, one)])
        n_series = sum(len(one.counts.slices) for one in judged)
        yield Looked(self.meta.name, n_series, f"{len(judged)} pairs of columns that agree", len(judged))

    def _watched(self, history: History, pair: Pair) -> _Watched | Skipped | None:
        counts, one, two = (history.cells(measure) for measure in _counted(pair))
        if counts is None or one is None or two is None:
            return None
        share, gain = (_DECLARED, _DECLARED) if pair.is_declared else (self.params.min_agreement, self.params.min_gain)
        dependence = learn(counts, share, gain)
        if dependence is not None:
            return _Watched(pair, counts, (one, two), dependence)
        if not pair.is_declared:
            return None
        reason = f"says little of {'.'.join(pair.sides[1])} in the reference, with which it is declared to agree"
        return Skipped(self.meta.name, "not_applicable", reason, *pair.sides[0])

    def _changes(self, context: Context, one: _Watched) -> Iterator[RateChange | Stated]:
        held = held_against(one.counts, one.alone, one.dependence)
        if one.pair.sides[0].table in ENTITIES and context.mode == "days":
            first = _first_ever(held)
            if first is not None:
                yield first
                return
        limits = RateLimits(self.params.min_rate_change, self.params.min_ratio, only_up=True)
        found = {change.slice_index: change for change in rate_gate(held, [_RATE], limits)}
        if one.dependence.is_identity:  # else a single popular item may be a rightful exception
            found = {change.slice_index: change for change in rare_gate(held, _RATE, limits)} | found
        own = {side.column for side in one.pair.sides}
        yield from (one for one in widest(found[index] for index in sorted(found)) if one.slice.dimension not in own)

    def _findings(self, context: Context, found: Sequence[tuple[_Watched, RateChange | Stated]]) -> Iterator[Finding]:
        """One of each column and slice: a column that parts from several others is told of once."""
        parted = Counter(side for one in {id(one): one for one, _ in found}.values() for side in one.pair.sides)
        told = set()
        for one, change in found:
            place = moved(one.alone, one.dependence)
            side = max(one.pair.sides, key=parted.__getitem__) if place is None else one.pair.sides[place]
            if (side, change.slice) not in told:
                told.add((side, change.slice))
                yield self._finding(context, one, change, side, is_sure=place is not None)

    def _finding(
        self, context: Context, one: _Watched, change: RateChange | Stated, side: Side, *, is_sure: bool
    ) -> Finding:
        own = own_slice(context.schema, change.slice) if one.pair.sides[0].table == "candidates" else change.slice
        return finding_of(
            self.meta, context, replace(change, slice=own),
            table=side.table, column=side.column, statistic=_RATE.name, threshold=self.params.min_rate_change,
            stage="feature" if side.table == "candidates" else "upstream",
            headline=_headline(context, one, change, ".".join(side) if is_sure else ""),
            query=agreement_query(context, one.pair, one.dependence, own),
        )  # fmt: skip


def _counted(pair: Pair) -> tuple[Cells, Cells, Cells]:
    """The pair, and either column alone."""
    one, two = pair.names
    return (
        Cells(pair.counted, one, "frequencies", pair=two),
        Cells(pair.counted, one, "frequencies"),
        Cells(pair.counted, two, "frequencies"),
    )


def _first_ever(held: CellContrast) -> Stated | None:
    """A break of what never broke, over all entities; without a p-value, since nothing is known of its chance."""
    before, now = held.reference[:, 0], held.current[:, 0].sum(axis=0)
    n_before, n_days = int(before[:, [KEPT, BROKEN]].sum()), int(np.count_nonzero(before[:, KEPT]))
    k, n = int(now[BROKEN]), int(now[BROKEN] + now[KEPT])
    if not k or before[:, BROKEN].any() or n_days < NEVER_DAYS or n_before < max(NEVER_IN, _NEVER_OF * n_days):
        return None
    interval = clopper_pearson_interval(k, n)
    return Stated(
        EVERYTHING, k / n, max(1.0, float(k)), n, float(interval.low), float(interval.high),
        n_reference=n_before, series=(*([0.0] * n_days), k / n),
    )  # fmt: skip


def _headline(context: Context, one: _Watched, change: RateChange | Stated, mover: str) -> str:
    (table, column), (other, second) = one.pair.sides
    who = f"{column} and {second} of {table}" if table == other else f"{table}.{column} and {other}.{second}"
    how_many = f"in {percent(change.value)} of rows, {before(context)} {percent(change.reference)}"
    if change.p_value is None:
        n_broken = round(change.value * change.n_current)
        how_many = f"in {n_broken} of {change.n_current:,} rows, which never happened before"
    example = likeliest_break(one.counts, one.dependence, one.counts.slices.index(change.slice))
    mostly = f"; mostly {example[0]!r} with {example[1]!r}" if example is not None else ""
    which = f"; it is {mover} that moved" if mover else ""
    return f"{who} disagree {how_many}{mostly}{which}"
