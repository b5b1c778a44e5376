"""A little randomness in a small share of slates, with the true propensities of what is shown.

Neighbours change places: of an explored request either the places (1, 2), (3, 4) … or (2, 3), (4, 5) … are pairs, each as
likely, and every pair is swapped with the same probability. No item moves by more than one place. All draws are hashes of the
request's id, so anyone can repeat them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from recsysops.serving.hashing import WHOLE, hash64, threshold


@dataclass(frozen=True)
class Exploration:
    """A slate's order and how likely it was to be so. The arrays are shared and read-only."""

    order: npt.NDArray[np.intp]
    """(n,) for each place of the slate, which place of the ranking is shown there, from 0: ``[items[k] for k in order]``."""
    propensity: npt.NDArray[np.float64]
    """(n,) probability, over all draws, that the item shown at this place is shown there."""
    is_randomised: bool
    """Whether the request was explored; log it as ``randomised``, so that it is always kept."""


def explore(request_id: str, n: int, *, share: float, swap_rate: float = 0.5, salt: str = "explore") -> Exploration:
    """Swap neighbours on a share of the slates.

    An item keeps its place with probability ``1 - share · swap_rate`` (at the ends ``1 - share · swap_rate / 2``) and stands
    on either neighbouring place with ``share · swap_rate / 2``.

    Args:
        request_id: of the request; the same id gives the same order.
        n: places of the slate.
        share: of requests that are explored, in [0, 1].
        swap_rate: of pairs that are swapped in an explored request, in [0, 1].
        salt: never that of sampling or of an experiment.

    Raises:
        ValueError: if a rate is not in [0, 1] or ``n`` is negative.

    Example:
        >>> found = explore("r-3", 4, share=1.0)
        >>> found.order.tolist(), found.propensity.tolist(), found.is_randomised
        ([0, 2, 1, 3], [0.75, 0.25, 0.25, 0.75], True)

    Source:
        Radlinski & Joachims (2006), "Minimally invasive randomization for collecting unbiased preferences from clickthrough
        logs" (FairPairs), with a share of untouched requests.
    """
    chosen, swapped = threshold(share), threshold(swap_rate)
    if n < 0:
        raise ValueError(f"n: found {n}, expected at least 0 places")
    if hash64(request_id, salt) >= chosen:
        return _untouched(n, chosen, swapped)
    order = np.arange(n)
    for first in range(hash64(f"{request_id}/pairs", salt) % 2, n - 1, 2):
        if hash64(f"{request_id}/{first}", salt) < swapped:
            order[first], order[first + 1] = order[first + 1], order[first]
    moved = _swap_probability(chosen, swapped)
    stayed = _untouched(n, chosen, swapped).propensity
    propensity = np.where(order == np.arange(n), stayed, moved)
    order.flags.writeable = propensity.flags.writeable = False
    return Exploration(order, propensity, is_randomised=True)


@lru_cache(maxsize=1024)
def _untouched(n: int, chosen: int, swapped: int) -> Exploration:
    """The ranking as it is; an item leaves its place by a swap with either neighbour, never with both."""
    n_neighbours = np.full(n, 2)
    n_neighbours[:1] -= 1
    n_neighbours[n - 1 :] -= 1
    propensity = 1 - n_neighbours * _swap_probability(chosen, swapped)
    order = np.arange(n)
    order.flags.writeable = propensity.flags.writeable = False
    return Exploration(order, propensity, is_randomised=False)


def _swap_probability(chosen: int, swapped: int) -> float:
    """That two given neighbours change places: explored, a pair, swapped."""
    return chosen / WHOLE * 0.5 * (swapped / WHOLE)
