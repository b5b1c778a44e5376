"""Outcomes that are worth far less, or far more, than before: labels that were flipped, cut or changed their unit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from recsysops.profiles.history import CellContrast, Context, History
from recsysops.profiles.measures import Cells, Measure
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Rate, Verdict
from recsysops.triage.evidence import before, finding_of, percent, without_reference
from recsysops.triage.findings import Finding, Looked, Skipped
from recsysops.triage.own_names import own_slice, role_column
from recsysops.triage.rate_gate import Rate as CellRate
from recsysops.triage.rate_gate import RateChange, RateLimits, rate_gate
from recsysops.triage.shown import chosen, named, under_own_name
from recsysops.triage.widest import widest

_VALUE = Cells("attributed", "value", "histogram")
_TAIL = 0.1
_MIN_LABELS, _MIN_REFERENCE = 10, 100
"""Labels of a slice on the judged day, and in the reference."""


class LabelValue:
    """What members do is worth far less, or far more, than before.

    Signals:
        ``low_value_rate``: labels whose value is within the lowest tenth of the reference's, in [0, 1]; ``high_value_rate``: within
        the highest tenth. Both overall and by the dimensions of the request that was followed; higher is worse.
    Parameters:
        min_rate_change: least rise in points of rate, default 0.1, or min_ratio (default 3) times with a fifth of it.
    Needs:
        ``outcomes`` with value, and with request_id or member_id for the slices; ten of them a day in a slice.
    Blind spots:
        Changes in the middle of the distribution (``input.distribution_shift`` sees them where labels are many); whether an
        outcome happened at all (``output.calibration``); values that are the same for nearly all.
    Example:
        >>> from recsysops.testing.example_log import findings
        >>> from recsysops.testing.example_slates import example_slates
        >>> log = example_slates().scale("outcomes", "value", by=0.02, rate=0.4)
        >>> [(found.statistic, found.column) for found in findings(LabelValue(), log) if not found.slice.dimension]
        [('low_value_rate', 'value')]

    Source:
        The three gates of ``recsysops.triage.rate_gate``; shares beyond a fixed point need no shape, so few labels are enough.
    """

    meta = DetectorMeta(
        "INP120", "input.label_value", ("candidates", "outcomes"), "warning", "label", yields_to_plans=True
    )

    class Params(Parameters):
        """Floors of ``input.label_value``."""

        min_rate_change: Rate = 0.1
        min_ratio: Positive = 3.0

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        table = schema.table("outcomes")
        if schema.table("attributed") is not None and table is not None and table.role("value") is not None:
            yield _VALUE

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        if not list(self.measures(context.schema)):
            reason = "needs outcomes with a value that name their request or member"
            yield Skipped(self.meta.name, "not_applicable", reason, "outcomes")
            return
        skipped = without_reference(self.meta, context)
        if skipped is not None:
            yield skipped
            return
        contrast = history.cells(_VALUE)
        rates = extremes(contrast) if contrast is not None else ()
        if contrast is None or not rates:
            yield Skipped(self.meta.name, "too_little_data", "too few labels, or all of one value", "outcomes", "value")
            return
        judged = _judged(context, contrast, rates[0].of)
        limits = RateLimits(self.params.min_rate_change, self.params.min_ratio, only_up=True)
        changes = [one for one in rate_gate(contrast, rates, limits) if one.slice_index in judged]
        yield from (self._finding(context, one) for one in widest(changes))
        yield Looked(self.meta.name, len(rates) * len(judged), "values of labels", len(rates))

    def _finding(self, context: Context, change: RateChange) -> Finding:
        schema = context.schema
        where = "lowest" if change.rate.name == "low_value_rate" else "highest"
        column = role_column(schema, "outcomes", "value")
        return finding_of(
            self.meta, context, under_own_name(schema, change),
            table="outcomes", column=column, statistic=change.rate.name, threshold=self.params.min_rate_change,
            headline=f"{column} of {percent(change.value)} of outcomes is within what was the {where} tenth, {before(context)} "
            f"{percent(change.reference)}",
            query=_values(context, change),
        )  # fmt: skip


def extremes(contrast: CellContrast) -> tuple[CellRate, ...]:
    """Labels within the outer tenths of all that the reference has, as far as its bins allow; none where one bin has it all."""
    bins = np.arange(contrast.n_specials, len(contrast.cells))
    counts = contrast.reference[:, 0, bins].sum(axis=0)
    if counts.sum() < _MIN_REFERENCE or (counts > 0).sum() < 3:
        return ()
    used = np.flatnonzero(counts)
    shares = np.cumsum(counts) / counts.sum()
    low = max(int(np.searchsorted(shares, _TAIL, side="right")), int(used[0]) + 1)
    high = min(int(np.searchsorted(shares, 1 - _TAIL, side="left")) + 1, int(used[-1]))
    if low >= high:
        return ()
    of = tuple(bins.tolist())
    return CellRate("low_value_rate", of[:low], of), CellRate("high_value_rate", of[high:], of)


def _judged(context: Context, contrast: CellContrast, of: tuple[int, ...]) -> frozenset[int]:
    """Slices of the user's own dimensions with enough labels."""
    table = context.schema.table("candidates")
    dimensions = {"", *(table.slices if table is not None else ())}
    n_before = contrast.reference[..., of].sum(axis=(0, 2))
    n_now = contrast.current[..., of].sum(axis=(0, 2))
    enough = np.flatnonzero((n_before >= _MIN_REFERENCE) & (n_now >= _MIN_LABELS))
    return frozenset(int(index) for index in enough if contrast.slices[index].dimension in dimensions)


def _values(context: Context, change: RateChange) -> str:
    """Tenths of the values by day, of the requests of the slice."""
    schema = context.schema
    value, asked = named(schema, "value", "outcomes"), named(schema, "request_id", "outcomes")
    tenths = f"count(*) AS n_labels, quantile_cont(o.{value}, [0.1, 0.5, 0.9]) AS tenths"
    if asked == "NULL":  # the rows of a slice are then known by the member's last request alone
        ts = named(schema, "ts", "outcomes")
        return f'SELECT CAST(o.{ts} AS DATE) AS day, {tenths} FROM "outcomes" o GROUP BY 1 ORDER BY 1'
    rows = chosen(context, own_slice(schema, change.slice), days=(*context.reference_days, *context.current_days))
    return (
        f"SELECT CAST(r.ts AS DATE) AS day, {tenths} "
        f'FROM "outcomes" o JOIN (SELECT {named(schema, "request_id")} AS request, min({named(schema, "ts")}) AS ts '
        f'FROM "candidates" {rows} GROUP BY 1) r ON o.{asked} = r.request GROUP BY 1 ORDER BY 1'
    )
