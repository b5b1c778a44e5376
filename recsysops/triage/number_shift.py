"""What is said about a numeric column whose bins changed: shape first, then the share of values never seen before."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from recsysops.profiles.history import CellContrast, Context
from recsysops.tables.identifiers import quote_identifier
from recsysops.triage.detector import DetectorMeta
from recsysops.triage.evidence import before, finding_of, percent, rate_query, where
from recsysops.triage.findings import Finding, Stage
from recsysops.triage.rate_gate import Rate, RateLimits, rate_gate
from recsysops.triage.shape_gate import ATOM_WIDTH, ShapeChange, ShapeLimits, shape_gate, tail_bins


def judge_numbers(
    meta: DetectorMeta,
    context: Context,
    table: str,
    column: str,
    contrast: CellContrast,
    limits: ShapeLimits,
    min_tail_change: float,
) -> Iterator[Finding]:
    """Findings on one histogram, at most one for the shape and one for the tails of each slice."""
    bins = tuple(range(contrast.n_specials, len(contrast.cells)))
    if contrast.edges is None or len(contrast.edges) < 2 or _is_constant(contrast, bins):
        return
    stage: Stage = "upstream" if table != "candidates" else meta.stage
    for change in shape_gate(contrast, bins, limits):
        yield finding_of(
            meta, context, change,
            table=table, column=column, statistic=change.statistic, threshold=change.threshold,
            stage=stage,
            headline=_shape_headline(context, column, contrast, change, bins),
            query=_quantile_query(context, table, column, change),
        )  # fmt: skip
    low, high = tail_bins(contrast.reference[:, 0, bins].sum(axis=0))
    tails = Rate("tail_rate", (*bins[: low + 1], *bins[high:]), bins)
    lower, upper = float(contrast.edges[low]), float(contrast.edges[high - 1])
    name = quote_identifier(column)
    for moved in rate_gate(contrast, [tails], RateLimits(min_tail_change, 10.0)):
        yield finding_of(
            meta, context, moved,
            table=table, column=column, statistic="tail_rate", threshold=min_tail_change,
            stage=stage,
            headline=f"{column} is outside {lower:.4g} … {upper:.4g} in {percent(moved.value)} of rows, "
            f"{before(context)} {percent(moved.reference)}",
            query=rate_query(context, table, moved.slice, f"NOT ({name} > {lower!r} AND {name} <= {upper!r})"),
        )  # fmt: skip


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
