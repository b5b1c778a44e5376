"""Exposure that shrinks to part of the catalogue: Gini, effective number of items, coverage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.profiles.history import Context, History, KeyedContrast
from recsysops.profiles.measures import Cells, Keyed, Measure
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.statistics.diversity import effective_items, gini, rarefied_items
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Verdict
from recsysops.triage.evidence import Stated, before, finding_of, without_reference
from recsysops.triage.findings import Finding, Looked, Skipped
from recsysops.triage.level_gate import LevelLimits, level_gate
from recsysops.triage.own_names import own_slice, role_column
from recsysops.triage.rate_gate import MAX_P
from recsysops.triage.shown import chosen, is_shown, named, under_own_name

Floats = npt.NDArray[np.float64]

_REQUESTS = Cells("requests")
_MIN_IMPRESSIONS = 500
"""Of every day of a slice; fewer say little of the tail."""
_PRIOR_SD = 0.08
"""Of ln(level) between healthy days."""


class Concentration:
    """Exposure goes to fewer items than before.

    Signals:
        ``effective_items``: exp(entropy) of impressions by item, the number of equally shown items that would be as mixed;
        ``coverage``: distinct items among equally many impressions of every day; ``evenness``: 1 − Gini over all items that any
        of the days showed. Lower is worse. The surest of the three is told; by slice the first two.
    Parameters:
        min_ratio: least fall, as a factor, default 1.3 (a quarter less); a rise as large is information.
    Needs:
        ``candidates``; shown and position where the log holds candidates that were not shown.
    Blind spots:
        The tail beyond the top 1,000 items (200 in a slice); who is shown what (``output.personalisation_collapse``).
    Example:
        >>> from recsysops.testing.example_log import example_log, findings
        >>> log = example_log().set("candidates", "item_id", "item_02", rate=0.6, where="item_id > 'item_10'")
        >>> [found.statistic for found in findings(Concentration(), log) if not found.slice.dimension]
        ['effective_items']

    Source:
        Jost (2006) for exp(entropy), Hurlbert (1971) for rarefaction, Gini (1912); Smyth (2004) for the moderated variance.
    """

    meta = DetectorMeta("OUT212", "output.concentration", ("candidates",), "warning", "training", yields_to_plans=True)

    class Params(Parameters):
        """Floors of ``output.concentration``."""

        min_ratio: Positive = 1.3

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        measure = _items(schema)
        if measure is not None:
            yield measure
            if schema.table("requests") is not None:
                yield _REQUESTS

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        skipped = without_reference(self.meta, context)
        if skipped is not None:
            yield skipped
            return
        measure, n_series = _items(context.schema), 0
        for slice_ in _slices(history) if measure is not None else ():
            keyed = history.keyed(measure, slice_) if measure is not None else None
            if keyed is None or not _is_enough(keyed):
                continue
            n_series += 1
            change = self._surest(context, keyed, slice_)
            if change is not None:
                yield self._finding(context, change)
        if not n_series:
            yield Skipped(self.meta.name, "too_little_data", "too few impressions in one of the windows", "candidates")
        yield Looked(self.meta.name, n_series, f"spread of exposure in {n_series} slices", 1)

    def _surest(self, context: Context, keyed: KeyedContrast, slice_: Slice) -> _Spread | None:
        """The statistic that is surest of a change beyond its floor; its p-value is times the three looked at."""
        levels = spreads(keyed)
        if slice_ != EVERYTHING:
            levels.pop("evenness")  # few items are never shown to a slice, and it is all about those
        found = []
        for name, (days, now) in levels.items():
            if not (np.isfinite(days).all() and np.isfinite(now) and (days > 0).all() and now > 0):
                continue
            level = level_gate(
                days, np.asarray(now), LevelLimits(self.params.min_ratio, _PRIOR_SD),
                phases=[day.weekday() for day in keyed.reference_days], phase=context.current_days[-1].weekday(),
            )  # fmt: skip
            p_value = min(1.0, len(levels) * float(level.p_value))
            if float(level.effect) >= 1 and p_value <= MAX_P:
                change = Stated(
                    slice_, now, float(level.effect), int(keyed.current[..., 0].sum()), reference=float(level.expected),
                    p_value=p_value, n_reference=int(keyed.reference[..., 0].sum()), series=(*(float(day) for day in days), now),
                )  # fmt: skip
                found.append(_Spread(name, change))
        return min(found, key=lambda one: (one.change.p_value or 0.0, one.name), default=None)

    def _finding(self, context: Context, spread: _Spread) -> Finding:
        schema, change = context.schema, spread.change
        rows, item = chosen(context, own_slice(schema, change.slice), is_shown(schema)), named(schema, "item_id")
        said = {
            "effective_items": "impressions are spread as if over {0:.0f} items, {1} over {2:.0f}",
            "coverage": "equally many impressions show {0:.0f} items, {1} {2:.0f}",
            "evenness": "exposure is spread less evenly: 1 − Gini is {0:.2f}, {1} {2:.2f}",
        }[spread.name]
        return finding_of(
            self.meta, context, under_own_name(schema, change),
            table="candidates", column=role_column(schema, "candidates", "item_id"), statistic=spread.name,
            threshold=self.params.min_ratio, severity="warning" if change.value < change.reference else "info",
            headline=said.format(change.value, before(context), change.reference),
            query=f'SELECT {item}, count(*) AS n FROM "candidates" {rows} GROUP BY 1 ORDER BY n DESC, 1 LIMIT 20',
        )  # fmt: skip


@dataclass(frozen=True)
class _Spread:
    name: str
    change: Stated


def spreads(keyed: KeyedContrast) -> dict[str, tuple[Floats, float]]:
    """Each statistic of the reference units and of the current window, the tail left out."""
    days, now = keyed.reference[:, :-1, 0], keyed.current[:, :-1, 0].sum(axis=0)
    size = float(min(days.sum(axis=1).min(), now.sum()))
    return {
        "effective_items": (effective_items(days), float(effective_items(now))),
        "coverage": (rarefied_items(days, size), float(rarefied_items(now, size))),
        "evenness": (1 - gini(days), 1 - float(gini(now))),
    }


def _items(schema: Schema) -> Keyed | None:
    table = schema.table("candidates")
    item = table.role("item_id") if table else None
    return None if item is None else Keyed("candidates", item.name, ("impressions",))


def _slices(history: History) -> tuple[Slice, ...]:
    """Every row, and the values of the dimensions that the user named."""
    requests, table = history.cells(_REQUESTS), history.context.schema.table("candidates")
    if requests is None or table is None:
        return (EVERYTHING,)
    return tuple(one for one in requests.slices if one == EVERYTHING or one.dimension in table.slices)


def _is_enough(keyed: KeyedContrast) -> bool:
    units = [*keyed.reference[..., 0].sum(axis=1), keyed.current[..., 0].sum()]
    return len(units) > 1 and min(units) >= _MIN_IMPRESSIONS
