"""Entities that lost a value which they had the day before: it is missing now, or zero."""

from __future__ import annotations

from collections.abc import Iterator

from recsysops.profiles.history import CellContrast, History
from recsysops.profiles.measures import Measure
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Rate, Verdict
from recsysops.triage.evidence import before, finding_of, percent
from recsysops.triage.findings import Looked
from recsysops.triage.rare_events import rare_gate
from recsysops.triage.rate_gate import Rate as CellRate
from recsysops.triage.rate_gate import RateLimits
from recsysops.triage.steps import ENTITY, cells_named, step_query, step_rate, stepped, without_steps

_SAID = {"gone_rate": "missing", "zeroed_rate": "0"}


class ValueLoss:
    """Items or members lost a value that they had the day before.

    Signals:
        ``gone_rate``: entities whose value is missing and was not, over all that had one; ``zeroed_rate``: entities whose number
        became 0. In [0, 1]; higher is worse. Entities count once, however often they are shown or ask.
    Parameters:
        min_rate_change: least rise of either share, default 0.003; min_ratio: growth that needs a fifth of it, default 2.
    Needs:
        item_features or member_features with as_of, one row per entity and day.
    Blind spots:
        The days after the loss (see ``input.missing_rate``, ``input.default_fill``); entities that vanish altogether; numbers
        that are often 0 anyway.
    Example:
        >>> from recsysops.testing.example_features import example_features
        >>> from recsysops.testing.example_log import findings
        >>> log = example_features().set("member_features", "minutes_7d", None, rate=0.03)
        >>> [found.headline for found in findings(ValueLoss(), log)]
        ['minutes_7d of 2.7 % of members is missing and was not the day before; usually 0 %']

    Source:
        Przyborowski & Wilenski (1940) for rare counts.
    """

    meta = DetectorMeta("INP117", "input.value_loss", ("item_features", "member_features"), "warning", "upstream")

    class Params(Parameters):
        """Floors of ``input.value_loss``."""

        min_rate_change: Rate = 0.003
        min_ratio: Positive = 2.0

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
        n_series = 0
        limits = RateLimits(self.params.min_rate_change, self.params.min_ratio)
        for one in watched:
            contrast = history.cells(one.measure)
            if contrast is None:
                continue
            for rate in _rates(contrast, one.kind):
                n_series += 1
                for change in rare_gate(contrast, rate, limits):
                    yield finding_of(
                        self.meta, context, change,
                        table=one.base, column=one.column, statistic=rate.name, threshold=self.params.min_rate_change,
                        headline=f"{one.column} of {percent(change.value)} of {ENTITY[one.base]} is {_SAID[rate.name]} and was "
                        f"not the day before; {'usually' if context.mode == 'days' else before(context)} {percent(change.reference)}",
                        query=step_query(context, one.base, one.column),
                    )  # fmt: skip
        yield Looked(self.meta.name, n_series, f"losses of {len(watched)} features", n_series)


def _rates(contrast: CellContrast, kind: str) -> Iterator[CellRate]:
    yield step_rate(contrast, "gone_rate", cells_named(contrast, "gone"), without=("appeared",))
    if kind == "numeric":
        yield step_rate(contrast, "zeroed_rate", cells_named(contrast, "zeroed"), without=("appeared", "gone"))
