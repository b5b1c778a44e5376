"""Permutation of request-hash buckets: is a distance between two windows more than clustered sampling noise?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import special

from recsysops.statistics._arrays import FloatArray, as_counts, divide
from recsysops.statistics.gamma_tail import gamma_tail_probability

Statistic: TypeAlias = Callable[[FloatArray, FloatArray], FloatArray]
"""``(reference_counts, current_counts) -> distance``: (..., n_cells) twice in, (...) out; higher is further apart."""

SMALLEST_TAIL = 1e-9
"""999 draws say nothing credible below this."""
_MIN_EXCEEDANCES = 10
_MAX_CELLS_AT_ONCE = 2_000_000


@dataclass(frozen=True, slots=True, eq=False)
class BucketPermutation:
    """Result of ``permute_buckets``; every field has the leading shape (...), nan where ``observed`` is nan."""

    observed: FloatArray
    """The statistic between the two windows."""
    p_value: FloatArray
    """(1 + draws >= observed) / (1 + n_draws), hence never below 1/(1 + n_draws)."""
    tail_p_value: FloatArray
    """``p_value`` with 10 or more draws above it; else extrapolated (see ``permute_buckets``)."""
    null_mean: FloatArray
    """Mean of the draws: what noise alone gives."""
    null_std: FloatArray
    """Standard deviation of the draws."""
    z: FloatArray
    """(observed - null_mean) / null_std; nan when the draws do not vary."""


def permute_buckets(
    reference: npt.ArrayLike,
    current: npt.ArrayLike,
    statistic: Statistic,
    *,
    n_draws: int = 999,
    seed: int | np.random.Generator = 0,
) -> BucketPermutation:
    """Whether two windows differ in shape by more than requests differ among themselves, for any distance.

    Whole buckets of requests are dealt to the two windows at random, so correlation of rows within a request is kept.
    Several reference days (day after day, each with the same buckets) are first added up bucket by bucket, and both
    windows are brought to equal size before dealing and back after it: a balanced deal has the right variance
    also when windows differ in volume, where dealing raw buckets does not: with an eighth of the volume it rejects
    68 % of quiet days at a nominal 5 % (simulated). Shapes are tested, not volumes.

    ``tail_p_value`` fits a gamma to the draws (``gamma_tail_probability``) and never goes below ``SMALLEST_TAIL`` nor
    below ``2 / C(v, v/2)``, the smallest p-value of the v bucket vectors that hold rows: few buckets, no small p.

    Parameters: ``reference`` (..., G * n_days, n_cells) and ``current`` (..., G, n_cells), rows per bucket and cell,
    equal leading dimensions; ``statistic`` vectorised over leading dimensions; ``seed`` fixes the deal, which is the
    same for every series of a call.
    Returns: ``BucketPermutation`` of arrays (...).
    Raises: ``ValueError`` for negative counts, unequal shapes, G_reference no multiple of G, or under 20 draws.

    Example:
        >>> from recsysops.statistics.psi import psi
        >>> rng = np.random.default_rng(1)
        >>> result = permute_buckets(rng.poisson(9, (64, 10)), rng.poisson(np.arange(4, 14), (32, 10)), psi)
        >>> float(result.p_value), bool(result.tail_p_value < 1e-6)
        (0.001, True)

    Source: Pitman (1937); Phipson & Smyth, Stat. Appl. Genet. Mol. Biol. 9 (2010) for (1 + b)/(1 + n).
    """
    if n_draws < 20:
        raise ValueError(f"n_draws: found {n_draws}, expected at least 20")
    folded, buckets = _fold_reference(reference, current)
    lead, (n_buckets, n_cells) = folded.shape[:-2], folded.shape[-2:]
    folded, buckets = (window.reshape(math.prod(lead), n_buckets, n_cells) for window in (folded, buckets))
    deal = _deal(n_buckets, n_draws, seed) if isinstance(seed, int) else random_deal(n_buckets, n_draws, seed)
    observed = statistic(folded.sum(axis=-2), buckets.sum(axis=-2))
    draws = np.empty((folded.shape[0], n_draws))
    step = max(1, _MAX_CELLS_AT_ONCE // (n_draws * n_cells))
    for start in range(0, folded.shape[0], step):
        chunk = slice(start, start + step)
        draws[chunk] = statistic(*_deal_windows(folded[chunk], buckets[chunk], deal))
    return _summarise(observed, draws, _smallest_p(folded, buckets), lead)


def random_deal(n_buckets: int, n_draws: int, rng: np.random.Generator) -> FloatArray:
    """Which of 2 G bucket vectors form the current window in each draw: a 0/1 matrix with G ones a row.

    Parameters: ``n_buckets`` G of one window; ``n_draws``; ``rng``. Returns: (n_draws, 2 G), float64.

    Example:
        >>> random_deal(2, 3, np.random.default_rng(0)).sum(axis=1).tolist()
        [2.0, 2.0, 2.0]

    Source: Pitman (1937).
    """
    row = np.repeat([0.0, 1.0], n_buckets)
    return np.asarray(rng.permuted(np.tile(row, (n_draws, 1)), axis=1))


@lru_cache(maxsize=8)
def _deal(n_buckets: int, n_draws: int, seed: int) -> FloatArray:
    """The deal of a seed, made once for the thousands of series of a day."""
    deal = random_deal(n_buckets, n_draws, np.random.default_rng(seed))
    deal.flags.writeable = False
    return deal


def _fold_reference(reference: npt.ArrayLike, current: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Add the reference's days up bucket by bucket, so that both windows have G bucket vectors."""
    ref, cur = as_counts(reference, "reference", min_ndim=2), as_counts(current, "current", min_ndim=2)
    n_buckets = cur.shape[-2]
    if ref.shape[:-2] != cur.shape[:-2] or ref.shape[-1] != cur.shape[-1]:
        raise ValueError(f"reference {ref.shape} and current {cur.shape} must agree in all but the bucket axis")
    if n_buckets == 0 or ref.shape[-2] == 0 or ref.shape[-2] % n_buckets:
        raise ValueError(f"reference: found {ref.shape[-2]} buckets, expected a multiple of current's {n_buckets}")
    by_day = (*ref.shape[:-2], ref.shape[-2] // n_buckets, n_buckets, ref.shape[-1])
    return np.asarray(ref.reshape(by_day).sum(axis=-3)), cur


def _deal_windows(reference: FloatArray, current: FloatArray, deal: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Dealt windows, (n_series, n_draws, n_cells) each, with the row totals of the true windows."""
    n, m = reference.sum(axis=(-1, -2), keepdims=True), current.sum(axis=(-1, -2), keepdims=True)
    pooled = np.concatenate([divide(reference, n), divide(current, m)], axis=-2)
    pooled = np.nan_to_num(pooled)
    dealt_current = deal @ pooled
    dealt_reference = np.maximum(pooled.sum(axis=-2, keepdims=True) - dealt_current, 0.0)
    dealt_current *= np.nan_to_num(divide(m, dealt_current.sum(axis=-1, keepdims=True)), posinf=0.0)
    dealt_reference *= np.nan_to_num(divide(n, dealt_reference.sum(axis=-1, keepdims=True)), posinf=0.0)
    return dealt_reference, dealt_current


def _smallest_p(reference: FloatArray, current: FloatArray) -> FloatArray:
    used = sum(np.count_nonzero(window.sum(axis=-1) > 0, axis=-1) for window in (reference, current))
    n_used = np.asarray(used, dtype=np.float64)
    return np.asarray(np.clip(2.0 / special.binom(n_used, np.floor(0.5 * n_used)), SMALLEST_TAIL, 1.0))


def _summarise(
    observed: FloatArray, draws: FloatArray, smallest: FloatArray, lead: tuple[int, ...]
) -> BucketPermutation:
    known = ~np.isnan(observed)
    # A draw without an answer (nan) counts against the finding; equal up to rounding is equal.
    n_at_least = np.count_nonzero(~(draws < (observed - 1e-9 * np.abs(observed))[:, None]), axis=-1)
    p_value = np.where(known, (1.0 + n_at_least) / (1.0 + draws.shape[-1]), np.nan)
    fitted = np.fmin(gamma_tail_probability(draws, observed), p_value)
    tail = np.where(n_at_least >= _MIN_EXCEEDANCES, p_value, np.maximum(fitted, smallest))
    mean, std = draws.mean(axis=-1), draws.std(axis=-1)
    z = divide(observed - mean, np.where(std > 1e-12 * np.abs(mean), std, np.nan))
    fields = (observed, p_value, np.where(known, tail, np.nan), mean, std, z)
    return BucketPermutation(*(np.asarray(field, dtype=np.float64).reshape(lead) for field in fields))
