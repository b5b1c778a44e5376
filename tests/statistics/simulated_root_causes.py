"""Metrics by attribute with known root causes: several at once, of one to all attributes, in noise of two kinds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Values = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class World:
    """What to simulate. Values are Weibull, 100 on average or so; a part of the leaves is 0."""

    sizes: tuple[int, ...]
    """How many values each dimension has."""
    max_layer: int = 3
    n_causes: tuple[int, int] = (1, 3)
    n_elements: tuple[int, int] = (1, 3)
    """Combinations per cause, all of the same attributes and severity."""
    severity: tuple[float, float] = (0.2, 1.0)
    """Part that is lost, beyond the noise."""
    spread: tuple[float, float] = (0.0, 0.1)
    """Standard deviation of the severity within a cause."""
    noise: tuple[float, float] = (0.0, 0.25)
    """Relative error of the forecast; not used with ``rows``."""
    rows: float | None = None
    """Counts with Poisson noise in the place of amounts, scaled by this."""


@dataclass(frozen=True, eq=False)
class Case:
    codes: npt.NDArray[np.int64]
    actual: Floats
    forecast: Floats
    truth: frozenset[Values]


def simulate(world: World, rng: np.random.Generator) -> Case:
    """One case; the actual falls where the total is below the forecast already, else the forecast is too low."""
    codes = np.indices(world.sizes).reshape(len(world.sizes), -1).T
    level = float(rng.uniform(*world.noise)) if world.rows is None else 0.0
    actual, forecast = _quiet(world, rng, len(codes), level)
    falls, truth = bool(actual.sum() <= forecast.sum()), set[Values]()
    used: list[tuple[int, ...]] = []
    for _ in range(rng.integers(*world.n_causes, endpoint=True)):
        elements = _elements(world, rng, used, truth)
        severity, spread = rng.uniform(*world.severity) + level, rng.uniform(*world.spread)
        for values in elements:
            is_in = np.logical_and.reduce([codes[:, dimension] == code for dimension, code in values])
            if not (actual[is_in].any() and forecast[is_in].any()):
                continue  # nothing there that could change
            left = np.clip(1 - rng.normal(severity, spread, int(is_in.sum())), 0, None)
            if world.rows is not None:
                mean = forecast[is_in] * (left if falls else 1 / np.maximum(left, 0.1))
                actual[is_in] = rng.poisson(mean)
            elif falls:
                actual[is_in] = forecast[is_in] * left
            else:
                forecast[is_in] = actual[is_in] * left
            truth.add(values)
    return Case(codes, actual, forecast, frozenset(truth))


def _quiet(world: World, rng: np.random.Generator, n: int, level: float) -> tuple[Floats, Floats]:
    plain = rng.weibull(rng.uniform(0.5, 1.0), n) * 100 * (rng.random(n) >= rng.uniform(0, 0.25))
    if world.rows is not None:
        return rng.poisson(plain * world.rows).astype(np.float64), plain * world.rows
    noisy, swap = np.maximum(plain * (1 + level * rng.normal(size=n)), 0), rng.random(n) < 0.5
    return np.where(swap, noisy, plain), np.where(swap, plain, noisy)


def _elements(world: World, rng: np.random.Generator, used: list[tuple[int, ...]], truth: set[Values]) -> set[Values]:
    """Combinations of attributes not used before, of values that no other root cause names."""
    named = {pair for values in truth for pair in values}
    while True:
        layer = int(rng.integers(1, min(world.max_layer, len(world.sizes)), endpoint=True))
        chosen = tuple(sorted(int(one) for one in rng.choice(len(world.sizes), layer, replace=False)))
        free = [[c for c in range(world.sizes[d]) if (d, c) not in named] for d in chosen]
        n = int(rng.integers(*world.n_elements, endpoint=True))
        if (chosen in used and layer < len(world.sizes)) or not all(free):
            continue
        elements = {tuple((d, int(rng.choice(codes))) for d, codes in zip(chosen, free, strict=True)) for _ in range(n)}
        used.append(chosen)
        return elements


def f1(found: Iterable[frozenset[Values]], truth: Iterable[frozenset[Values]]) -> float:
    """Of attribute sets, over all cases together."""
    pairs = list(zip(found, truth, strict=True))
    hits = sum(len(a & b) for a, b in pairs)
    return 2 * hits / max(sum(len(a) + len(b) for a, b in pairs), 1)
