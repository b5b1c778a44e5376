"""Slates: the first eight after policy, with a randomised slice in which the first twelve are shuffled."""

from __future__ import annotations

import numpy as np

from recsysops.drills.rows import Column, Rows
from recsysops.drills.world.population import Integers
from recsysops.drills.world.size import stream
from recsysops.drills.world.vocabulary import RANDOMISED_DEPTH, RANDOMISED_SHARE, SLATE


def shown(requests: Rows, ranked: Rows, seed: int, number: int) -> Rows:
    """The ranked candidates with ``final_rank``, ``is_shown``, ``propensity`` and ``is_randomised``.

    The propensity is that of the item at its position over both ways of ordering: with probability 0.99 the slate is in
    the order of policy, with 0.01 the first twelve that may be shown are in a random order, each equally likely.

    Args:
        ranked: candidates ordered by request, with ``policy_rank`` and ``filtered_by``.
    """
    request, rank = ranked["request"], ranked["policy_rank"]
    may = ranked["filtered_by"] == None  # noqa: E711  (elementwise)
    n_open = np.bincount(request[may], minlength=len(requests))[request]
    depth = np.minimum(n_open, RANDOMISED_DEPTH)
    is_deep = may & (rank <= depth)
    is_randomised = (requests["randomised"] < RANDOMISED_SHARE)[request]
    shuffled = _shuffled(request, rank, is_deep & is_randomised, seed, number)
    is_shown = may & (shuffled <= SLATE)
    in_order = np.where(shuffled == rank, 1 - RANDOMISED_SHARE, 0.0)
    by_chance = np.where(is_deep, RANDOMISED_SHARE / np.maximum(depth, 1), 0.0)
    return ranked.with_columns(
        final_rank=shuffled,
        is_shown=is_shown,
        propensity=np.where(is_shown, in_order + by_chance, np.nan),
        is_randomised=is_randomised,
    )


def _shuffled(request: Integers, rank: Integers, chosen: Column, seed: int, number: int) -> Integers:
    """Ranks with those of the chosen candidates exchanged at random within each request."""
    rows = np.flatnonzero(chosen)
    draws = stream(seed, "slates", number).random(len(rows))
    result = rank.copy()
    by_rank = rows[np.lexsort((rank[rows], request[rows]))]
    by_draw = rows[np.lexsort((draws, request[rows]))]
    result[by_draw] = rank[by_rank]
    return result
