"""The repair test: give a subject's rows its peers' values of some features, and see how much of the gap closes.

``rho = (f(repaired) - f(rows)) / (mean f(peers) - f(rows))``: 0 nothing, 1 all of it, more than 1 too much. A repair shows
that the model is sensitive to a value, not that the value is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recsysops.models.comparison import Comparison, Floats, Scorer
from recsysops.models.resampling import balanced_draws, resampled_weights
from recsysops.statistics.estimate import Estimate

_LEAST_DRAWS, _LEAST_REPAIRED, _N_RESAMPLES = 8, 400, 1000


@dataclass(frozen=True)
class Repair:
    """What replacing a set of features does."""

    replaced: tuple[str, ...]
    """Names of features, or of the groups of a search."""
    rho: Estimate
    """Interval by bootstrap over clusters of the subject's rows; NaN bounds where the gap itself may be zero."""
    gap: float
    """f(rows) - mean f(peers) before."""
    gap_left: float
    """The same after."""


@dataclass(frozen=True)
class RepairSearch:
    """The way to a small set that closes the gap."""

    steps: tuple[Repair, ...]
    """Each with one more group, in the order in which they were found."""
    best: Repair
    """The last step, less what turned out not to be needed."""
    is_reached: bool
    """``best.rho`` is at least the target."""


def repair_test(
    scorer: Scorer, comparison: Comparison, features: Sequence[str], *, n_draws: int | None = None, seed: int = 0
) -> Repair:
    """Replace features of every row, all of them from one peer's row at a time.

    Args:
        features: what is replaced together.
        n_draws: peers' rows drawn for each row, whose mean margin counts; None: 8, more where there are few rows.

    Raises:
        SchemaError: if a feature is not there.
    """
    return _Repairs(scorer, comparison, n_draws, seed).test(tuple(features), comparison.places(features))


def minimal_repair(
    scorer: Scorer,
    comparison: Comparison,
    groups: Mapping[str, Sequence[str]],
    *,
    target: float = 0.5,
    most: int = 5,
    n_draws: int | None = None,
    seed: int = 0,
) -> RepairSearch:
    """Search greedily for the smallest set of groups that closes the gap to ``target``.

    Adds what closes most, then takes away what is not needed. Every set is tried on the same draws of peers, so that sets
    differ by what they hold and not by luck; the interval of the best is that of a set chosen for its size, and too narrow.

    Args:
        groups: what may be replaced: features by the name of their group; a single feature is a group of one.
        target: share of the gap, in (0, 1].
        most: groups in a set.

    Raises:
        SchemaError: if a feature is not there.
    """
    repairs = _Repairs(scorer, comparison, n_draws, seed)
    places = {name: comparison.places(members) for name, members in groups.items()}

    def test(names: Sequence[str]) -> Repair:
        return repairs.test(tuple(names), sorted({place for name in names for place in places[name]}))

    steps: list[Repair] = [test(())]
    while len(steps) <= min(most, len(groups)) and not steps[-1].rho.value >= target:
        rest = [name for name in groups if name not in steps[-1].replaced]
        steps.append(max((test((*steps[-1].replaced, name)) for name in rest), key=lambda one: one.rho.value))
    best = steps[-1]
    is_reached = best.rho.value >= target
    for name in best.replaced[:-1] if is_reached else ():
        fewer = test([one for one in best.replaced if one != name])
        best = fewer if fewer.rho.value >= target else best
    return RepairSearch(tuple(steps[1:]), best, is_reached)


class _Repairs:
    """Tests on the same draws of peers' rows."""

    def __init__(self, scorer: Scorer, comparison: Comparison, n_draws: int | None, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._scorer, self._comparison = scorer, comparison
        n_rows = len(comparison.rows)
        n_draws = n_draws or max(_LEAST_DRAWS, -(-_LEAST_REPAIRED // n_rows))
        self._draws = balanced_draws(len(comparison.peers), n_draws * n_rows, rng).reshape(n_draws, n_rows)
        self._before = scorer(comparison.rows)
        self._target = float(np.mean(scorer(comparison.peers)))
        self._weights = resampled_weights(len(comparison.rows), comparison.clusters, _N_RESAMPLES, rng)

    def test(self, names: tuple[str, ...], places: Sequence[int]) -> Repair:
        closed, gap = self._after(places) - self._before, self._target - self._before
        return Repair(
            names,
            _ratio(closed, gap, self._weights),
            gap=-float(gap.mean()),
            gap_left=float(closed.mean() - gap.mean()),
        )

    def _after(self, places: Sequence[int]) -> Floats:
        """Mean margin of each row over its draws, (n_rows,)."""
        n_draws, n_rows = self._draws.shape
        repaired = np.tile(self._comparison.rows, (n_draws, 1))
        repaired[:, places] = self._comparison.peers[self._draws.ravel()][:, places]
        return np.asarray(self._scorer(repaired).reshape(n_draws, n_rows).mean(axis=0)) if places else self._before


def _ratio(closed: Floats, gap: Floats, weights: Floats) -> Estimate:
    """Ratio of the means; its interval only where every resample's gap has the sign of the whole."""
    whole, gaps = float(gap.mean()), weights @ gap
    if not whole:
        return Estimate(float("nan"), float("nan"), float("nan"))
    is_clear = np.all(np.sign(gaps) == np.sign(whole))
    low, high = np.quantile(weights @ closed / gaps, [0.025, 0.975]) if is_clear else (np.nan, np.nan)
    return Estimate(float(closed.mean() / whole), float(low), float(high))
