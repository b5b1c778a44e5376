"""A feature that has one value where it had many."""

from __future__ import annotations

from collections.abc import Iterator

from recsysops.profiles.history import History
from recsysops.profiles.measures import Cells, Measure
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Rate, Verdict
from recsysops.triage.evidence import Stated, finding_of, percent, rate_query
from recsysops.triage.findings import Looked


class FrozenFeature:
    """A numeric feature suddenly has nearly one value only.

    Signals:
        ``largest_bin_rate``: rows in the fullest bin over all rows, in [0, 1]; higher is worse.
    Parameters:
        max_rate: report from this rate on, default 0.98, where every reference day was below half of it.
    Needs:
        ``candidates`` with numeric features.
    Blind spots:
        Features that were constant before.
    Example:
        >>> from recsysops.testing.example_log import example_log, findings
        >>> findings(FrozenFeature(), example_log().set("candidates", "feature_0", 1.5))[0].headline
        'feature_0 has one value in 100 % of rows'

    Source:
        A rule.
    """

    meta = DetectorMeta("EXA101", "example.frozen_feature", ("candidates",), "critical", "feature")

    class Params(Parameters):
        """When to speak."""

        max_rate: Rate = 0.98

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        table = schema.table("candidates")
        for column in table.features if table else ():
            if column.kind == "numeric":
                yield Cells("candidates", column.name, "histogram")

    def judge(self, history: History) -> Iterator[Verdict]:
        n_series = 0
        for measure in self.measures(history.context.schema):
            contrast = history.cells(measure) if isinstance(measure, Cells) else None
            if contrast is None or not isinstance(measure, Cells):
                continue
            n_series += 1
            bins = slice(contrast.n_specials, None)
            days = [counts[0, bins] for counts in (*contrast.reference, contrast.current.sum(axis=0))]
            *before, now = [float(day.max() / day.sum()) if day.sum() else 0.0 for day in days]
            if before and now >= self.params.max_rate and max(before) < 0.5 * self.params.max_rate:
                change = Stated(
                    contrast.slices[0],
                    now,
                    max(1.0, now / self.params.max_rate),
                    int(days[-1].sum()),
                    series=(*before, now),
                )
                yield finding_of(
                    self.meta,
                    history.context,
                    change,
                    table="candidates",
                    column=measure.column,
                    statistic="largest_bin_rate",
                    threshold=self.params.max_rate,
                    headline=f"{measure.column} has one value in {percent(now)} of rows",
                    query=rate_query(history.context, "candidates", change.slice, "true"),
                )
        yield Looked(self.meta.name, n_series, f"{n_series} features")
