"""Does the sample see every slice? Counted for each value of a dimension and each pair of values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from recsysops.serving.estimation import Clusters

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
BROKEN_Z = 4.0


@dataclass(frozen=True)
class Cell:
    """Requests with one value, or one pair of values."""

    slice: tuple[tuple[str, str], ...]
    """(dimension, value), one or two."""
    n_requests: float
    """N, all requests."""
    expected: float
    """E[n] = Σ π, logged requests to be expected."""
    p_empty: float
    """Probability that none is logged, Π (1 − π); with a member-day rule at most that."""
    cv: float
    """Standard deviation of the estimated N by N; infinite where a rate is 0."""
    n_logged: int | None = None
    n_eff: float | None = None
    """(Σ w)² / Σ w² of the logged, w = 1 / π."""
    z: float | None = None
    """Estimated N − N in standard deviations; None where a rate is 0 or nothing was logged yet."""


@dataclass(frozen=True)
class Coverage:
    """All cells, by dimension and value."""

    cells: tuple[Cell, ...]
    n_min: int

    @property
    def short(self) -> tuple[Cell, ...]:
        """Cells that expect fewer than ``n_min`` logged requests, though they have more."""
        return tuple(cell for cell in self.cells if cell.expected < min(self.n_min, cell.n_requests) - 1e-9)

    @property
    def broken(self) -> tuple[Cell, ...]:
        """Cells whose estimated count is beyond chance: the sampler is broken, or part of the log is lost."""
        return tuple(cell for cell in self.cells if cell.z is not None and abs(cell.z) > BROKEN_Z)


def coverage(
    dimensions: Mapping[str, Sequence[str | None]],
    rates: npt.ArrayLike,
    *,
    is_logged: npt.ArrayLike | None = None,
    weights: npt.ArrayLike = 1.0,
    n_min: int = 299,
    clusters: Clusters | None = None,
) -> Coverage:
    """Count all 1- and 2-way cells.

    Args:
        dimensions: (n_requests,) values of all requests, logged or not, by dimension; None counts as empty.
        rates: (n_requests,) the inclusion probability of each, π, in [0, 1].
        is_logged: (n_requests,) which of them the log has; None while planning.
        weights: how many requests each stands for, to plan from an earlier sample; 1 when ``is_logged`` is given.
        n_min: logged requests that a cell should have, 299 to see a fault of 1 %.
        clusters: of all requests, for a plan with a member-day rule; without them z is too large.

    Raises:
        ValueError: for rates outside [0, 1], other lengths, or weights beside ``is_logged``.
    """
    pi, m = _checked(dimensions, rates, weights)
    logged = None if is_logged is None else np.asarray(is_logged, bool)
    if logged is not None and (logged.shape != pi.shape or np.any(m != 1)):
        raise ValueError(
            "is_logged: found another length, or weights beside it, expected one flag for each single request"
        )
    codes = {name: _coded(values) for name, values in dimensions.items()}
    cells: list[Cell] = []
    for name, (known, which) in codes.items():
        cells += _cells([((name, value),) for value in known], which, pi, m, logged, clusters)
    for one, other in combinations(codes, 2):
        (known, which), (known2, which2) = codes[one], codes[other]
        pairs, pair = np.unique(which * len(known2) + which2, return_inverse=True)
        slices = [((one, known[pair // len(known2)]), (other, known2[pair % len(known2)])) for pair in pairs.tolist()]
        cells += _cells(slices, pair, pi, m, logged, clusters)
    return Coverage(tuple(cells), n_min)


def _cells(
    slices: Sequence[tuple[tuple[str, str], ...]],
    which: Integers,
    pi: Floats,
    m: Floats,
    logged: npt.NDArray[np.bool_] | None,
    clusters: Clusters | None,
) -> list[Cell]:
    def total(values: Floats) -> Floats:
        return np.bincount(which, values, minlength=len(slices)).astype(np.float64)

    with np.errstate(divide="ignore"):
        odds = (1 - pi) / pi
        never = np.exp(total(m * np.log1p(-pi)))
    n = total(m)
    deviation = np.sqrt(total(m * odds) + _together(which, odds, clusters, len(slices)))
    columns: list[list[float]] = [one.tolist() for one in (n, total(m * pi), never, deviation / n)]
    if logged is None:
        return [Cell(*row) for row in zip(slices, *columns, strict=True)]
    w = np.divide(1.0, pi, out=np.zeros(len(pi)), where=logged & (pi > 0))
    n_logged, weight = total(logged.astype(np.float64)), total(w)
    effective = np.divide(weight**2, total(w**2), out=np.zeros(len(n)), where=weight > 0)
    scores = [_z(*one) for one in zip(weight.tolist(), n.tolist(), deviation.tolist(), strict=True)]
    rows = zip(slices, *columns, n_logged.astype(int).tolist(), effective.tolist(), scores, strict=True)
    return [Cell(*row) for row in rows]


def _together(which: Integers, odds: Floats, clusters: Clusters | None, n_cells: int) -> Floats:
    """What requests of one member and day in the same cell add to the variance of its count."""
    if clusters is None or not clusters.rate:
        return np.zeros(n_cells)
    has_member = clusters.member_day >= 0
    _, group = np.unique(np.stack([which, clusters.member_day])[:, has_member], axis=1, return_inverse=True)
    group = group.ravel()
    sums, squares = np.bincount(group, odds[has_member]), np.bincount(group, odds[has_member] ** 2)
    cell = np.zeros(len(sums), np.int64)
    cell[group] = which[has_member]
    extra = np.bincount(cell, sums**2 - squares, minlength=n_cells).astype(np.float64)
    return clusters.rate / (1 - clusters.rate) * extra


def _z(estimated: float, n: float, deviation: float) -> float | None:
    if not np.isfinite(deviation):
        return None
    if deviation == 0:
        return 0.0 if abs(estimated - n) < 0.5 else float(np.copysign(np.inf, estimated - n))
    return (estimated - n) / deviation


def _coded(values: Sequence[str | None]) -> tuple[list[str], Integers]:
    known, which = np.unique(
        np.array(["" if value is None else str(value) for value in values], str), return_inverse=True
    )
    return known.tolist(), which.astype(np.int64)


def _checked(
    dimensions: Mapping[str, Sequence[str | None]], rates: npt.ArrayLike, weights: npt.ArrayLike
) -> tuple[Floats, Floats]:
    pi = np.asarray(rates, np.float64)
    m = np.broadcast_to(np.asarray(weights, np.float64), pi.shape)
    strange = [name for name, values in dimensions.items() if len(values) != len(pi)]
    if strange:
        raise ValueError(
            f"{strange[0]}: found {len(dimensions[strange[0]])} values, expected {len(pi)}, one per request"
        )
    is_bad = ~((pi >= 0) & (pi <= 1))
    if is_bad.any():
        raise ValueError(f"rates: found {pi[is_bad][0]} in {is_bad.sum():,} requests, expected numbers in [0, 1]")
    return pi, m
