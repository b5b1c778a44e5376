"""Allocations are the best there are: no other of the same cost within the bounds has a smaller variance."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, minimize
from scipy.stats import binom

from recsysops.serving import allocate, n_min
from recsysops.serving.allocation import n_per_side

Floats = npt.NDArray[np.float64]
STRATA = st.lists(
    st.tuples(st.floats(10, 1e6), st.floats(0.1, 10), st.floats(0.5, 4), st.integers(0, 50), st.floats(20, 1e6)),
    min_size=2,
    max_size=6,
)


@settings(deadline=None, derandomize=True)
@given(STRATA, st.floats(0, 1))
def test_is_the_best_within_the_bounds(strata: list[tuple[float, ...]], tightness: float) -> None:
    """Karush, Kuhn and Tucker's conditions, which suffice here: one request more per unit of cost gains the same in every
    stratum that is free, no less in one at its cap, no more in one at its floor."""
    sizes, spreads, costs, floor, cap = map(np.array, zip(*strata, strict=True))
    most = np.minimum(cap, sizes)
    least = np.minimum(floor, most)
    budget = float(np.sum(costs * least) + tightness * np.sum(costs * (most - least)))
    n = allocate(sizes, budget, spreads=spreads, costs=costs, floor=floor, cap=cap).n
    assert np.all((n >= least) & (n <= most))
    assert np.sum(costs * n) == pytest.approx(budget, rel=1e-9, abs=1e-9)
    gain = sizes * spreads / np.sqrt(costs) / np.maximum(n, 1e-12)
    is_least, is_most = n <= least * (1 + 1e-9), n >= most * (1 - 1e-9)
    can_give, can_take = gain[~is_least], gain[~is_most]
    if len(can_give) and len(can_take):
        assert can_take.max() <= can_give.min() * (1 + 1e-6)


def test_agrees_with_a_general_optimiser() -> None:
    sizes, spreads, costs = (
        np.array([9000.0, 4000.0, 600.0, 50.0]),
        np.array([1.0, 3.0, 2.0, 5.0]),
        np.array([1.0, 2.0, 1.0, 1.0]),
    )
    least, most, budget = np.full(4, 40.0), np.array([9000.0, 500.0, 600.0, 50.0]), 1500.0

    def variance(n: Floats) -> float:
        return float(np.sum((sizes * spreads) ** 2 / n)) / 1e6

    best = minimize(
        variance,
        np.full(4, 45.0),
        bounds=Bounds(least, most),
        constraints=LinearConstraint(costs, -np.inf, budget),
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 500},
    )
    assert best.success
    found = allocate(sizes, budget, spreads=spreads, costs=costs, floor=least, cap=most).n
    np.testing.assert_allclose(found, best.x, rtol=1e-3)


def test_neyman_without_bounds() -> None:
    found = allocate([1000, 1000, 2000], 400, spreads=[1, 3, 1])
    np.testing.assert_allclose(found.n, [400 / 6, 200, 800 / 6])
    np.testing.assert_allclose(found.rate, found.n / [1000, 1000, 2000])
    rooted = allocate([100, 10_000], 110, power=0.5)
    np.testing.assert_allclose(rooted.n, [10, 100])


def test_more_than_enough_logs_all() -> None:
    found = allocate([10, 0, 5], 100, floor=20)
    assert found.n.tolist() == [10, 0, 5]
    assert found.rate.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ({"floor": 60}, "for the floors"),
        ({"spreads": [-1.0, 1.0]}, "spreads"),
        ({"costs": [0.0, 1.0]}, "costs"),
        ({"floor": np.nan}, "floor"),
        ({"cap": -1.0}, "cap"),
        ({"sizes": [np.inf, 1.0]}, "sizes"),
    ],
)
def test_refuses(given_: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        allocate(**({"sizes": [100.0, 100.0], "budget": 100} | given_))  # type: ignore[arg-type]


@pytest.mark.parametrize("rate", [0.5, 0.1, 0.01, 0.001])
def test_n_min_is_the_least_that_sees_the_fault(rate: float) -> None:
    n = n_min(rate)
    assert binom.sf(0, n, rate) >= 0.95
    assert binom.sf(0, n - 1, rate) < 0.95


def test_n_per_side() -> None:
    assert n_per_side(0.5, 0.1) == math.ceil(400)
    for bad in ((0.0, 0.1), (0.5, 0.0)):
        with pytest.raises(ValueError, match="rate, difference"):
            n_per_side(*bad)
    for bad in ((0.0, 0.95), (0.1, 1.0)):
        with pytest.raises(ValueError, match="between 0 and 1"):
            n_min(*bad)
