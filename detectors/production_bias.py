"""Items whose exposure parted from the demand for them: far more, or far less, than members look for by themselves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from recsysops.profiles.history import Context, History, KeyedContrast
from recsysops.profiles.measures import Keyed, Measure
from recsysops.profiles.slices import EVERYTHING
from recsysops.tables.schema import Schema
from recsysops.triage.arithmetic import Term
from recsysops.triage.bias_change import BiasChanges, bias_changes
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Verdict
from recsysops.triage.evidence import Stated, finding_of, lacking, literal, not_between_cohorts, without_reference
from recsysops.triage.findings import Finding, Looked, Skipped, Subject
from recsysops.triage.on_record import records_of
from recsysops.triage.own_names import role_column
from recsysops.triage.shown import chosen, is_shown, named

Floats = npt.NDArray[np.float64]

_DEMAND = Keyed("attributed", "item_id", ("rows",), sums=("demand",))
_DAYS = 3
"""Running, on which an item must be out of bounds."""
_MAX_P = 1e-4
_YOUNG_DAYS = 45.0
"""Launches change by growing older, within both windows."""


class ProductionBias:
    """An item's exposure parted from the demand for it.

    Signals:
        ``ln_exposure_over_demand``: ln(share of impressions / share of outcomes that no slate brought about) of an item, in the last
        seven days, drawn towards the other items as far as its counts leave it open; 0 is as much as members look for by
        themselves. Found when it is surely beyond ± ``min_bias`` and surely moved there, on each of three days running.
    Parameters:
        min_bias: least distance from 0, default 0.69 (ln 2); min_change: least move against the weeks before, default 1.39 (ln 4).
    Needs:
        ``outcomes`` with an origin (search, external), ``candidates``; two weeks of both.
    Blind spots:
        A bias that was always there, which many items have in healthy logs: `recsysops items report` lists those. Launches of the
        last 45 days; demand that members do not express.
    Example:
        >>> ProductionBias.meta.name
        'item.production_bias'

    Source:
        Efron & Morris (1975) for the shrinkage (``recsysops.statistics.item_health.log_ratio``).
    """

    meta = DetectorMeta(
        "ITM602", "item.production_bias", ("candidates", "outcomes"), "warning", "training", yields_to_plans=True
    )

    class Params(Parameters):
        """Floors of ``item.production_bias``."""

        min_bias: Positive = 0.69
        min_change: Positive = 1.39

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        yield from _counted(schema)

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        counted = list(_counted(context.schema))
        skipped = (
            lacking(
                self.meta,
                counted,
                "needs outcomes with an origin, to know what members look for by themselves",
                "outcomes",
            )
            or not_between_cohorts(self.meta, context)
            or without_reference(self.meta, context)
        )
        if skipped is not None:
            yield skipped
            return
        exposure, demand = (history.keyed(measure) for measure in counted)
        if exposure is None or demand is None:
            yield Skipped(self.meta.name, "too_little_data", "no impressions or outcomes", "outcomes")
            return
        items = tuple(sorted({*exposure.keys} & {*demand.keys}))
        shown, wanted = _by_day(exposure, items, 0), _by_day(demand, items, 1)
        found = [bias_changes(shown[: len(shown) - back], wanted[: len(wanted) - back]) for back in range(_DAYS)]
        days = [one for one in found if one is not None]
        if len(days) < _DAYS or not items:
            yield Skipped(self.meta.name, "too_little_data", "needs two weeks of impressions and of demand", "outcomes")
            return
        is_out = np.logical_and.reduce([self._is_out(one) for one in days])
        for index in np.flatnonzero(is_out):
            if not _is_explained(context, items[index]):
                yield self._finding(context, items[index], int(index), days, (shown, wanted))
        yield Looked(self.meta.name, len(items), f"exposure of {len(items)} items against the demand for them")

    def _is_out(self, day: BiasChanges) -> npt.NDArray[np.bool_]:
        """Surely beyond the bounds now, and moved there from nearer."""
        is_over = (day.now.low > self.params.min_bias) & (day.change > self.params.min_change)
        is_under = (day.now.high < -self.params.min_bias) & (day.change < -self.params.min_change)
        return np.asarray((is_over | is_under) & (day.p_value <= _MAX_P))

    def _finding(
        self, context: Context, item: str, index: int, days: list[BiasChanges], counts: tuple[Floats, Floats]
    ) -> Finding:
        today, (shown, wanted) = days[0], counts
        value, reference = float(today.now.estimate[index]), float(today.before[index])
        p_value = max(float(one.p_value[index]) for one in days)
        change = Stated(
            EVERYTHING, value, abs(float(today.change[index])) / self.params.min_change, int(shown[-7:, index].sum()),
            float(today.now.low[index]), float(today.now.high[index]), reference, p_value, int(shown[:-7, index].sum()),
            arithmetic=_terms(today, index, wanted, p_value),
        )  # fmt: skip
        said = "more" if value > 0 else "less"
        return finding_of(
            self.meta, context, change,
            table="candidates", column=role_column(context.schema, "candidates", "item_id"), subject=Subject("item", item),
            statistic="ln_exposure_over_demand", threshold=self.params.min_bias,
            headline=f"item {item} is shown {np.exp(abs(value)):.1f} times {said} than members look for it by themselves, "
            f"before {np.exp(reference):.1f} times",
            query=_query(context, item),
        )  # fmt: skip


def _terms(today: BiasChanges, index: int, wanted: Floats, p_value: float) -> tuple[Term, ...]:
    return (
        Term("counts", "demand of the item, last 7 days", float(wanted[-7:, index].sum())),
        Term("counts", "demand of the item before", float(wanted[:-7, index].sum())),
        Term(
            "size", "change", float(today.change[index]), "of ln(exposure share / demand share), less the median item's"
        ),
        Term("noise", "variance of its counts", float(today.now.variance[index]), "now"),
        Term("days", "standard deviation between items", today.sd, "of the change, beyond counts"),
        Term("chance", "p", p_value, f"two-sided Student's t, the largest of three days; at most {_MAX_P:g}"),
    )


def _counted(schema: Schema) -> Iterator[Keyed]:
    candidates, outcomes = schema.table("candidates"), schema.table("outcomes")
    item = candidates.role("item_id") if candidates is not None else None
    if item is not None and outcomes is not None and outcomes.role("origin") and schema.table("attributed") is not None:
        yield Keyed("candidates", item.name, ("impressions",))
        yield _DEMAND


def _by_day(keyed: KeyedContrast, items: tuple[str, ...], counter: int) -> Floats:
    """(n_units, n_items), the judged window last; what lies in the tail counts as nothing."""
    place = {key: index for index, key in enumerate(keyed.keys)}
    columns = [place[item] for item in items]
    values = np.concatenate([keyed.reference, keyed.current.sum(axis=0)[None]])
    return np.asarray(values[:, columns, counter])


def _is_explained(context: Context, item: str) -> bool:
    """Young, no longer available, or named by a recorded rule."""
    day = context.current_days[-1]
    catalogue = context.catalogue
    is_passing = catalogue.is_young(item, day, _YOUNG_DAYS) or catalogue.has_ended(item, day)
    return is_passing or any(records_of(context, item))


def _query(context: Context, item: str) -> str:
    schema, days = context.schema, (*context.reference_days, *context.current_days)
    name = named(schema, "item_id")
    rows = chosen(context, EVERYTHING, is_shown(schema), days)
    return (
        f"SELECT CAST({named(schema, 'ts')} AS DATE) AS day, count(*) FILTER (CAST({name} AS VARCHAR) = {literal(item)}) AS n_impressions, "
        f'count(*) AS n_all FROM "candidates" {rows} GROUP BY day ORDER BY day'
    )
