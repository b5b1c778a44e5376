"""Missing values: NULL, NaN and infinity, each counted apart, in every column that matters."""

from __future__ import annotations

from collections.abc import Iterator

from recsysops.profiles.history import CellContrast, History
from recsysops.profiles.measures import Measure
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Rate, Verdict
from recsysops.triage.evidence import before, finding_of, percent, rate_query, without_reference
from recsysops.triage.findings import Finding, Looked, Severity, Skipped
from recsysops.triage.rate_gate import Rate as CellRate
from recsysops.triage.rate_gate import RateChange, RateLimits, rate_gate
from recsysops.triage.watched import SCORES, cells_of, clocked, columns_of

_SAID = {"null_rate": "NULL", "nan_rate": "NaN", "infinite_rate": "infinite"}
_SHOWN = {"null_rate": "{0} IS NULL", "nan_rate": "isnan({0})", "infinite_rate": "isinf({0})"}


class MissingRate:
    """A column is missing in more rows than usual.

    Signals:
        ``null_rate``, ``nan_rate``, ``infinite_rate``: rows over all rows of the slice, in [0, 1]; higher is worse. A fall
        is reported as information.
    Parameters:
        min_rate_change: least change in points of rate, default 0.005 (half a point); min_ratio: a rate that grows or
        shrinks this many times, default 2, needs a fifth of that.
    Needs:
        Any table with a clock; one row = one row of the table. Scores are left to ``output.invalid_scores``.
    Blind spots:
        Values that were filled before logging (see ``input.default_fill``); columns that were always missing;
        timestamps; a loss in single rows of a slice with few rows.
    Example:
        >>> from recsysops.testing.example_log import example_log, findings
        >>> log = example_log().set("candidates", "feature_0", None, rate=0.1)
        >>> [found.headline for found in findings(MissingRate(), log) if not found.slice.dimension]
        ['feature_0 is NULL in 10.6 % of rows, before 0 %']

    Source:
        Three gates of ``recsysops.triage.rate_gate``; Smyth (2004) for the moderated variance between days.
    """

    meta = DetectorMeta(
        "INP103",
        "input.missing_rate",
        ("candidates", "outcomes", "items", "item_features", "member_features"),
        "warning",
        "feature",
    )

    class Params(Parameters):
        """Floors of ``input.missing_rate``."""

        min_rate_change: Rate = 0.005
        min_ratio: Positive = 2.0

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        for table in clocked(schema, self.meta.watches):
            for column in columns_of(table, SCORES):
                yield cells_of(table, column)

    def judge(self, history: History) -> Iterator[Verdict]:
        skipped = without_reference(self.meta, history.context)
        if skipped is not None:
            yield skipped
            return
        n_series = n_whole = n_columns = 0
        limits = RateLimits(self.params.min_rate_change, self.params.min_ratio)
        for table in clocked(history.context.schema, self.meta.watches):
            for column in columns_of(table, SCORES):
                contrast = history.cells(cells_of(table, column))
                if contrast is None:
                    continue
                if _is_always_null(contrast):
                    reason = "NULL in every row, now as before"
                    yield Skipped(self.meta.name, "not_applicable", reason, table.table, column.name)
                    continue
                rates = _rates(contrast)
                n_series, n_columns = n_series + len(rates) * len(contrast.slices), n_columns + 1
                n_whole += len(rates)
                for change in rate_gate(contrast, rates, limits):
                    yield self._finding(history, table.table, column.name, change)
        yield Looked(self.meta.name, n_series, f"missing values of {n_columns} columns", n_whole)

    def _finding(self, history: History, table: str, column: str, change: RateChange) -> Finding:
        context, name = history.context, change.rate.name
        condition = _SHOWN[name].format(quote_identifier(column))
        return finding_of(
            self.meta,
            context,
            change,
            table=table,
            column=column,
            statistic=name,
            threshold=self.params.min_rate_change,
            severity=_severity(change),
            stage="feature" if table == "candidates" else "upstream",
            headline=f"{column} is {_SAID[name]} in {percent(change.value)} of rows, "
            f"{before(context)} {percent(change.reference)}",
            query=rate_query(context, table, change.slice, condition),
        )


def _severity(change: RateChange) -> Severity:
    if not change.is_up:
        return "info"
    return "critical" if change.value - change.reference >= 0.5 else "warning"


def _rates(contrast: CellContrast) -> list[CellRate]:
    rates = [CellRate("null_rate", (contrast.cell("null"),))]
    if contrast.edges is not None:
        rates.append(CellRate("nan_rate", (contrast.cell("nan"),)))
        rates.append(CellRate("infinite_rate", (contrast.cell("neg_inf"), contrast.cell("pos_inf"))))
    return rates


def _is_always_null(contrast: CellContrast) -> bool:
    null = contrast.cell("null")
    windows = (contrast.reference[:, 0], contrast.current[:, 0])
    return all(bool((counts.sum(axis=0)[null] == counts.sum()) and counts.sum() > 0) for counts in windows)
