"""Values that change every day and suddenly stand still: a snapshot that was not taken, a job that copied yesterday's."""

from __future__ import annotations

from collections.abc import Iterator

from recsysops.profiles.history import Context, History
from recsysops.profiles.measures import Measure
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Rate, Verdict
from recsysops.triage.evidence import before, finding_of, percent
from recsysops.triage.findings import Finding, Looked
from recsysops.triage.rate_gate import RateChange, RateLimits, rate_gate
from recsysops.triage.steps import ENTITY, MISSING, Stepped, cells_named, step_query, step_rate, stepped, without_steps


class StuckFeature:
    """A value that changes every day stands still.

    Signals:
        ``same_rate``: entities whose value is exactly yesterday's, over all that have one on both days, in [0, 1]; higher is
        worse. When everything in a table that usually moves stands still, one finding tells it of the table.
    Parameters:
        min_rate_change: least rise of the share that stands still, default 0.1; min_changing: share of entities that must
        change on a usual day for a feature to be watched, default 0.02.
    Needs:
        item_features or member_features with as_of, one row per entity and day.
    Blind spots:
        Features that hardly ever change; snapshots less often than daily; a feature that is stuck from the first day on.
    Example:
        >>> from recsysops.testing.example_features import example_features, stuck
        >>> from recsysops.testing.example_log import findings
        >>> [found.headline for found in findings(StuckFeature(), stuck(example_features(), "item_features", "plays_1d"))]
        ['plays_1d of 100 % of items is exactly what it was the day before, before 13.9 %']

    Source:
        Three gates of ``recsysops.triage.rate_gate``.
    """

    meta = DetectorMeta("INP113", "input.stuck_feature", ("item_features", "member_features"), "warning", "upstream")

    class Params(Parameters):
        """Floors of ``input.stuck_feature``."""

        min_rate_change: Rate = 0.1
        min_changing: Rate = 0.02

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
        moving: dict[str, int] = {}
        stuck: dict[str, list[tuple[Stepped, RateChange]]] = {}
        for one in watched:
            contrast = history.cells(one.measure)
            rate = (
                step_rate(contrast, "same_rate", cells_named(contrast, "same"), without=MISSING) if contrast else None
            )
            if contrast is None or rate is None or not rate.flagged:
                continue
            reference = contrast.reference[:, 0].sum(axis=0)
            changing = 1.0 - reference[list(rate.flagged)].sum() / max(1, reference[list(rate.of)].sum())
            if changing < self.params.min_changing:
                continue
            moving[one.base] = moving.get(one.base, 0) + 1
            limits = RateLimits(min(self.params.min_rate_change, 0.8 * changing), only_up=True)
            stuck.setdefault(one.base, []).extend((one, change) for change in rate_gate(contrast, [rate], limits))
        for base, found in stuck.items():
            yield from self._findings(context, base, found, moving[base])
        yield Looked(
            self.meta.name, sum(moving.values()), f"steps of {sum(moving.values())} features", sum(moving.values())
        )

    def _findings(
        self, context: Context, base: str, found: list[tuple[Stepped, RateChange]], n_moving: int
    ) -> Iterator[Finding]:
        if not found:
            return
        still = [one for one in found if one[1].value >= 0.999]
        if n_moving > 1 and len(still) == n_moving:
            one, change = min(still, key=lambda pair: pair[1].p_value)
            yield self._finding(context, base, "", one, change,
                                f"all of {base} is exactly what it was the day before: {n_moving} features that change every day")  # fmt: skip
            return
        for one, change in found:
            yield self._finding(
                context, base, one.column, one, change,
                f"{one.column} of {percent(change.value)} of {ENTITY[base]} is exactly what it was the day before, "
                f"{before(context)} {percent(change.reference)}",
            )  # fmt: skip

    def _finding(
        self, context: Context, base: str, column: str, one: Stepped, change: RateChange, headline: str
    ) -> Finding:
        return finding_of(
            self.meta, context, change,
            table=base, column=column, statistic="same_rate", threshold=self.params.min_rate_change,
            headline=headline, query=step_query(context, base, one.column),
        )  # fmt: skip
