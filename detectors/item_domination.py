"""One item taking over the slates, or all exposure going to a few."""

from __future__ import annotations

from collections.abc import Iterator

from recsysops.profiles.history import CellContrast, Context, History, KeyedContrast
from recsysops.profiles.measures import Keyed, Measure, PerRequest
from recsysops.profiles.slices import EVERYTHING
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Rate, Verdict
from recsysops.triage.evidence import Stated, before, finding_of, literal, percent, where, without_reference
from recsysops.triage.exposure_gate import growing_concentration, growing_items, young_ceilings
from recsysops.triage.findings import Finding, Looked, Severity, Skipped, Subject

_TO_EVERYBODY = 0.9


class ItemDomination:
    """One item, or a few, take far more of the slates than before.

    Signals:
        ``exposure_share``: an item's impressions over all, in [0, 1]; ``reach``: its impressions over all requests, at
        most 1, which is the share of requests that show it as long as a slate holds an item once (repeats are
        `input.duplicate_keys`' business); ``concentration``: sum of squared shares (HHI) without its chance level.
        Higher is worse.
    Parameters:
        min_share: least exposure share of an item that is judged, default 0.02; min_ratio: its least growth, default 3;
        min_concentration_ratio: least growth of the concentration, default 1.5.
    Needs:
        ``candidates``; shown and position where the log holds candidates that were not shown. ``items`` with launches: an item
        younger than 30 days is held against what young items have reached, not against its own first days.
    Blind spots:
        An item that deserves it: a hit and a fault look alike here (severity critical only when nearly every
        request shows it); the tail beyond the top 1,000 items; slices.
    Example:
        >>> from recsysops.testing.example_log import example_log, findings
        >>> log = example_log().set("candidates", "item_id", "item_39", where="position == 1")
        >>> {found.subject.id: found.severity for found in findings(ItemDomination(), log)}["item_39"]
        'critical'

    Source:
        Herfindahl (1950) for the sum of squared shares; Smyth (2004) for the moderated variance over items.
    """

    meta = DetectorMeta("OUT203", "output.item_domination", ("candidates",), "warning", "ranking", yields_to_plans=True)

    class Params(Parameters):
        """Floors of ``output.item_domination``."""

        min_share: Rate = 0.02
        min_ratio: Positive = 3.0
        min_concentration_ratio: Positive = 1.5

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        table = schema.table("candidates")
        item = table.role("item_id") if table else None
        if item is not None:
            yield Keyed("candidates", item.name, ("impressions",))
            yield PerRequest("candidates", "duplicate_key", _request_columns(schema, item.name))

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        skipped = without_reference(self.meta, context)
        if skipped is not None:
            yield skipped
            return
        asked = list(self.measures(context.schema))
        keyed = next((history.keyed(one) for one in asked if isinstance(one, Keyed)), None)
        requests = next((history.cells(one) for one in asked if isinstance(one, PerRequest)), None)
        if keyed is None or not keyed.reference[..., 0].any() or not keyed.current[..., 0].any():
            yield Skipped(self.meta.name, "too_little_data", "no impressions in one of the windows", "candidates")
            return
        ceilings = young_ceilings(keyed, context.catalogue)
        for index, change in growing_items(keyed, self.params.min_share, self.params.min_ratio, ceilings):
            yield self._finding(context, keyed.keys[index], change, _reach(keyed, requests, index))
        concentrated = growing_concentration(keyed, self.params.min_concentration_ratio)
        if concentrated is not None:
            yield self._concentrated(context, concentrated)
        n_series = len(keyed.keys) + 1
        yield Looked(self.meta.name, n_series, f"exposure of {len(keyed.keys)} items", 1)

    def _finding(self, context: Context, item: str, change: Stated, reach: tuple[float, float] | None) -> Finding:
        is_everywhere = reach is not None and reach[1] >= _TO_EVERYBODY and reach[0] < 0.5 * _TO_EVERYBODY
        severity: Severity = "critical" if is_everywhere else "warning"
        shown = f"; {percent(reach[1])} of requests show it" if reach else ""
        return finding_of(
            self.meta, context, change,
            table="candidates", subject=Subject("item", item), statistic="exposure_share", threshold=self.params.min_share,
            severity=severity, query=_query(context, item),
            headline=f"item {item} has {percent(change.value)} of impressions, {before(context)} "
            f"{percent(change.reference)}{shown}",
        )  # fmt: skip

    def _concentrated(self, context: Context, change: Stated) -> Finding:
        return finding_of(
            self.meta, context, change,
            table="candidates", statistic="concentration", threshold=self.params.min_concentration_ratio,
            headline=f"exposure is concentrated on fewer items: as if on {1 / change.value:.1f}, "
            f"{before(context)} on {1 / change.reference:.1f}",
            query=_query(context, None),
        )  # fmt: skip


def _reach(keyed: KeyedContrast, requests: CellContrast | None, index: int) -> tuple[float, float] | None:
    """Share of requests that saw the item, in both windows, if no slate holds it twice."""
    if requests is None:
        return None
    cell, counter = requests.cell("requests"), keyed.counters.index("impressions")
    n = [counts[:, 0, cell].sum() for counts in (requests.reference, requests.current)]
    k = [counts[:, index, counter].sum() for counts in (keyed.reference, keyed.current)]
    return (min(1.0, float(k[0] / n[0])), min(1.0, float(k[1] / n[1]))) if min(n) > 0 else None


def _request_columns(schema: Schema, item: str) -> tuple[str, ...]:
    """The key that ``input.duplicate_keys`` counts by, so that requests are counted once for both."""
    table = schema.table("candidates")
    names = [column.name for role in ("request_id", "item_id", "position") if table and (column := table.role(role))]
    return tuple(names) or (item,)


def _query(context: Context, item: str | None) -> str:
    table = context.schema.table("candidates")
    column = table.role("item_id") if table else None
    name = quote_identifier(column.name) if column else "NULL"
    rows = where(context, "candidates", EVERYTHING)
    kept = f"{' AND' if rows else 'WHERE'} CAST({name} AS VARCHAR) = {literal(item)}" if item is not None else ""
    return f'SELECT {name}, count(*) AS n FROM "candidates" {rows}{kept} GROUP BY 1 ORDER BY n DESC LIMIT 20'
