"""Many items that are usually candidates hardly are any more: the index, or a source, no longer reaches them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from recsysops.profiles.history import Context, History, KeyedContrast
from recsysops.profiles.measures import Keyed, Measure
from recsysops.profiles.slices import EVERYTHING
from recsysops.tables.schema import Schema
from recsysops.tables.views.retrieved import SEPARATOR, source_of
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Rate, Verdict
from recsysops.triage.evidence import before, finding_of, literal, percent, without_reference
from recsysops.triage.findings import Finding, Looked, Skipped, Subject
from recsysops.triage.lost_keys import lost_keys
from recsysops.triage.own_names import role_column
from recsysops.triage.rate_gate import Rate as CellRate
from recsysops.triage.rate_gate import RateChange, RateLimits, rate_gate
from recsysops.triage.shown import chosen, named, under_own_name

_N_TOLD = 20
_FOUND = Keyed("retrieved", "found_as", ("rows",), top_k=3000)


class LostItems:
    """Many items that are usually candidates hardly are any more.

    Signals:
        ``lost_items_rate``: items with at most a fifth of the candidates that their last days lead one to expect, over all items
        of which enough are expected, in [0, 1]; higher is worse. Overall and for each source, whose losses others may cover. One
        rate for a loss that hits many items: a single one is ``item.exposure_loss``'s.
    Parameters:
        min_expected: candidates expected of an item that counts, default 20; max_ratio: greatest part of them that counts as lost,
        default 0.2; min_change: least rise of the rate in points, default 0.02, or twice with a fifth of it.
    Needs:
        ``candidates`` that hold more than what was shown (shown, candidate_source or raw_rank). Launches of the last 28 days and
        items whose availability has ended do not count.
    Blind spots:
        Items of few candidates; sources whose items change every day anyway; a loss that grows over weeks.
    Example:
        >>> from recsysops.testing.example_log import findings
        >>> from recsysops.testing.example_slates import example_slates
        >>> log = example_slates().drop("candidates", where="item_id < 'item_10'")
        >>> [found.column for found in findings(LostItems(), log) if found.subject.kind == 'column']
        ['candidate_source']

    Source:
        The three gates of ``recsysops.triage.rate_gate`` over items; every day is judged by the days before it.
    """

    meta = DetectorMeta("OUT216", "output.lost_items", ("candidates",), "warning", "retrieval", yields_to_plans=True)

    class Params(Parameters):
        """Floors of ``output.lost_items``."""

        min_expected: Positive = 20.0
        max_ratio: Rate = 0.2
        min_change: Rate = 0.02

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        measure = _items(schema)
        if measure is not None:
            yield measure
            if schema.table("retrieved") is not None:
                yield _FOUND

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        measure = _items(context.schema)
        if measure is None:
            reason = "the log tells no candidates beside impressions"
            yield Skipped(self.meta.name, "not_applicable", reason, "candidates")
            return
        skipped = without_reference(self.meta, context)
        if skipped is not None:
            yield skipped
            return
        keyed = history.keyed(measure)
        found = history.keyed(_FOUND) if context.schema.table("retrieved") is not None else None
        parts = {"": keyed} if keyed is not None else {}
        parts |= by_source(found) if found is not None else {}
        n_series = 0
        for source, part in parts.items():
            items = [key.removeprefix(f"{source}{SEPARATOR}") for key in part.keys]
            usual = np.array([_is_usual(context, item) for item in items], np.bool_)
            lost = lost_keys(part, usual, min_expected=self.params.min_expected, max_ratio=self.params.max_ratio)
            if lost is None:
                continue
            n_series += 1
            rate, limits = CellRate("lost_items_rate", (0,), (0, 1)), RateLimits(self.params.min_change, only_up=True)
            names = tuple(key.removeprefix(f"{source}{SEPARATOR}") for key in lost.lost)
            for change in rate_gate(lost.contrast, [rate], limits):
                yield self._finding(context, source, names, change)
        if not n_series:
            yield Skipped(self.meta.name, "too_little_data", "too few candidates, or days, of any item", "candidates")
            return
        yield Looked(self.meta.name, n_series, "candidates of items, and of sources", n_series)

    def _finding(self, context: Context, source: str, lost: tuple[str, ...], change: RateChange) -> Finding:
        schema = context.schema
        item, column = named(schema, "item_id"), role_column(schema, "candidates", "candidate_source")
        some = f"CAST({item} AS VARCHAR) IN ({', '.join(literal(one) for one in lost[:_N_TOLD])})"
        if source:
            some += f" AND CAST({named(schema, 'candidate_source')} AS VARCHAR) = {literal(source)}"
        some_of = f"{len(lost)} of {change.n_current} items"
        told = f"{some_of} that are usually candidates hardly are any more"
        if source:
            told = f"{source} hardly finds {some_of} any more that it usually finds"
        rows = chosen(context, EVERYTHING, some, (*context.reference_days, *context.current_days))
        return finding_of(
            self.meta, context, under_own_name(schema, change),
            table="candidates", column=column, subject=Subject("source", source) if source else Subject("column", column),
            statistic="lost_items_rate", threshold=self.params.min_change,
            headline=f"{told} ({percent(change.value)}, {before(context)} {percent(change.reference)}): {', '.join(lost[:3])}"
            + (", …" if len(lost) > 3 else ""),
            query=f"SELECT {item}, CAST({named(schema, 'ts')} AS DATE) AS day, count(*) AS n_candidates "
            f'FROM "candidates" {rows} GROUP BY ALL ORDER BY ALL',
        )  # fmt: skip


def by_source(found: KeyedContrast) -> dict[str, KeyedContrast]:
    """The counts of each source's items; what is beyond the top of all is beyond the top of each."""
    places: dict[str, list[int]] = {}
    for index, key in enumerate(found.keys):
        places.setdefault(source_of(key), []).append(index)
    return {
        source: replace(
            found,
            keys=tuple(found.keys[index] for index in places[source]),
            reference=found.reference[:, [*places[source], -1]],
            current=found.current[:, [*places[source], -1]],
        )
        for source in sorted(places)
    }


def _items(schema: Schema) -> Keyed | None:
    table = schema.table("candidates")
    item = table.role("item_id") if table else None
    if table is None or item is None or not any(map(table.role, ("shown", "candidate_source", "raw_rank"))):
        return None
    return Keyed("candidates", item.name, ("rows",))


def _is_usual(context: Context, item: str) -> bool:
    """Neither launched lately (``item.cold_start_health`` judges those) nor ended."""
    day = context.current_days[-1]
    return not context.catalogue.is_young(item, day) and not context.catalogue.has_ended(item, day)
