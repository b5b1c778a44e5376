"""Categories that are new, gone, or hold another share than before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from recsysops.profiles.history import CellContrast, Counts, History
from recsysops.profiles.measures import Cells, Measure
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Column, Schema, TableSchema
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Rate, Verdict
from recsysops.triage.evidence import before, finding_of, literal, percent, rate_query, where, without_reference
from recsysops.triage.findings import Finding, Looked, Skipped
from recsysops.triage.rate_gate import Rate as CellRate
from recsysops.triage.rate_gate import RateChange, RateLimits, rate_gate
from recsysops.triage.shape_gate import MIN_CLUSTERS, ShapeChange, ShapeLimits, shape_gate
from recsysops.triage.watched import IDS, clocked, columns_of

_MIN_NAMED = 0.2
"""Where the top categories hold less of the rows, values are nearly all different and shares mean nothing."""


class CategoryChange:
    """A category is new, has vanished, or has another share than before.

    Signals:
        ``new_rate``: rows with a value never seen in the reference, over rows with a value; ``vanished_rate``: share that
        a category had that has no row left; ``category_rate``: share of the category that changed most; ``psi``:
        stability index over all categories beyond chance, nats. Shares in [0, 1]; higher is worse for all but shares.
    Parameters:
        min_new_rate: default 0.005; min_share_change: default 0.02 points of rate, or a share that doubles or halves
        by a fifth of it; min_psi: default 0.05 nats.
    Needs:
        Categorical and boolean features, roles and slices of any table with a clock.
    Blind spots:
        Columns whose values are nearly all different; which category a row should have had; new values fewer than the
        rare ones of a long tail, while only days that the categories were learnt from are reference.
    Example:
        >>> from recsysops.testing.example_log import example_log, findings
        >>> log = example_log().set("candidates", "genre", "Drama", rate=0.03)
        >>> findings(CategoryChange(), log)[0].headline
        'genre has values never seen before in 3.5 % of rows, before 0 %'

    Source:
        Three gates of ``recsysops.triage``; Good (1953) for the share of unseen values; Yurdakul & Naranjo (2020) for PSI's chance level.
    """

    meta = DetectorMeta(
        "INP106",
        "input.category_change",
        ("candidates", "outcomes", "items", "item_features", "member_features"),
        "warning",
        "feature",
        yields_to_plans=True,
    )

    class Params(Parameters):
        """Floors of ``input.category_change``."""

        min_new_rate: Rate = 0.005
        min_share_change: Rate = 0.02
        min_psi: Positive = 0.05

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        for table in clocked(schema, self.meta.watches):
            for column in _categories(table):
                yield Cells(table.table, column.name, "frequencies")

    def judge(self, history: History) -> Iterator[Verdict]:
        skipped = without_reference(self.meta, history.context)
        if skipped is not None:
            yield skipped
            return
        n_series = n_whole = n_columns = 0
        for table in clocked(history.context.schema, self.meta.watches):
            for column in _categories(table):
                contrast = history.cells(Cells(table.table, column.name, "frequencies"))
                if contrast is None or not contrast.reference[:, 0, 1:].any():
                    continue
                if named_share(contrast) < _MIN_NAMED:
                    reason = "nearly every row has a value of its own"
                    yield Skipped(self.meta.name, "not_applicable", reason, table.table, column.name)
                    continue
                n_compared = len(contrast.cells) - contrast.n_specials + 2
                n_series, n_whole = n_series + n_compared * len(contrast.slices), n_whole + n_compared
                n_columns += 1
                yield from self._judge(history, table.table, column.name, contrast)
        yield Looked(self.meta.name, n_series, f"categories of {n_columns} columns", n_whole)

    def _judge(self, history: History, table: str, column: str, contrast: CellContrast) -> Iterator[Finding]:
        valued = tuple(range(1, len(contrast.cells)))
        new = CellRate("new_rate", (contrast.cell("new"),), valued)
        for change in rate_gate(contrast, [new], RateLimits(self.params.min_new_rate, only_up=True)):
            if change.slice.dimension != column and change.value > rare_share(contrast, change.slice_index):
                yield self._finding(history, table, column, change, "new_rate", contrast)
        named = range(contrast.n_specials, len(contrast.cells))
        shares = [CellRate(contrast.cells[index], (index,), valued) for index in named]
        told = set()
        limits = RateLimits(self.params.min_share_change, min_clusters=MIN_CLUSTERS)
        for change in _strongest(rate_gate(contrast, shares, limits)):
            if change.slice.dimension != column:
                told.add(change.slice)
                statistic = "vanished_rate" if change.value == 0 else "category_rate"
                yield self._finding(history, table, column, change, statistic, contrast)
        known = tuple(range(contrast.cell("other"), len(contrast.cells)))
        for shape in shape_gate(rare_as_one(contrast), known, ShapeLimits(psi=self.params.min_psi)):
            if shape.slice not in told and shape.slice.dimension != column:
                yield self._finding(history, table, column, shape, "psi", contrast)

    def _finding(
        self,
        history: History,
        table: str,
        column: str,
        change: RateChange | ShapeChange,
        statistic: str,
        contrast: CellContrast,
    ) -> Finding:
        context, name = history.context, quote_identifier(column)
        compared = f"{percent(change.value)} of rows, {before(context)} {percent(change.reference)}"
        seen = ", ".join(literal(cell) for cell in contrast.cells[contrast.n_specials :][:50])
        query = (
            f"SELECT {name}, count(*) AS n FROM {quote_identifier(table)} {where(context, table, change.slice)} "
            f"GROUP BY 1 ORDER BY n DESC LIMIT 50"
        )
        headline = f"the shares of {column} changed (psi {change.value:.3g})"
        threshold = self.params.min_psi
        if isinstance(change, RateChange):
            is_new, category = statistic == "new_rate", change.rate.name
            threshold = self.params.min_new_rate if is_new else self.params.min_share_change
            said = f"{column} has values never seen before in" if is_new else f"{column} is {category!r} in"
            headline = f"{said} {compared}"
            condition = f"{name} NOT IN ({seen})" if is_new else f"CAST({name} AS VARCHAR) = {literal(category)}"
            query = query if is_new else rate_query(context, table, change.slice, condition)
        return finding_of(
            self.meta, context, change,
            table=table, column=column, statistic=statistic, threshold=threshold,
            stage="feature" if table == "candidates" else "upstream", headline=headline, query=query,
        )  # fmt: skip


def named_share(contrast: CellContrast) -> float:
    """Share of the reference's values that are among the top categories; 0 when hardly any value repeats."""
    counts = contrast.reference[:, 0].sum(axis=0)
    named = counts[contrast.n_specials :]
    if not len(named) or named.max() <= 0.001 * counts[1:].sum() or np.median(named) <= 2:
        return 0.0
    return float(named.sum() / max(1, counts[1:].sum()))


