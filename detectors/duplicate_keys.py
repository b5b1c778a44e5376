"""Rows written twice: double delivery, a retried job, a join that multiplied."""

from __future__ import annotations

from collections.abc import Iterator

from recsysops.profiles.history import CellContrast, History
from recsysops.profiles.measures import Measure, PerRequest
from recsysops.statistics.proportions import clopper_pearson_interval
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Schema, TableSchema
from recsysops.tables.views.contracts import CONTRACTS
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Rate, Verdict
from recsysops.triage.evidence import Change, Stated, before, finding_of, percent, where
from recsysops.triage.findings import Finding, Looked
from recsysops.triage.rate_gate import Rate as CellRate
from recsysops.triage.rate_gate import RateLimits, rate_gate
from recsysops.triage.watched import clocked


class DuplicateKeys:
    """The same row was written more than once.

    Signals:
        ``duplicate_row_rate``: rows beyond the first of their key over all rows, in [0, 1]; higher is worse.
    Parameters:
        min_rate_change: least rise in points of rate, default 0.001; min_ratio: a rate that grows this many times,
        default 2, needs a fifth of that; max_rate: with no day to compare with, the rate
        above which duplicates are reported at all, default 0.005.
    Needs:
        A table with a clock and at least one of its key roles; one row = one key of the contract.
    Blind spots:
        Duplicates in different partitions or requests; rows that differ in one key column only.
    Example:
        >>> from recsysops.testing.example_log import example_log, findings
        >>> log = example_log().repeat("candidates", rate=0.02)
        >>> findings(DuplicateKeys(), log)[0].headline
        'request_id, item_id, position repeat in 2.4 % of rows, before 0 %'

    Source:
        Three gates of ``recsysops.triage.rate_gate``; Clopper & Pearson (1934) on the first day.
    """

    meta = DetectorMeta(
        "INP107",
        "input.duplicate_keys",
        ("candidates", "outcomes", "items", "item_features", "member_features"),
        "warning",
        "logging",
    )

    class Params(Parameters):
        """Floors of ``input.duplicate_keys``."""

        min_rate_change: Rate = 0.001
        min_ratio: Positive = 2.0
        max_rate: Rate = 0.005

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        for table in clocked(schema, self.meta.watches):
            keys = key_columns(table)
            if keys:
                yield PerRequest(table.table, "duplicate_key", keys)

    def judge(self, history: History) -> Iterator[Verdict]:
        n_series, tables = 0, []
        for measure in self.measures(history.context.schema):
            contrast = history.cells(measure) if isinstance(measure, PerRequest) else None
            if contrast is None or not isinstance(measure, PerRequest):
                continue
            n_series += len(contrast.slices)
            tables.append(measure.table)
            for change in self._changes(contrast):
                yield self._finding(history, measure, change)
        yield Looked(self.meta.name, n_series, f"repeated keys of {', '.join(tables) or 'no table'}", len(tables))

    def _changes(self, contrast: CellContrast) -> Iterator[Change]:
        rows, flagged = contrast.cell("rows"), contrast.cell("flagged_rows")
        if contrast.reference[:, 0, rows].sum() > 0:
            rate = CellRate("duplicate_row_rate", (flagged,), (rows,))
            yield from rate_gate(
                contrast, [rate], RateLimits(self.params.min_rate_change, self.params.min_ratio, only_up=True)
            )
            return
        counts = contrast.current[:, 0].sum(axis=0)
        n, k = int(counts[rows]), int(counts[flagged])
        interval = clopper_pearson_interval(k, max(1, n))
        if float(interval.low) > self.params.max_rate:
            low, high = float(interval.low), float(interval.high)
            yield Stated(contrast.slices[0], k / n, k / n / self.params.max_rate, n, low, high, series=(k / n,))

    def _finding(self, history: History, measure: PerRequest, change: Change) -> Finding:
        context, names = history.context, ", ".join(measure.columns)
        keys = ", ".join(quote_identifier(column) for column in measure.columns)
        compared = f", {before(context)} {percent(change.reference)}" if change.n_reference else ""
        return finding_of(
            self.meta,
            context,
            change,
            table=measure.table,
            statistic="duplicate_row_rate",
            threshold=self.params.min_rate_change if change.n_reference else self.params.max_rate,
            severity="critical" if change.value >= 0.25 else "warning",
            stage="logging" if measure.table in ("candidates", "outcomes") else "upstream",
            headline=f"{names} repeat in {percent(change.value)} of rows{compared}",
            query=f"SELECT {keys}, count(*) AS n FROM {quote_identifier(measure.table)} "
            f"{where(context, measure.table, change.slice)} GROUP BY {keys} HAVING count(*) > 1 ORDER BY n DESC LIMIT 20",
        )


def key_columns(table: TableSchema) -> tuple[str, ...]:
    """The columns that play the key roles of the contract, as far as the table has them.

    Without the item, or the time of a row of features, the rest does not identify a row and nothing is returned.
    """
    contract = CONTRACTS[table.table]
    roles = {role: column.name for role in contract.key if (column := table.role(role)) is not None}
    is_identified = all(role in roles for role in contract.required if role in contract.key)
    is_by_request = "request_id" not in contract.key or "request_id" in roles
    return tuple(roles.values()) if is_identified and is_by_request else ()
