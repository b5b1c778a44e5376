"""Where a metric dropped or rose: the combinations of attribute values that explain it, by RiskLoc."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from recsysops.statistics._arrays import BoolArray, divide
from recsysops.statistics.leaf_risk import JudgedLeaves, judge_leaves, noise_of, risk_of_groups
from recsysops.statistics.leaves import Leaves, group_rows
from recsysops.statistics.uniform_change import unevenness

_EVEN = 0.25
_ROUNDING = 1e-9


@dataclass(frozen=True)
class RootCause:
    """One combination of attribute values that changed as a whole."""

    values: tuple[tuple[int, int], ...]
    """(dimension, value code), by dimension; ``leaves.OTHER`` for rare values together; empty: everything changed alike."""
    risk: float
    """In [-1, 1]: how far its leaves are affected, less how far they do not share one relative change."""
    explanatory_power: float
    """Its part of the total change, ``(v - f) / (V - F)``; nan where the total did not change."""
    actual: float
    forecast: float


@dataclass(frozen=True)
class RiskLimits:
    """What a root cause must reach."""

    risk: float = 0.5
    power: float = 0.02
    """Share of the affected leaves' change."""
    z: float = 4.0
    """Its change over the noise of as large a forecast, as the unaffected leaves show it."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    values: tuple[tuple[int, int], ...]
    risk: float
    power: float


def locate_root_causes(
    leaves: Leaves,
    limits: RiskLimits = RiskLimits(),
    *,
    max_layers: int = 3,
    max_dimensions: int = 4,
    max_causes: int = 10,
) -> tuple[RootCause, ...]:
    """Find the attribute combinations whose leaves deviate from the forecast together.

    For a combination S, ``risk = A / (A + N + 0.3) - mean |d'| / mean |d|`` with A and N the weights of its affected and its
    other leaves and d' what is left of their deviations d if all of S changed by one ratio (``leaf_risk``). Layer by
    layer, 1 to ``max_layers`` attributes, the S that explains most and passes the limits is a root cause; its leaves are
    taken out and the search starts over, until the affected leaves left explain less than ``limits.power`` of what they
    did. Values that explain less than that by themselves are not combined.

    Beyond the paper: small leaves are smoothed (``leaves.gather_leaves``), chance is held off by ``limits.z`` rather than
    by 1 in the place of 0.3, and a change that all values share (``uniform_change.unevenness`` <= 1/4) is one root cause
    without attributes: taken for the noise, it would hide itself. Changes against the direction of the larger deviations
    are not looked for.

    Parameters: ``leaves`` of at most ``max_dimensions`` dimensions: the search is exponential in layers.
    Returns: root causes in the order found; none where nothing stands out.
    Raises: ``ValueError`` for more dimensions, or for a maximum below 1.

    Example:
        >>> from recsysops.statistics.leaves import gather_leaves
        >>> codes = np.indices((5, 4, 3)).reshape(3, -1).T
        >>> forecast = np.full(60, 100.0)
        >>> actual = np.where(codes[:, 0] == 2, 50.0, 95.0 + np.arange(60) % 11)
        >>> [cause.values for cause in locate_root_causes(gather_leaves(codes, actual, forecast))]
        [((0, 2),)]

    Source: Kalander, RiskLoc, arXiv 2205.10004 (2022).
    """
    n_dimensions = leaves.codes.shape[1]
    if n_dimensions > max_dimensions:
        raise ValueError(f"found {n_dimensions} dimensions, expected at most {max_dimensions}; adtributor ranks them")
    if min(max_layers, max_causes) < 1:
        raise ValueError(f"found max_layers {max_layers} and max_causes {max_causes}, expected at least 1")
    everything = _everything(leaves, limits)
    if everything is not None:
        return (everything,)
    left = judge_leaves(leaves)
    floor = limits.power * left.affected_change
    found: list[RootCause] = []
    while len(found) < max_causes and left.affected_change >= floor > 0:
        best = next((one for one in _by_layer(left, max_layers, limits, floor) if one is not None), None)
        if best is None:
            break
        is_part = np.logical_and.reduce([left.leaves.codes[:, at] == code for at, code in best.values])
        found.append(_root_cause(best.values, best.risk, left.leaves.where(is_part), leaves))
        left = left.where(~is_part)
    return tuple(found)


def _root_cause(values: tuple[tuple[int, int], ...], risk: float, part: Leaves, whole: Leaves) -> RootCause:
    v, f = float(part.actual.sum()), float(part.forecast.sum())
    power = float(divide(v - f, whole.actual.sum() - whole.forecast.sum()))
    return RootCause(values, risk, power if np.isfinite(power) else float("nan"), v, f)


def _everything(leaves: Leaves, limits: RiskLimits) -> RootCause | None:
    """The root cause without attributes, if all values changed alike and more than by chance."""
    uneven = unevenness(leaves)
    if not uneven <= _EVEN:
        return None
    v, f = float(leaves.actual.sum()), float(leaves.forecast.sum())
    noise = noise_of(leaves.actual, leaves.forecast * v / f)
    is_beyond = abs(v - f) >= limits.z * np.sqrt(noise * f)
    return _root_cause((), 1.0 - uneven, leaves, leaves) if is_beyond else None


def _by_layer(judged: JudgedLeaves, max_layers: int, limits: RiskLimits, floor: float) -> Iterator[_Candidate | None]:
    """The best candidate of every layer, for as long as the next one is asked for."""
    n_dimensions = judged.leaves.codes.shape[1]
    promising = _promising(judged, floor)
    for layer in range(1, min(max_layers, n_dimensions) + 1):
        best: _Candidate | None = None
        for dimensions in combinations(range(n_dimensions), layer):
            part = judged.where(np.logical_and.reduce(promising[:, dimensions], axis=1))
            best = _best_of(part, dimensions, limits, floor if best is None else best.power) or best
        yield best


def _promising(judged: JudgedLeaves, floor: float) -> BoolArray:
    """Whether each leaf's value of each dimension may be part of a root cause, (n_leaves, n_dimensions)."""
    may = np.empty(judged.leaves.codes.shape, bool)
    for dimension, codes in enumerate(judged.leaves.codes.T):
        _, group = np.unique(codes, return_inverse=True)
        at_most = np.bincount(group, np.maximum(judged.change, 0.0))
        has_affected = np.bincount(group, judged.is_affected) > 0
        may[:, dimension] = (has_affected & (at_most >= floor))[group]
    return may


def _best_of(judged: JudgedLeaves, dimensions: tuple[int, ...], limits: RiskLimits, floor: float) -> _Candidate | None:
    """The most explaining combination of values of these dimensions that passes, if one explains more than the floor."""
    if not len(judged.change):
        return None
    values, group = group_rows(judged.leaves.codes[:, dimensions])
    power, n_affected, forecast = (
        np.bincount(group, one) for one in (judged.change, judged.is_affected, judged.leaves.forecast)
    )
    risk = risk_of_groups(judged, group)
    is_good = (n_affected > 0) & (power > floor) & (risk >= limits.risk - _ROUNDING)
    is_good &= power >= limits.z * np.sqrt(judged.noise * forecast)
    if not is_good.any():
        return None
    best = int(np.argmax(np.where(is_good, power, -np.inf)))
    found = tuple((dimension, int(code)) for dimension, code in zip(dimensions, values[best], strict=True))
    return _Candidate(found, float(risk[best]), float(power[best]))
