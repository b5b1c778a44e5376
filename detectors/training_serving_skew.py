"""Features that were served otherwise than their declared source has them, as of the request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from recsysops.profiles.history import CellContrast, Context, History
from recsysops.profiles.measures import Cells, Measure
from recsysops.statistics.proportions import wilson_interval
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Schema
from recsysops.tables.views.traced import KEYS, MADE, SAME, sources_of
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Rate, Verdict
from recsysops.triage.evidence import before, finding_of, percent, where, without_reference
from recsysops.triage.findings import Finding, Looked, Skipped
from recsysops.triage.own_names import own_slice
from recsysops.triage.rare_events import rare_gate, rows_together
from recsysops.triage.rate_gate import Rate as CellRate
from recsysops.triage.rate_gate import RateChange, RateLimits, rate_gate
from recsysops.triage.shown import named, under_own_name
from recsysops.triage.steps import cells_named

_SAID = {
    "missing": "is missing where its source has a value",
    "unexpected_value": "has a value where its source has none",
    "defaulted": "is a default in place of its source's value",
    "stale": "is an older value of its source",
    "scaled": "is its source's in another unit or from another zero",
    "swapped": "is the value of another column",
    "wrong_key": "belongs to somebody else's row",
    "precision": "has lost digits of its source's",
    "unexplained": "is not what its source gives",
}
BY_CHANCE = 0.01
"""Of requests that differ being all of one slice, where slices have nothing to do with it."""
_NO_VALUE = frozenset({"(null)", "(other)"})


@dataclass(frozen=True)
class _Traced:
    """A logged feature and the upstream column that it comes from."""

    column: str
    table: str
    source: str

    @property
    def measure(self) -> Cells:
        return Cells("traced", self.column, "frequencies")


class TrainingServingSkew:
    """A feature was served otherwise than its source has it.

    Signals:
        ``difference_rate``: sampled candidates whose feature is not made of its source, as serving could see it at the time of the
        request, in the way that it usually is; in [0, 1], higher is worse. The headline names the commonest class of difference:
        missing, defaulted, stale, scaled (another unit or zero), swapped, another entity's, fewer digits.
    Parameters:
        min_rate_change: least rise of the share, default 0.003; min_ratio: growth that needs a fifth of the floor, default 3;
        min_usual: share of the reference's rows that must be made in the usual way, default 0.8.
    Needs:
        ``candidates`` whose features have a ``lineage:`` (``item_features.price``), and that table with ``as_of``, better
        with ``available_at``. Four rows of a thousand requests of each day are held against it: as copies, ages of a time
        or year, or differences of two sources.
    Blind spots:
        Features without a lineage, or computed in another way (dot products, look-ups): `Looked` counts them. Sources that are wrong
        themselves; upstream rows older than eight days; fewer than three rows in a thousand. What training saw: no table of the
        contract holds training rows, so a feature that is computed otherwise there, from the right source here, is not seen.
    Example:
        >>> from recsysops.testing.example_log import findings
        >>> from recsysops.testing.example_traces import example_traces
        >>> log = example_traces().set("traced", "item_price", "stale", where="host == 'h1'")
        >>> [found.headline for found in findings(TrainingServingSkew(), log)]
        ['item_price of 100 % of sampled candidates is an older value of its source item_features.price, before 0 %']

    Source:
        Przyborowski & Wilenski (1940) for rare counts; ``recsysops.replay.differences`` for the classes.
    """

    meta = DetectorMeta(
        "INP115",
        "input.training_serving_skew",
        ("candidates", "item_features", "member_features", "items"),
        "warning",
        "feature",
    )

    class Params(Parameters):
        """Floors of ``input.training_serving_skew``."""

        min_rate_change: Rate = 0.003
        min_ratio: Positive = 3.0
        min_usual: Rate = 0.8

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        yield from (one.measure for one in _traced(schema))

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        traced = list(_traced(context.schema))
        if not traced:
            reason = "needs features with a lineage, and the tables they come from with as_of"
            yield Skipped(self.meta.name, "not_applicable", reason, "candidates")
            return
        skipped = without_reference(self.meta, context)
        if skipped is not None:
            yield skipped
            return
        n_watched = 0
        unseen: dict[str, list[str]] = {}
        for one in traced:
            contrast = history.cells(one.measure)
            rate = self._rate(contrast) if contrast is not None else None
            if contrast is None or rate is None:
                continue
            if not contrast.current[:, 0, list(rate.of)].any():
                unseen.setdefault(one.table, []).append(one.column)
                continue
            n_watched += 1
            for change in self._changes(contrast, rate):
                yield self._finding(context, one, contrast, change)
        yield from self._unseen(unseen)
        yield Looked(self.meta.name, n_watched, _what(context.schema, n_watched, unseen), n_watched)

    def _rate(self, contrast: CellContrast) -> CellRate | None:
        """Everything but the usual way over everything that was compared; None for a feature without a usual way."""
        of = [index for index in range(len(contrast.cells)) if index != contrast.cell("null")]
        counts = contrast.reference[:, 0].sum(axis=0)
        ways = cells_named(contrast, SAME, *MADE)
        usual = max(ways, key=lambda cell: int(counts[cell]), default=-1)
        total = int(counts[of].sum())
        if usual < 0 or total == 0 or counts[usual] < self.params.min_usual * total:
            return None
        return CellRate("difference_rate", tuple(cell for cell in of if cell != usual), tuple(of))

    def _changes(self, contrast: CellContrast, rate: CellRate) -> Iterator[RateChange]:
        """Of all rows; told in the slice that holds the differences, where one does."""
        limits = RateLimits(self.params.min_rate_change, self.params.min_ratio, only_up=True)
        whole = replace(
            contrast,
            slices=contrast.slices[:1],
            reference=contrast.reference[:, :1],
            current=contrast.current[:, :1],
        )
        found = list(rate_gate(whole, [rate], limits)) or list(rare_gate(whole, rate, limits))
        yield from (_where_it_is(contrast, change, rows_together(whole, rate, "current", 0)) for change in found)

    def _unseen(self, unseen: dict[str, list[str]]) -> Iterator[Skipped]:
        for table, columns in unseen.items():
            reason = f"no rows of {table} of the last days to hold {', '.join(columns[:3])} against"
            yield Skipped(self.meta.name, "too_little_data", reason, table)

    def _finding(self, context: Context, one: _Traced, contrast: CellContrast, change: RateChange) -> Finding:
        counts = contrast.current[:, change.slice_index].sum(axis=0)
        kind = contrast.cells[max(change.rate.flagged, key=lambda cell: int(counts[cell]))]
        said = _SAID.get(kind, "is made in another way than usual of")
        source = f"{one.table}.{one.source}" if kind in ("stale", "unexplained") or kind not in _SAID else ""
        headline = f"{one.column} of {percent(change.value)} of sampled candidates {said}{' ' * bool(source)}{source}"
        return finding_of(
            self.meta, context, under_own_name(context.schema, change),
            table="candidates", column=one.column, statistic="difference_rate", threshold=self.params.min_rate_change,
            headline=f"{headline}, {before(context)} {percent(change.reference)}",
            query=_query(context, one, change),
        )  # fmt: skip


def _traced(schema: Schema) -> Iterator[_Traced]:
    view = schema.table("traced")
    for table, of_table in sources_of(schema).items() if view is not None else ():
        yield from (_Traced(column, table, source) for column, source in of_table.items())


def _what(schema: Schema, n_watched: int, unseen: dict[str, list[str]]) -> str:
    candidates = schema.table("candidates")
    n_unseen = sum(map(len, unseen.values()))
    n_others = len(candidates.features if candidates is not None else ()) - n_watched - n_unseen
    blind = f"; {n_others} more have no lineage, or are made in ways that it cannot follow" if n_others > 0 else ""
    return f"{n_watched} features beside their sources{blind}"


def _where_it_is(contrast: CellContrast, change: RateChange, together: float) -> RateChange:
    """The change in the smallest slice that holds nearly all differing rows, unless so few requests may do so by chance.

    Args:
        contrast: of all slices.
        change: of all rows.
        together: differing rows of one request.
    """
    before_, now = contrast.reference.sum(axis=0), contrast.current.sum(axis=0)
    k, n = now[:, list(change.rate.flagged)].sum(axis=1), now[:, list(change.rate.of)].sum(axis=1)
    holding = [
        index
        for index, one in enumerate(contrast.slices)
        if one.dimension
        and one.value not in _NO_VALUE
        and k[index] >= 0.95 * k[0]
        and len(contrast.slices) * (n[index] / n[0]) ** (k[0] / together) <= BY_CHANCE
    ]
    if not holding:
        return change
    index = min(holding, key=lambda one: int(n[one]))
    interval = wilson_interval(float(k[index]), float(n[index]))
    value = float(k[index] / n[index])
    n_before = int(before_[index, list(change.rate.of)].sum())
    usual = float(before_[index, list(change.rate.flagged)].sum() / max(1, n_before))
    days = contrast.reference[:, index]
    series = days[:, list(change.rate.flagged)].sum(axis=1) / np.maximum(days[:, list(change.rate.of)].sum(axis=1), 1)
    return replace(
        change, slice_index=index, slice=contrast.slices[index], value=value, low=min(float(interval.low), value),
        high=max(float(interval.high), value), reference=usual, n_reference=n_before, n_current=int(n[index]),
        series=(*map(float, series), value),
    )  # fmt: skip


def _query(context: Context, one: _Traced, change: RateChange) -> str:
    """Served values beside those that the source had as of the request."""
    schema = context.schema
    key_role, asked_role = KEYS[one.table]
    request, item, at = (named(schema, role) for role in ("request_id", "item_id", "ts"))
    as_of, seen = (
        f"u.{named(schema, role, one.table)}".replace("u.NULL", "NULL") for role in ("as_of", "available_at")
    )
    served, source = quote_identifier(one.column), quote_identifier(one.source)
    rows = where(context, "candidates", own_slice(schema, change.slice))
    return (
        f"SELECT c.{request}, c.{item}, c.{at}, c.{served} AS served, u.{source} AS source, {as_of} AS source_as_of "
        f'FROM (SELECT * FROM "candidates" {rows}) c ASOF LEFT JOIN {quote_identifier(one.table)} u '
        f"ON u.{named(schema, key_role, one.table)} = c.{named(schema, asked_role)} "
        f"AND c.{at} >= greatest({as_of}, {seen}) "
        f"ORDER BY CAST(c.{served} AS VARCHAR) IS NOT DISTINCT FROM CAST(u.{source} AS VARCHAR), 1, 2 LIMIT 50"
    )
