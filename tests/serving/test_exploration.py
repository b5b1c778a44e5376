"""Propensities are what an enumeration of all draws gives, and what many requests show."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from recsysops.serving import explore
from recsysops.serving.exploration import Exploration


def enumerated(n: int, share: float, swap_rate: float) -> np.ndarray:
    """(n, n) probability that what ranks i stands at place p: over explored or not, both pairings, every set of swaps."""
    found = (1 - share) * np.eye(n)
    for first in (0, 1):
        pairs = range(first, n - 1, 2)
        for swaps in product((False, True), repeat=len(pairs)):
            order = list(range(n))
            p = share / 2
            for start, is_swapped in zip(pairs, swaps, strict=True):
                p *= swap_rate if is_swapped else 1 - swap_rate
                if is_swapped:
                    order[start], order[start + 1] = order[start + 1], order[start]
            for place, rank in enumerate(order):
                found[rank, place] += p
    return found


@pytest.mark.parametrize("n", range(8))
@pytest.mark.parametrize(("share", "swap_rate"), [(0.25, 0.5), (1.0, 0.5), (0.5, 0.125), (0.0, 0.5), (1.0, 1.0)])
def test_equals_the_enumeration(n: int, share: float, swap_rate: float) -> None:
    truth = enumerated(n, share, swap_rate)
    for number in range(60):
        found = explore(f"r-{number}", n, share=share, swap_rate=swap_rate)
        assert sorted(found.order) == list(range(n))
        assert all(abs(rank - place) <= 1 for place, rank in enumerate(found.order))
        np.testing.assert_allclose(found.propensity, truth[found.order, np.arange(n)], atol=1e-15)


def test_frequencies_are_the_propensities() -> None:
    n, n_requests = 5, 20_000
    seen = np.zeros((n, n))
    for number in range(n_requests):
        found = explore(f"r-{number}", n, share=0.5, swap_rate=0.5)
        seen[found.order, np.arange(n)] += 1
    truth = enumerated(n, 0.5, 0.5)
    deviation = np.sqrt(np.maximum(truth * (1 - truth), 1e-12) / n_requests)
    assert np.abs(seen / n_requests - truth).max() < 4 * deviation.max()
    assert not seen[truth == 0].any()


def test_what_is_not_explored_stays() -> None:
    found = [explore(f"r-{number}", 4, share=0.1) for number in range(5000)]
    touched = [one for one in found if one.is_randomised]
    assert 400 < len(touched) < 600
    assert all((one.order == np.arange(4)).all() for one in found if not one.is_randomised)
    untouched = next(one for one in found if not one.is_randomised)
    with pytest.raises(ValueError, match="read-only"):
        untouched.propensity[0] = 0.5


def same(one: Exploration, other: Exploration) -> bool:
    return bool((one.order == other.order).all() and (one.propensity == other.propensity).all())


def test_is_repeatable_and_has_its_own_salt() -> None:
    found = [explore(f"r-{number}", 9, share=0.5) for number in range(200)]
    assert all(same(one, explore(f"r-{number}", 9, share=0.5)) for number, one in enumerate(found))
    other = [explore(f"r-{number}", 9, share=0.5, salt="another") for number in range(200)]
    agree = sum(one.is_randomised == two.is_randomised for one, two in zip(found, other, strict=True))
    assert 60 < agree < 140


@pytest.mark.parametrize("bad", [{"share": 1.1}, {"share": 0.5, "swap_rate": -0.1}, {"share": 0.5, "n": -1}])
def test_refuses(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        explore("r-1", **({"n": 3} | bad))  # type: ignore[arg-type]
