"""Questions to any model that can score: what a missing value does, whether a feature acts in the declared direction,
whether a row's margin depends on anything but the row.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from recsysops.models.comparison import Comparison, Floats, Scorer


@dataclass(frozen=True)
class MissingProbe:
    """What becomes of the rows' mean margin when one feature of theirs is replaced: new less old."""

    feature: str
    missing_rate: float
    """Of the rows as they are."""
    by_missing: float
    """Replaced by NaN."""
    by_default: float | None
    """Replaced by its default; None where none is declared."""
    by_typical: float
    """Replaced by what is typical of the peers: median, most frequent category, or missing where most of them lack it."""


@dataclass(frozen=True)
class MonotonicityProbe:
    """Whether margins follow a feature as its owner says."""

    feature: str
    sign: Literal[-1, 1]
    """1: a larger value must not score lower."""
    grid: tuple[float, ...]
    mean_curve: tuple[float, ...]
    """Mean margin with all rows at each value of the grid."""
    violation_rate: float
    """Share of the steps, over rows and grid, that go the wrong way; NaN where the grid has one value."""
    row_rate: float
    """Share of the rows with such a step."""
    largest: float
    """Largest step the wrong way, at least 0, on the margin."""


@dataclass(frozen=True)
class MetamorphicProbe:
    """A change of the matrix that must not change a row's margin."""

    relation: Literal["permuted rows", "duplicated rows", "smaller batches", "added rows"]
    largest: float
    """Largest absolute difference of a margin; infinite where one became NaN, or is not a number every time."""
    holds: bool


def missing_probes(
    scorer: Scorer,
    comparison: Comparison,
    *,
    defaults: Mapping[str, float] | None = None,
    categorical: Collection[str] = (),
) -> tuple[MissingProbe, ...]:
    """Probe every feature, in the model's order; every variant is scored in one call per feature.

    Args:
        defaults: what a missing value is filled with upstream, by feature.
        categorical: features whose numbers are codes.
    """
    rows, before = comparison.rows, float(np.mean(scorer(comparison.rows)))
    probes = []
    for place, name in enumerate(comparison.features):
        default = (defaults or {}).get(name)
        typical = typical_value(comparison.peers[:, place], is_category=name in categorical)
        variants = [with_value(rows, place, value) for value in (np.nan, typical, default) if value is not None]
        after = scorer(np.vstack(variants)).reshape(len(variants), -1).mean(axis=1) - before
        by_default = None if default is None else float(after[2])
        missing_rate = float(np.isnan(rows[:, place]).mean())
        probes.append(MissingProbe(name, missing_rate, float(after[0]), by_default, float(after[1])))
    return tuple(probes)


def monotonicity_probe(
    scorer: Scorer,
    comparison: Comparison,
    feature: str,
    sign: Literal[-1, 1],
    *,
    n_grid: int = 20,
    tolerance: float = 1e-9,
) -> MonotonicityProbe:
    """Move one feature of every row along the quantiles of all known values, and look for steps the wrong way.

    Args:
        sign: the declared direction.
        tolerance: smaller steps are not counted, on the margin.

    Source:
        Goldstein et al., Journal of Computational and Graphical Statistics 24 (2015): individual conditional expectation.
    """
    (place,) = comparison.places([feature])
    values = np.concatenate([comparison.rows[:, place], comparison.peers[:, place]])
    known = values[np.isfinite(values)]
    grid = (
        np.unique(np.quantile(known, np.linspace(0, 1, n_grid), method="inverted_cdf")) if len(known) else np.empty(0)
    )
    if not len(grid):
        return MonotonicityProbe(feature, sign, (), (), float("nan"), float("nan"), 0.0)
    curves = scorer(np.vstack([with_value(comparison.rows, place, value) for value in grid])).reshape(len(grid), -1)
    wrong = -sign * np.diff(curves, axis=0)
    is_wrong = wrong > tolerance
    has_steps = is_wrong.size > 0
    return MonotonicityProbe(
        feature,
        sign,
        tuple(grid.tolist()),
        tuple(curves.mean(axis=1).tolist()),
        float(is_wrong.mean()) if has_steps else float("nan"),
        float(is_wrong.any(axis=0).mean()) if has_steps else float("nan"),
        float(max(wrong.max(initial=0.0), 0.0)),
    )


def metamorphic_probes(
    scorer: Scorer, comparison: Comparison, *, seed: int = 0, tolerance: float = 0.0
) -> tuple[MetamorphicProbe, ...]:
    """Score the rows in four other ways that must give the same margins.

    Args:
        tolerance: largest difference that holds; models that add in another order for another batch need a little.
    """
    rows, others = comparison.rows, comparison.peers
    before, n_rows = scorer(rows), len(rows)
    order = np.random.default_rng(seed).permutation(n_rows)
    ways: dict[Literal["permuted rows", "duplicated rows", "smaller batches", "added rows"], Callable[[], Floats]] = {
        "permuted rows": lambda: scorer(rows[order])[np.argsort(order)],
        "duplicated rows": lambda: _farthest(scorer(np.repeat(rows, 2, axis=0)).reshape(-1, 2), before),
        "smaller batches": lambda: np.concatenate([scorer(part) for part in np.array_split(rows, min(7, n_rows))]),
        "added rows": lambda: scorer(np.vstack([others, rows, others]))[len(others) :][:n_rows],
    }
    probes = []
    for relation, way in ways.items():
        difference = np.abs(way() - before)
        largest = float(np.max(np.where(np.isnan(difference), np.inf, difference)))
        probes.append(MetamorphicProbe(relation, largest, largest <= tolerance))
    return tuple(probes)


def typical_value(values: Floats, *, is_category: bool = False) -> float:
    """What is usual: NaN where most are missing, else the most frequent code or the lower median of the known."""
    known = values[~np.isnan(values)]
    if 2 * len(known) <= len(values):
        return float("nan")
    if is_category:
        codes, counts = np.unique(known, return_counts=True)
        return float(codes[np.argmax(counts)])
    return float(np.sort(known)[(len(known) - 1) // 2])


def with_value(rows: Floats, place: int, value: float) -> Floats:
    """A copy with one column set."""
    changed = rows.copy()
    changed[:, place] = value
    return changed


def _farthest(pairs: Floats, from_: Floats) -> Floats:
    """Of each row's two margins the one farther off, NaN if either is."""
    return np.asarray(np.take_along_axis(pairs, np.argmax(np.abs(pairs - from_[:, None]), axis=1)[:, None], 1)[:, 0])
