"""What is said about a numeric column whose bins changed: shape first, then the share of values never seen before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.profiles.history import CellContrast, Context
from recsysops.tables.identifiers import quote_identifier
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Rate
from recsysops.triage.evidence import before, finding_of, percent, rate_query, where
from recsysops.triage.findings import Finding, Stage
from recsysops.triage.location_gate import LocationLimits, location_gate
from recsysops.triage.rate_gate import Rate as CellRate
from recsysops.triage.rate_gate import RateLimits, rate_gate
from recsysops.triage.shape_gate import ATOM_WIDTH, ShapeChange, ShapeLimits, shape_gate, tail_bins

N_LOOKED = 6
"""Series per slice: three distances of the shape, the mean rank and two rates."""


class ShapeFloors(Parameters):
    """Floors of the detectors of shapes: the least distances, and the least change of a tail, worth a finding."""

    min_ks: Rate = 0.03
    min_psi: Positive = 0.05
    min_w1_over_iqr: Positive = 0.05
    min_rank_shift: Positive = 0.02
    min_tail_change: Rate = 0.005

    @property
    def limits(self) -> ShapeLimits:
        """Those of the shape."""
        return ShapeLimits(self.min_psi, self.min_ks, self.min_w1_over_iqr, self.min_rank_shift)


def judge_numbers(
    meta: DetectorMeta, context: Context, table: str, column: str, contrast: CellContrast, floors: ShapeFloors
) -> Iterator[Finding]:
    """Findings on one histogram, at most one for the shape and one for each kind of tail in each slice."""
    bins = tuple(range(contrast.n_specials, len(contrast.cells)))
    if contrast.edges is None or len(contrast.edges) < 2 or _is_constant(contrast, bins):
        return
    stage: Stage = "upstream" if table != "candidates" else meta.stage
    for change in _changes(contrast, bins, floors.limits):
        yield finding_of(
            meta, context, change,
            table=table, column=column, statistic=change.statistic, threshold=change.threshold,
            stage=stage,
            headline=_shape_headline(context, column, contrast, change, bins),
            query=_quantile_query(context, table, column, change),
        )  # fmt: skip
    for tail in _tails(contrast, bins, floors.min_tail_change):
        for moved in rate_gate(contrast, [tail.rate], tail.limits):
            yield finding_of(
                meta, context, moved,
                table=table, column=column, statistic=tail.rate.name, threshold=tail.limits.min_change,
                stage=stage,
                headline=f"{column} is outside {tail.lower:.4g} … {tail.upper:.4g} in {percent(moved.value)} of rows, "
                f"{before(context)} {percent(moved.reference)}",
                query=rate_query(context, table, moved.slice, tail.condition(quote_identifier(column))),
            )  # fmt: skip


def _changes(contrast: CellContrast, bins: tuple[int, ...], limits: ShapeLimits) -> Iterator[ShapeChange]:
    """At most one change per slice: of the shape, or else of the mean rank."""
    shapes = list(shape_gate(contrast, bins, limits))
    yield from shapes
    told = {change.slice_index for change in shapes}
    location = LocationLimits(limits.rank_shift, limits.max_p)
    yield from (change for change in location_gate(contrast, bins, location) if change.slice_index not in told)


@dataclass(frozen=True)
class _Tail:
    """Rows outside (``lower``, ``upper``], as a rate."""

    rate: CellRate
    limits: RateLimits
    lower: float
    upper: float

    def condition(self, name: str) -> str:
        """In SQL."""
        return f"NOT ({name} > {self.lower!r} AND {name} <= {self.upper!r})"


def _tails(contrast: CellContrast, bins: tuple[int, ...], min_change: float) -> Iterator[_Tail]:
    """The outer 0.1 % on each side, and what lies beyond everything seen when the edges were frozen: nearly nobody is
    there on a healthy day, so a fifth of the floor counts."""
    edges = contrast.edges
    assert edges is not None
    low, high = tail_bins(contrast.reference[:, 0, bins].sum(axis=0))
    outer = CellRate("tail_rate", (*bins[: low + 1], *bins[high:]), bins)
    yield _Tail(outer, RateLimits(min_change, 10.0, only_up=True), float(edges[low]), float(edges[high - 1]))
    beyond = CellRate("beyond_range_rate", (bins[0], bins[-1]), bins)
    limits = RateLimits(min_change / 5.0, 10.0, only_up=True)
    if (low, high) != (0, len(bins) - 1):
        yield _Tail(beyond, limits, float(edges[0]), float(edges[-1]))


def _is_constant(contrast: CellContrast, bins: tuple[int, ...]) -> bool:
    """One bin holds everything in both windows."""
    total = contrast.reference[:, 0][:, bins].sum(axis=0) + contrast.current[:, 0][:, bins].sum(axis=0)
    return bool((total > 0).sum() < 2)


def _shape_headline(
    context: Context, column: str, contrast: CellContrast, change: ShapeChange, bins: tuple[int, ...]
) -> str:
    quantiles = {
        level: tuple(
            _quantile(counts[:, change.slice_index][:, bins].sum(axis=0), contrast, level)
            for counts in (contrast.reference, contrast.current)
        )
        for level in (0.5, 0.25, 0.75, 0.05, 0.95)
    }
    # Told by the quantile that moved furthest, the median where it moved about as far.
    moves = {level: abs(now - then) * (1.3 if level == 0.5 else 1.0) for level, (then, now) in quantiles.items()}
    level = max(moves, key=lambda one: moves[one])
    then, now = quantiles[level]
    name = "median" if level == 0.5 else f"{100 * level:.0f} % point"
    return f"{column} moved: {name} {now:.4g}, {before(context)} {then:.4g} ({change.statistic} {change.value:.3g})"


def _quantile(counts: npt.NDArray[np.int64], contrast: CellContrast, level: float) -> float:
    """Linear within the bin; an open bin counts as its finite edge."""
    edges = contrast.edges
    assert edges is not None
    share = np.cumsum(counts) / max(1, int(counts.sum()))
    index = min(int(np.searchsorted(share, level)), len(counts) - 1)
    left, right = float(edges[max(index - 1, 0)]), float(edges[min(index, len(edges) - 1)])
    below = share[index - 1] if index else 0.0
    inside = share[index] - below
    is_spread = inside > 0 and right - left >= ATOM_WIDTH
    return left + (right - left) * float((level - below) / inside) if is_spread else right


def _quantile_query(context: Context, table: str, column: str, change: ShapeChange) -> str:
    name = quote_identifier(column)
    reference = where(context, table, change.slice, context.reference_days)
    current = where(context, table, change.slice)
    parts = [
        f"SELECT '{label}' AS days, quantile_cont({name}, [0.05, 0.25, 0.5, 0.75, 0.95]) AS quantiles, count({name}) AS n "
        f"FROM {quote_identifier(table)} {rows}"
        for label, rows in (("reference", reference), ("current", current))
    ]
    return " UNION ALL ".join(parts)
