"""Silent defaults: values that upstream or serving put where the real one was missing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from recsysops.profiles.history import CellContrast, History, SampleContrast
from recsysops.profiles.measures import KeyedSample, Measure
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Column, Schema, TableSchema
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Rate, Verdict
from recsysops.triage.evidence import before, finding_of, literal, percent, rate_query, without_reference
from recsysops.triage.findings import Finding, Looked
from recsysops.triage.rate_gate import Rate as CellRate
from recsysops.triage.rate_gate import RateChange, RateLimits, rate_gate
from recsysops.triage.sudden_atom import sudden_atom
from recsysops.triage.watched import IDS, SCORES, cells_of, clocked, columns_of

ATOMS = (0.0, -1.0)
FILLERS = frozenset(
    {"", "unknown", "unk", "none", "null", "nan", "n/a", "na", "default", "other", "-1", "0", "missing", "undefined"}
)


class DefaultFill:
    """A column is being filled with its default.

    Signals:
        ``default_rate``: rows holding the declared default (or flagged by the mask column) over all rows;
        ``zero_rate``, ``minus_one_rate``: rows equal to 0 or −1; ``filler_rate``: rows holding a word such as '' or
        'unknown'; ``repeated_value_rate``: requests of a sample whose value is one that hardly ever occurred, as
        when missing values are replaced by their mean. All in [0, 1]; higher is worse; only rises are reported.
    Parameters:
        min_rate_change: least rise in points of rate, default 0.005; min_ratio: a rate that grows this many times,
        default 2, needs a fifth of that.
        min_repeated_rate: least share of one new value, default 0.01.
    Needs:
        Any table with a clock. Declare ``default:`` or ``mask:`` for columns whose default is another value.
    Blind spots:
        Defaults that were always there; defaults drawn at random; a new repeated value in a slice only, and in columns
        with few distinct values (``input.distribution_shift`` sees those).
    Example:
        >>> from recsysops.testing.example_log import example_log, findings
        >>> log = example_log().set("candidates", "feature_0", 0.0, rate=0.05)
        >>> [found.headline for found in findings(DefaultFill(), log) if found.statistic == "zero_rate"][0]
        'feature_0 is 0 in 5.7 % of rows, before 0 %'

    Source:
        Three gates of ``recsysops.triage.rate_gate``.
    """

    meta = DetectorMeta(
        "INP104",
        "input.default_fill",
        ("candidates", "outcomes", "items", "item_features", "member_features"),
        "warning",
        "feature",
        tiers=("fast", "daily"),
    )

    class Params(Parameters):
        """Floors of ``input.default_fill``."""

        min_rate_change: Rate = 0.005
        min_ratio: Positive = 2.0
        min_repeated_rate: Rate = 0.01

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        for table in clocked(schema, self.meta.watches):
            for column in columns_of(table, IDS | SCORES):
                yield cells_of(table, column)
            yield from _samples(table)

    def judge(self, history: History) -> Iterator[Verdict]:
        skipped = without_reference(self.meta, history.context)
        if skipped is not None:
            yield skipped
            return
        n_series = n_whole = n_columns = 0
        limits = RateLimits(self.params.min_rate_change, self.params.min_ratio, only_up=True)
        for table in clocked(history.context.schema, self.meta.watches):
            for column in columns_of(table, IDS | SCORES):
                contrast = history.cells(cells_of(table, column))
                if contrast is not None:
                    rates = default_rates(contrast, column)
                    n_series, n_columns = n_series + len(rates) * len(contrast.slices), n_columns + bool(rates)
                    n_whole += len(rates)
                    for change in rate_gate(contrast, rates, limits):
                        yield self._finding(history, table.table, column, change)
            for measure in _samples(table):
                sample = history.sample(measure)
                if sample is not None:
                    n_series, n_whole = n_series + len(sample.columns), n_whole + len(sample.columns)
                    yield from self._repeated(history, table.table, sample)
        yield Looked(self.meta.name, n_series, f"default values of {n_columns} columns", n_whole)

    def _finding(self, history: History, table: str, column: Column, change: RateChange) -> Finding:
        context, (statistic, _, value) = history.context, change.rate.name.partition(" ")
        name = quote_identifier(column.name)
        condition = f"{name} = {value or literal(column.default if column.default is not None else 0.0)}"
        if statistic == "default_rate" and column.mask:
            condition = quote_identifier(column.mask)
        said = f"is {value}" if value else "holds its default"
        return finding_of(
            self.meta,
            context,
            change,
            table=table,
            column=column.name,
            statistic=statistic,
            threshold=self.params.min_rate_change,
            severity="critical" if change.value - change.reference >= 0.5 else "warning",
            stage="feature" if table == "candidates" else "upstream",
            headline=f"{column.name} {said} in {percent(change.value)} of rows, {before(context)} {percent(change.reference)}",
            query=rate_query(context, table, change.slice, condition),
        )

    def _repeated(self, history: History, table: str, sample: SampleContrast) -> Iterator[Finding]:
        context = history.context
        for index, column in enumerate(sample.columns):
            n_days, floor = max(1, len(context.reference_days)), self.params.min_repeated_rate
            atom = sudden_atom(sample.reference[:, index], sample.current[:, index], floor, n_days=n_days)
            if atom is None or atom.number in ATOMS:
                continue
            yield finding_of(
                self.meta,
                context,
                atom,
                table=table,
                column=column,
                statistic="repeated_value_rate",
                threshold=self.params.min_repeated_rate,
                stage="feature" if table == "candidates" else "upstream",
                headline=f"{column} is exactly {atom.number:.6g} in {percent(atom.value)} of sampled requests, "
                f"{before(context)} {percent(atom.reference)}",
                query=rate_query(context, table, atom.slice, f"{quote_identifier(column)} = {atom.number!r}"),
            )


def default_rates(contrast: CellContrast, column: Column) -> list[CellRate]:
    """What can be a default in this column; the part of a name after the space is the value as SQL."""
    rates = []
    if column.default is not None or column.mask is not None:
        rates.append(CellRate("default_rate", (contrast.cell("defaulted"),)))
    if contrast.edges is None:
        words = [cell for cell in contrast.cells[contrast.n_specials :] if cell.strip().lower() in FILLERS]
        return rates + [
            CellRate(f"filler_rate {literal(word)}", (contrast.cells.index(word, contrast.n_specials),))
            for word in words
        ]
    for value, name in zip(ATOMS, ("zero_rate 0", "minus_one_rate -1"), strict=True):
        place = np.flatnonzero(contrast.edges == value)
        if len(place) and value != column.default:
            rates.append(CellRate(name, (contrast.n_specials + int(place[0]),)))
    return rates


def _samples(table: TableSchema) -> Iterator[KeyedSample]:
    names = tuple(column.name for column in table.features if column.kind == "numeric")
    if names:
        yield KeyedSample(table.table, names)
