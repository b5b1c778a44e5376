"""Attributes that never change, and changed: the entity's row holds somebody else's values."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from recsysops.profiles.history import CellContrast, Context, History
from recsysops.profiles.measures import Measure
from recsysops.profiles.slices import EVERYTHING
from recsysops.statistics.proportions import clopper_pearson_interval
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Rate, Verdict
from recsysops.triage.evidence import Stated, finding_of, percent
from recsysops.triage.findings import Finding, Looked
from recsysops.triage.rare_events import rare_gate
from recsysops.triage.rate_gate import Rate as CellRate
from recsysops.triage.rate_gate import RateChange, RateLimits, counted_rates
from recsysops.triage.request_rates import NEVER_DAYS, NEVER_IN
from recsysops.triage.steps import ENTITY, MISSING, Stepped, cells_named, step_query, step_rate, stepped, without_steps

_CALM = ("same", "nudged", *MISSING)
"""Steps that are no exchange; losses and small movements have findings of their own."""


class WrongEntity:
    """Attributes that never change have changed: rows of features are under the wrong keys.

    Signals:
        ``exchanged_rate``: entities of which an attribute changed that hardly ever does, over all that have it on both days, in
        [0, 1]; higher is worse. Of an attribute that never changed in 2,000 steps of entities on 5 days, one is
        enough. When several such attributes of a table changed alike, one finding tells it of the key.
    Parameters:
        min_rate_change: least rise of the share, default 0.002; max_changing: share of entities that may change on a usual
        day for an attribute to count as steady, default 0.002; min_ratio: growth that needs a fifth of the floor, default 3.
    Needs:
        item_features or member_features with as_of, one row per entity and day, with attributes such as a date of joining.
    Blind spots:
        The days after the exchange; tables of which every feature moves; keys that were always wrong.
    Example:
        >>> from recsysops.testing.example_features import example_features
        >>> from recsysops.testing.example_log import findings
        >>> log = example_features().set("item_features", "genre", "quiz", rate=0.05)
        >>> [found.headline for found in findings(WrongEntity(), log)]
        ['genre of 6.7 % of items has changed, of usually 0 %']

    Source:
        Przyborowski & Wilenski (1940) for rare counts.
    """

    meta = DetectorMeta(
        "INP118",
        "input.wrong_entity",
        ("item_features", "member_features"),
        "warning",
        "upstream",
        yields_to_plans=True,
    )

    class Params(Parameters):
        """Floors of ``input.wrong_entity``."""

        min_rate_change: Rate = 0.002
        max_changing: Rate = 0.002
        min_ratio: Positive = 3.0

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        yield from (one.measure for one in stepped(schema))

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        watched = list(stepped(context.schema))
        skipped = without_steps(self.meta, context, watched)
        if skipped is not None:
            yield skipped
            return
        n_steady = 0
        found: dict[str, list[tuple[Stepped, RateChange | Stated]]] = {}
        for one in watched:
            contrast = history.cells(one.measure)
            if contrast is None or not self._is_steady(contrast):
                continue
            n_steady += 1
            found.setdefault(one.base, []).extend((one, change) for change in self._changes(contrast))
        for base, changes in found.items():
            yield from self._findings(context, base, changes)
        yield Looked(self.meta.name, n_steady, f"{n_steady} attributes that hardly ever change", n_steady)

    def _is_steady(self, contrast: CellContrast) -> bool:
        counts = contrast.reference[:, 0].sum(axis=0)
        left_out = [contrast.cell("null"), *cells_named(contrast, *MISSING)]
        known = counts.sum() - counts[left_out].sum()
        calm = counts[list(cells_named(contrast, "same", "nudged"))].sum()
        return bool(known > 0 and known - calm <= self.params.max_changing * known)

    def _changes(self, contrast: CellContrast) -> Iterator[RateChange | Stated]:
        left_out = {contrast.cell("null"), *cells_named(contrast, *_CALM)}
        exchanged = tuple(index for index in range(len(contrast.cells)) if index not in left_out)
        rate = step_rate(contrast, "exchanged_rate", exchanged, without=MISSING)
        changes = list(rare_gate(contrast, rate, RateLimits(self.params.min_rate_change, self.params.min_ratio)))
        yield from changes or _first_ever(contrast, rate)

    def _findings(
        self, context: Context, base: str, found: list[tuple[Stepped, RateChange | Stated]]
    ) -> Iterator[Finding]:
        if len(found) > 1:
            names = ", ".join(one.column for one, _ in found[:4])
            one, change = min(found, key=lambda pair: pair[1].p_value or 0.0)
            yield self._finding(
                context, base, "", one, change,
                f"{names} of {percent(change.value)} of {ENTITY[base]} have changed, which hardly ever do: "
                f"their rows may be somebody else's",
            )  # fmt: skip
            return
        for one, change in found:
            said = f"{one.column} of {percent(change.value)} of {ENTITY[base]} has changed, of usually {percent(change.reference)}"
            if change.p_value is None:
                n_changed = round(change.value * change.n_current)
                said = f"{one.column} of {n_changed} of {change.n_current:,} {ENTITY[base]} has changed, which never happened before"
            yield self._finding(context, base, one.column, one, change, said)

    def _finding(
        self, context: Context, base: str, column: str, one: Stepped, change: RateChange | Stated, headline: str
    ) -> Finding:
        return finding_of(
            self.meta, context, change,
            table=base, column=column, statistic="exchanged_rate", threshold=self.params.min_rate_change,
            headline=headline, query=step_query(context, base, one.column),
        )  # fmt: skip


def _first_ever(contrast: CellContrast, rate: CellRate) -> Iterator[Stated]:
    """A change of what has never changed, over all entities; without a p-value, since nothing is known of its chance."""
    before, now = (counted_rates(counts[:, :1], [rate]) for counts in (contrast.reference, contrast.current))
    (k, n), (k_before, n_before) = ((float(one.sum()) for one in counts) for counts in (now, before))
    n_days = int(np.count_nonzero(before[1].sum(axis=(1, 2))))
    if k >= 1 and k_before == 0 and n_before >= NEVER_IN and n_days >= NEVER_DAYS:
        interval = clopper_pearson_interval(int(k), int(n))
        yield Stated(
            EVERYTHING, k / n, max(1.0, k), int(n), float(interval.low), float(interval.high),
            n_reference=int(n_before), series=(*([0.0] * n_days), k / n),
        )  # fmt: skip
