"""Values that jump by the factor between two units, and values that lost their precision."""

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
from recsysops.triage.steps import ENTITY, MISSING, cells_named, step_query, step_rate, stepped, without_steps


class UnitChange:
    """A number is sent in another unit, or with fewer digits.

    Signals:
        ``unit_step_rate``: entities whose number is 10, 24, 60, 100, 1000 … times what it was the day before, or that part of it,
        within a fifth; ``nudged_rate``: entities whose number moved by a millionth of itself, or whose time by two minutes, as when it
        passes through a 32-bit float. Over all entities with a value on both days, in [0, 1]; higher is worse.
    Parameters:
        min_rate_change: least rise of either share, default 0.003; min_ratio: growth that needs a fifth of it, default 3.
    Needs:
        item_features or member_features with as_of, one row per entity and day.
    Blind spots:
        The days after the change; other factors (see ``input.distribution_shift``); numbers of which most entities have 0.
    Example:
        >>> from recsysops.testing.example_features import example_features
        >>> from recsysops.testing.example_log import findings
        >>> log = example_features().scale("member_features", "minutes_7d", by=60, rate=0.05)
        >>> [found.headline for found in findings(UnitChange(), log)]
        ['minutes_7d of 4.8 % of members is 60 times what it was the day before, such steps before 0 %']

    Source:
        Przyborowski & Wilenski (1940) for rare counts.
    """

    meta = DetectorMeta("INP112", "input.unit_change", ("item_features", "member_features"), "warning", "feature")

    class Params(Parameters):
        """Floors of ``input.unit_change``."""

        min_rate_change: Rate = 0.003
        min_ratio: Positive = 3.0

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        yield from (one.measure for one in stepped(schema) if one.kind in ("numeric", "timestamp"))

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        watched = [one for one in stepped(context.schema) if one.kind in ("numeric", "timestamp")]
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
                    said = _said(contrast, rate)
                    yield finding_of(
                        self.meta, context, change,
                        table=one.base, column=one.column, statistic=rate.name, threshold=self.params.min_rate_change,
                        headline=f"{one.column} of {percent(change.value)} of {ENTITY[one.base]} is {said} the day before, "
                        f"such steps {before(context)} {percent(change.reference)}",
                        query=step_query(context, one.base, one.column),
                    )  # fmt: skip
        yield Looked(self.meta.name, n_series, f"steps of {len(watched)} numbers and times", n_series)


def _rates(contrast: CellContrast, kind: str) -> Iterator[CellRate]:
    if kind == "numeric":
        flagged = cells_named(contrast, prefixes=("times ", "over "))
        yield step_rate(contrast, "unit_step_rate", flagged, without=MISSING)
    yield step_rate(contrast, "nudged_rate", cells_named(contrast, "nudged"), without=MISSING)


def _said(contrast: CellContrast, rate: CellRate) -> str:
    """The commonest of the steps: ``60 times what it was``."""
    if rate.name == "nudged_rate":
        return "a hair beside what it was"
    now = contrast.current[:, 0].sum(axis=0)
    sign, _, unit = contrast.cells[max(rate.flagged, key=lambda cell: int(now[cell]))].partition(" ")
    return f"{int(unit):,} times what it was" if sign == "times" else f"a {int(unit):,}th of what it was"
