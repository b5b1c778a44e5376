"""Numbers whose distribution moved: centre, spread, or values far outside what was ever seen."""

from __future__ import annotations

from collections.abc import Iterator

from recsysops.profiles.history import History
from recsysops.profiles.measures import Cells, Measure
from recsysops.tables.schema import Column, Schema, TableSchema
from recsysops.triage.detector import DetectorMeta, Verdict
from recsysops.triage.evidence import without_reference
from recsysops.triage.findings import Looked
from recsysops.triage.number_shift import N_LOOKED, ShapeFloors, judge_numbers
from recsysops.triage.watched import IDS, SCORES, clocked, columns_of

_NOT_JUDGED = IDS | SCORES | frozenset({"override_generation", "sampling_rate"})


class DistributionShift:
    """A number is distributed unlike before.

    Signals:
        ``ks``: largest gap of the cumulative shares, in [0, 1]; ``psi``: population stability index beyond chance, nats;
        ``w1_over_iqr``: mean distance that rows moved, in reference interquartile ranges; ``tail_rate``: rows below the
        reference's 0.1 % or above its 99.9 % point, in [0, 1]; ``beyond_range_rate``: rows beyond all that was seen when
        the bins were frozen. Higher is worse in these. ``rank_shift``: chance that a row now exceeds one of the
        reference, minus a half; far from 0 on either side is worse.
    Parameters:
        min_ks, min_psi, min_w1_over_iqr, min_rank_shift: floors 0.03, 0.05 nats, 0.05 and 0.02, a quarter larger with one
        reference day;
        min_tail_change: least change in points of rate, default 0.005.
    Needs:
        Numeric features and roles of any table with a clock, at least 400 rows a day in the slice.
    Blind spots:
        Slow drift that the reference follows; shapes inside one bin (1/32 of the reference); a change of how columns go
        together. Scores are left to ``output.score_shift``.
    Example:
        >>> from recsysops.testing.example_log import example_log, findings
        >>> log = example_log().scale("candidates", "feature_1", by=100.0, rate=0.02)
        >>> {found.column for found in findings(DistributionShift(), log)}
        {'feature_1'}

    Source:
        Yurdakul & Naranjo (2020) for PSI's chance level; Mann & Whitney (1947) for ranks; Pitman (1937) for permutation, here of request buckets.
    """

    meta = DetectorMeta(
        "INP105",
        "input.distribution_shift",
        ("candidates", "outcomes", "items", "item_features", "member_features"),
        "warning",
        "feature",
        yields_to_plans=True,
    )

    class Params(ShapeFloors):
        """Floors of ``input.distribution_shift``."""

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        for table in clocked(schema, self.meta.watches):
            for column in _numbers(table):
                yield Cells(table.table, column.name, "histogram")

    def judge(self, history: History) -> Iterator[Verdict]:
        skipped = without_reference(self.meta, history.context)
        if skipped is not None:
            yield skipped
            return
        n_series = n_columns = 0
        for table in clocked(history.context.schema, self.meta.watches):
            for column in _numbers(table):
                contrast = history.cells(Cells(table.table, column.name, "histogram"))
                if contrast is not None:
                    n_series, n_columns = n_series + N_LOOKED * len(contrast.slices), n_columns + 1
                    yield from judge_numbers(
                        self.meta, history.context, table.table, column.name, contrast, self.params
                    )
        yield Looked(self.meta.name, n_series, f"distributions of {n_columns} numeric columns", N_LOOKED * n_columns)


def _numbers(table: TableSchema) -> Iterator[Column]:
    return (column for column in columns_of(table, _NOT_JUDGED) if column.kind == "numeric")
