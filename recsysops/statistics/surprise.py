"""How strange a value is among others of its kind, in nats: numbers, categories, missing values and pairs on one scale.

All functions take a bag, arrays (1 + k,) with the subject as entry 0 and its k peers behind it, and score every entry
against all the others (``leave_one_out``). A score is minus the logarithm of how probable the others make the value, so
that a missing value and a far one can be told apart by one number; ``conformal.conformal_p`` judges it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from recsysops.statistics._arrays import BoolArray, FloatArray, as_floats
from recsysops.statistics.leave_one_out import count_of_others, median_of_others, spread_of_others
from recsysops.statistics.symmetric_scale import Transform, symmetric_scale

Codes = npt.NDArray[np.int64]
_ATOM_SHARE = 1.0 / 3.0
_ATOM = -1


@dataclass(frozen=True, slots=True, eq=False)
class NumberSurprise:
    """Result of ``number_surprise``; arrays (1 + k,)."""

    scores: FloatArray
    """Nats; higher is stranger."""
    z: FloatArray
    """Robust z-score, signed; nan for what is no number or sits on the atom."""
    transform: Transform
    """The scale on which ``z`` was taken."""


def category_surprise(codes: npt.ArrayLike) -> FloatArray:
    """How rare a category is among the others: ``-ln((n_c + 1/2) / (k + C/2))``.

    Parameters: ``codes`` (1 + k,) integers, missing values as codes of their own; C counts the codes of the bag.
    Returns: (1 + k,), nats.

    Example:
        >>> category_surprise([7, 2, 2, 2, 2]).round(2).tolist()
        [2.3, 0.36, 0.36, 0.36, 0.36]

    Source: Jeffreys, Proc. R. Soc. A 186 (1946), for the half.
    """
    labels = np.atleast_1d(np.asarray(codes, np.int64))
    k, n_categories = len(labels) - 1, len(np.unique(labels))
    return np.asarray(-np.log((count_of_others(labels) + 0.5) / (k + 0.5 * n_categories)))


def pair_surprise(first: npt.ArrayLike, second: npt.ArrayLike) -> FloatArray:
    """How much rarer two categories are together than each by itself would have it, for pairs that must agree.

    ``ln((n_a n_b / k + 1/2) / (n_ab + 1/2))``: a country that is common, a language that is common, and never both. Rare
    parts say nothing; they are the matter of ``category_surprise``.

    Parameters: ``first``, ``second`` (1 + k,) integers.
    Returns: (1 + k,), nats; below 0 for a pair that goes together.
    Raises: ``ValueError`` for unequal lengths.

    Example:
        >>> country, language = [0] + [0] * 50 + [1] * 50, [1] + [0] * 50 + [1] * 50
        >>> pair_surprise(country, language)[[0, 1, 51]].round(2).tolist()
        [3.93, -0.68, -0.68]

    Source: pointwise mutual information, Fano, Transmission of Information (1961), with Jeffreys' half.
    """
    one, other = (np.atleast_1d(np.asarray(codes, np.int64)) for codes in (first, second))
    if one.shape != other.shape:
        raise ValueError(f"found {len(one)} and {len(other)} codes, expected as many of both")
    _, both = np.unique(np.stack([one, other]), axis=1, return_inverse=True)
    together = count_of_others(np.asarray(both, np.int64).ravel())
    expected = count_of_others(one) * count_of_others(other) / max(len(one) - 1, 1)
    return np.asarray(np.log((expected + 0.5) / (together + 0.5)))


def number_surprise(
    values: npt.ArrayLike, *, missing: npt.ArrayLike | None = None, transform: Transform = "auto"
) -> NumberSurprise:
    """How far a number is from the others, or how rare it is that there is none.

    Entries first fall into kinds: each kind of missing value, NaN, either infinity, the atom (a value that a third of
    the numbers or more share, as where MAD is 0), and ordinary numbers; ``category_surprise`` of the kind comes first.
    Ordinary numbers add ``-ln P(|Z| >= z)`` with ``z = |x - median| / (1.4826 MAD)`` of the other ordinary numbers.

    Parameters: ``values`` (1 + k,); ``missing`` (1 + k,) integers, 0 = there is a value, others name kinds of missing (NULL,
    defaulted); ``transform`` of the numbers, see ``symmetric_scale``.
    Returns: ``NumberSurprise``.
    Raises: ``ValueError`` for unequal lengths.

    Example:
        >>> far = number_surprise([40.0, 1, 2, 3, 4, 5, 6, 7, 8], transform="none")
        >>> round(float(far.z[0]), 1), far.scores[:2].round(1).tolist()
        (12.0, [74.4, 2.0])
        >>> number_surprise([float("nan"), 1, 2, 3, 4, 5, 6, 7, 8]).scores[0].round(1)
        np.float64(2.9)

    Source: Iglewicz & Hoaglin, How to Detect and Handle Outliers (1993), for the robust z-score.
    """
    numbers = np.atleast_1d(as_floats(values))
    kinds = _kinds(numbers, missing)
    is_number = kinds == 0
    scores, z = category_surprise(kinds), np.full(len(numbers), np.nan)
    used: Transform = "none"
    if np.count_nonzero(is_number) >= 2:
        with np.errstate(over="ignore", invalid="ignore"):  # 1e308 is a value too
            scaled, used = symmetric_scale(numbers[is_number], transform)
            z[is_number] = _robust_z(scaled)
        scores[is_number] -= np.log(2.0) + special.log_ndtr(-np.abs(z[is_number]))
    return NumberSurprise(scores, z, used)


def _kinds(numbers: FloatArray, missing: npt.ArrayLike | None) -> Codes:
    """0 for an ordinary number, another code for each kind of anything else."""
    given = np.zeros(len(numbers), np.int64) if missing is None else np.atleast_1d(np.asarray(missing, np.int64))
    if given.shape != numbers.shape:
        raise ValueError(f"missing: found shape {given.shape}, expected {numbers.shape} as of the values")
    strange = np.select([np.isnan(numbers), np.isposinf(numbers), np.isneginf(numbers)], [1, 2, 3], 0)
    _, named = np.unique(given, return_inverse=True)
    kinds = np.where(given != 0, 4 + named, strange).astype(np.int64)
    return np.where(_is_atom(numbers, kinds == 0), _ATOM, kinds)


def _is_atom(numbers: FloatArray, is_number: BoolArray) -> BoolArray:
    """Which numbers have the value that most share, if a third do."""
    if not is_number.any():
        return is_number
    shared, counts = np.unique(numbers[is_number], return_counts=True)
    most = int(np.argmax(counts))
    return np.asarray(is_number & (numbers == shared[most]) & (counts[most] >= _ATOM_SHARE * counts.sum()))


def _robust_z(values: FloatArray) -> FloatArray:
    medians = median_of_others(values)
    away, spread = values - medians, spread_of_others(values, medians)
    return np.divide(away, spread, out=np.where(away == 0, 0.0, np.copysign(np.inf, away)), where=spread > 0)
