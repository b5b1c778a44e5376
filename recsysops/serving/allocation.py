"""How many requests of each stratum to log with a given budget."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Allocation:
    """Expected logged requests of each stratum, (n_strata,), and the rates that give them."""

    n: Floats
    rate: Floats


def n_min(fault_rate: float, confidence: float = 0.95) -> int:
    """Requests of which at least one shows a fault of this rate, with this confidence: ln(1 − c) / ln(1 − p).

    Raises:
        ValueError: if either is not between 0 and 1.

    Example:
        >>> n_min(0.01)
        299
    """
    for name, value in (("fault_rate", fault_rate), ("confidence", confidence)):
        if not 0 < value < 1:
            raise ValueError(f"{name}: found {value}, expected a number between 0 and 1")
    return math.ceil(math.log1p(-confidence) / math.log1p(-fault_rate))


def n_per_side(rate: float, difference: float) -> int:
    """Requests on each of two sides that show a difference of rates in four of five cases: 16 p (1 − p) / δ².

    Raises:
        ValueError: if the rate is not in (0, 1) or the difference is 0.

    Source:
        Lehr (1992): two-sided 5 %, power 80 %.
    """
    if not 0 < rate < 1 or not difference:
        raise ValueError(
            f"rate, difference: found {rate}, {difference}, expected a rate between 0 and 1 and a difference"
        )
    return math.ceil(16 * rate * (1 - rate) / difference**2)


def allocate(
    sizes: npt.ArrayLike,
    budget: float,
    *,
    spreads: npt.ArrayLike = 1.0,
    costs: npt.ArrayLike = 1.0,
    floor: npt.ArrayLike = 0.0,
    cap: npt.ArrayLike = np.inf,
    power: float = 1.0,
) -> Allocation:
    """Neyman's allocation n ∝ N^power · S / √c between a floor and a cap: the same water level for all that are free.

    With power 1 it minimises the variance Σ N² S² / n of the total among all allocations of that cost within the bounds. With
    power ½ small strata are served better, for estimates of each by itself.

    Args:
        sizes: (n_strata,) requests of each stratum, N.
        budget: Σ c · n to spend; what every stratum has at most is enough.
        spreads: (n_strata,) standard deviation within the stratum, S; equal by default.
        costs: (n_strata,) of one logged request, c.
        floor: at least so many, or all if there are fewer; ``n_min`` tells how many see a fault.
        cap: at most so many; never more than there are.

    Raises:
        ValueError: if the floors cost more than the budget, or a number is negative or not finite.

    Example:
        >>> allocate([1_000_000, 10_000, 100], 10_000, floor=n_min(0.01)).n.round().tolist()
        [9601.0, 299.0, 100.0]

    Source:
        Neyman (1934); power allocation: Bankier (1988).
    """
    n_all, s, c, least, most = _checked(sizes, spreads, costs, floor, cap)
    if float(np.sum(c * least)) > budget * (1 + 1e-12):
        raise ValueError(
            f"budget: found {budget:g}, expected at least {np.sum(c * least):g} for the floors; lower them"
        )
    if float(np.sum(c * most)) <= budget:
        n = most
    else:
        n = np.clip(_level(n_all**power * s / np.sqrt(c), c, least, most, budget), least, most)
    return Allocation(n, np.divide(n, n_all, out=np.zeros(len(n)), where=n_all > 0))


def _level(share: Floats, cost: Floats, least: Floats, most: Floats, budget: float) -> Floats:
    """``level · share`` for the level at which what lies between the bounds spends the budget.

    The cost rises piecewise linearly with the level; its bends are where a stratum leaves its floor or meets its cap.
    """
    is_free = share > 0
    bends = np.unique(np.concatenate([least[is_free] / share[is_free], most[is_free] / share[is_free], [0.0]]))
    spent = np.array([float(np.sum(cost * np.clip(bend * share, least, most))) for bend in bends])
    return float(np.interp(budget, spent, bends)) * share


def _checked(
    sizes: npt.ArrayLike, spreads: npt.ArrayLike, costs: npt.ArrayLike, floor: npt.ArrayLike, cap: npt.ArrayLike
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    n_all = np.asarray(sizes, np.float64)
    s, c, least, most = (
        np.broadcast_to(np.asarray(one, np.float64), n_all.shape) for one in (spreads, costs, floor, cap)
    )
    for name, values, is_good in (
        ("sizes", n_all, np.isfinite(n_all) & (n_all >= 0)),
        ("spreads", s, np.isfinite(s) & (s >= 0)),
        ("costs", c, np.isfinite(c) & (c > 0)),
        ("floor", least, np.isfinite(least) & (least >= 0)),
        ("cap", most, most >= 0),
    ):
        if not np.all(is_good):
            raise ValueError(f"{name}: found {values[~is_good][0]}, expected numbers of at least 0, costs above")
    most = np.minimum(most, n_all)
    return n_all, s, c, np.minimum(least, most), most
