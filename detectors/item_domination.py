"""One item taking over the slates, or all exposure going to a few."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from recsysops.profiles.history import CellContrast, Context, History, KeyedContrast
from recsysops.profiles.measures import Counter, Keyed, Measure, PerRequest
from recsysops.profiles.slices import EVERYTHING
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Rate, Verdict
from recsysops.triage.evidence import Stated, before, finding_of, literal, percent, where, without_reference
from recsysops.triage.findings import Finding, Looked, Severity, Skipped, Subject
from recsysops.triage.level_gate import LevelLimits, level_gate
from recsysops.triage.moderated import moderated_variance, two_sided_p
from recsysops.triage.rate_gate import MAX_P

Floats = npt.NDArray[np.float64]

_PRIOR_SD = 0.4
"""Of ln(an item's share) between healthy days: real items gain and lose a third of their exposure overnight."""
_PRIOR_DOF = 8.0
_TO_EVERYBODY = 0.9


class ItemDomination:
    """One item, or a few, take far more of the slates than before.

    Signals:
        ``exposure_share``: an item's impressions over all, in [0, 1]; ``reach``: requests that were shown the item
        over all requests; ``concentration``: sum of squared shares (HHI) without its chance level. Higher is worse.
    Parameters:
        min_share: least exposure share of an item that is judged, default 0.02; min_ratio: its least growth, default 3;
        min_concentration_ratio: least growth of the concentration, default 1.5.
    Needs:
        ``candidates``; shown and position where the log holds candidates that were not shown.
    Blind spots:
        An item that deserves it: a hit, a launch and a fault look alike here (severity critical only when nearly every
        request shows it); the tail beyond the top 1,000 items; slices.
    Example:
        >>> from recsysops.testing.example_log import example_log, findings
        >>> log = example_log().set("candidates", "item_id", "item_39", where="position == 1")
        >>> {found.subject.id: found.severity for found in findings(ItemDomination(), log)}["item_39"]
        'critical'

    Source:
        Herfindahl (1950) for the sum of squared shares; Smyth (2004) for the moderated variance over items.
    """

    meta = DetectorMeta("OUT203", "output.item_domination", ("candidates",), "warning", "ranking")

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
            counters: tuple[Counter, ...] = ("impressions", "requests")
            yield Keyed("candidates", item.name, counters)
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
        shares = impression_shares(keyed.reference), impression_shares(keyed.current.sum(axis=0, keepdims=True))[0]
        judged = np.flatnonzero(shares[1][:-1] >= self.params.min_share)
        for index in judged:
            change = self._item(keyed, shares, int(index))
            if change is not None:
                yield self._finding(context, keyed.keys[index], change, _reach(keyed, requests, int(index)))
        concentrated = self._concentration(keyed)
        if concentrated is not None:
            yield self._concentrated(context, concentrated)
        yield Looked(self.meta.name, len(keyed.keys) + 1, f"exposure of {len(keyed.keys)} items")

    def _item(self, keyed: KeyedContrast, shares: tuple[Floats, Floats], index: int) -> Stated | None:
        """A share that grew beyond its floor, its sampling noise and what items' shares move between days."""
        n_reference, n = keyed.reference[..., 0].sum(axis=1), float(keyed.current[..., 0].sum())
        days, now = shares[0][:, index], float(shares[1][index])
        before_now = float((days * n_reference).sum() / max(1.0, n_reference.sum()))
        least = 0.5 / max(1.0, float(n_reference.sum()))
        ratio = now / max(before_now, least)
        spread = between_item_variance(shares[0], self.params.min_share / 10)
        variance = moderated_variance(np.asarray(spread[0]), spread[1], _PRIOR_SD**2, _PRIOR_DOF)
        noise = 1 / (n * now) + 1 / max(1.0, float(n_reference.sum()) * before_now)
        t = np.log(ratio) / np.sqrt(variance * (1 + 1 / len(days)) + noise)
        p_value = float(two_sided_p(np.asarray(t), _PRIOR_DOF + spread[1]))
        if ratio < self.params.min_ratio or p_value > MAX_P or now <= 1.5 * days.max():
            return None
        half = 1.96 * np.sqrt(now * (1 - now) / n)
        return Stated(
            EVERYTHING, now, float(ratio / self.params.min_ratio), int(n), max(0.0, float(now - half)), float(now + half),
            before_now, p_value, int(n_reference.sum()), (*(float(day) for day in days), now),
        )  # fmt: skip

    def _concentration(self, keyed: KeyedContrast) -> Stated | None:
        reference = concentration(keyed.reference[..., 0])
        now = float(concentration(keyed.current[..., 0].sum(axis=0)[None])[0])
        if not (reference > 0).all() or now <= 0:
            return None
        level = level_gate(reference, np.asarray(now), LevelLimits(self.params.min_concentration_ratio, 0.08))
        if now < float(level.expected) or float(level.effect) < 1 or float(level.p_value) > MAX_P:
            return None
        return Stated(
            EVERYTHING, now, float(level.effect), int(keyed.current[..., 0].sum()), reference=float(level.expected),
            p_value=float(level.p_value), n_reference=int(keyed.reference[..., 0].sum()),
            series=(*(float(day) for day in reference), now),
        )  # fmt: skip

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


def impression_shares(counts: Floats) -> Floats:
    """Share of each key (the last is the tail) of a unit's impressions, (n_units, n_keys + 1)."""
    totals = counts[..., 0].sum(axis=1, keepdims=True)
    return np.asarray(counts[..., 0] / np.maximum(totals, 1.0))


def concentration(impressions: Floats) -> Floats:
    """Chance that two impressions are of one item, (n_units,); the tail counts as spread out."""
    n = impressions.sum(axis=1)
    pairs = (impressions[:, :-1] * np.maximum(impressions[:, :-1] - 1, 0)).sum(axis=1)
    return np.asarray(pairs / np.maximum(n * (n - 1), 1.0))


def between_item_variance(shares: Floats, least: float) -> tuple[float, int]:
    """Variance of ln(share) between days, pooled over items that matter, and its degrees of freedom (few: days are shared)."""
    judged = shares[:, :-1][:, (shares[:, :-1] >= least).all(axis=0)]
    if len(shares) < 2 or not judged.shape[1]:
        return 0.0, 0
    return float(np.log(judged).var(axis=0, ddof=1).mean()), len(shares) - 1


def _reach(keyed: KeyedContrast, requests: CellContrast | None, index: int) -> tuple[float, float] | None:
    """Share of requests that saw the item, in both windows."""
    if requests is None:
        return None
    cell, counter = requests.cell("requests"), keyed.counters.index("requests")
    n = [counts[:, 0, cell].sum() for counts in (requests.reference, requests.current)]
    k = [counts[:, index, counter].sum() for counts in (keyed.reference, keyed.current)]
    return (float(k[0] / n[0]), float(k[1] / n[1])) if min(n) > 0 else None


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