def rare_as_one(contrast: CellContrast) -> CellContrast:
    """New and other values in one cell: which of the two a rare value is depends on when the categories were learnt."""
    new, other = contrast.cell("new"), contrast.cell("other")

    def joined(counts: Counts) -> Counts:
        counts = counts.copy()
        counts[..., other] += counts[..., new]
        counts[..., new] = 0
        return counts

    return replace(
        contrast,
        reference=joined(contrast.reference),
        current=joined(contrast.current),
        load_buckets=lambda window, index: joined(contrast.load_buckets(window, index)),
    )


def rare_share(contrast: CellContrast, slice_index: int) -> float:
    """What may be new without anything being wrong, while the known categories were learnt from the reference itself.

    A long tail always brings values that were not seen yet: as many rows as the reference's values seen once (Good, 1953),
    which are at most its rare ones. As soon as a reference day had new values of its own, it tells, and this is 0.
    """
    counts = contrast.reference[:, slice_index].sum(axis=0)
    if contrast.reference[:, 0, contrast.cell("new")].any():
        return 0.0
    return float(counts[contrast.cell("other")] / max(1, counts[1:].sum()))


def _strongest(changes: Iterator[RateChange]) -> Iterator[RateChange]:
    """The category that changed most, one per slice."""
    best: dict[int, RateChange] = {}
    for change in changes:
        other = best.get(change.slice_index)
        if other is None or change.effect > other.effect:
            best[change.slice_index] = change
    return iter(best.values())


def _categories(table: TableSchema) -> Iterator[Column]:
    return (column for column in columns_of(table, IDS) if column.kind != "numeric")
