"""Adjusted p-values for many tests judged together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsysops.statistics._arrays import FloatArray, as_floats


def benjamini_hochberg(p_values: npt.ArrayLike) -> FloatArray:
    """Adjusted p-values that bound the share of false findings: keep those <= q and about q of them are false.

    ``p~_(i) = min_{j >= i} min(1, m p_(j) / j)`` over the m tests of a row. Valid for independent or positively
    dependent tests, as overlapping slices are.

    Parameters: ``p_values`` (..., n_tests) in [0, 1]; nan = not tested, is left out of m and stays nan.
    Returns: (..., n_tests), adjusted p-values in the order given.
    Raises: ``ValueError`` outside [0, 1].

    Example:
        >>> benjamini_hochberg([0.01, 0.04, 0.03, 0.5]).round(4).tolist()
        [0.04, 0.0533, 0.0533, 0.5]

    Source: Benjamini & Hochberg, J. R. Stat. Soc. B 57 (1995); Benjamini & Yekutieli, Ann. Stat. 29 (2001).
    """
    p, order, ordered, n_tests = _ranked(p_values)
    rank = np.arange(1, p.shape[-1] + 1)
    scaled = np.where(np.isnan(ordered), 1.0, ordered * n_tests / rank)
    adjusted = np.minimum.accumulate(scaled[..., ::-1], axis=-1)[..., ::-1]
    return _in_given_order(np.asarray(adjusted), order, p)


def holm(p_values: npt.ArrayLike) -> FloatArray:
    """Adjusted p-values that bound the chance of even one false finding, under any dependence.

    ``p~_(i) = max_{j <= i} min(1, (m - j + 1) p_(j))`` over the m tests of a row.

    Parameters: ``p_values`` (..., n_tests) in [0, 1]; nan = not tested, is left out of m and stays nan.
    Returns: (..., n_tests), adjusted p-values in the order given.
    Raises: ``ValueError`` outside [0, 1].

    Example:
        >>> holm([0.01, 0.04, 0.03, 0.5]).round(4).tolist()
        [0.04, 0.09, 0.09, 0.5]

    Source: Holm, Scand. J. Stat. 6 (1979).
    """
    p, order, ordered, n_tests = _ranked(p_values)
    factor = n_tests - np.arange(p.shape[-1])
    scaled = np.where(np.isnan(ordered), 0.0, ordered * factor)
    return _in_given_order(np.maximum.accumulate(scaled, axis=-1), order, p)


def _ranked(p_values: npt.ArrayLike) -> tuple[FloatArray, npt.NDArray[np.intp], FloatArray, npt.NDArray[np.intp]]:
    """The p-values, their order, themselves in that order (nan last), and how many there are (..., 1)."""
    p = as_floats(p_values)
    if p.ndim == 0 or (p < 0).any() or (p > 1).any():
        raise ValueError("p_values: expected (..., n_tests) within [0, 1], nan for a test not made")
    order = np.argsort(p, axis=-1, kind="stable")
    n_tests = np.count_nonzero(~np.isnan(p), axis=-1, keepdims=True)
    return p, order, np.take_along_axis(p, order, axis=-1), np.asarray(n_tests)


def _in_given_order(adjusted: FloatArray, order: npt.NDArray[np.intp], p: FloatArray) -> FloatArray:
    result = np.empty_like(p)
    np.put_along_axis(result, order, np.minimum(adjusted, 1.0), axis=-1)
    return np.asarray(np.where(np.isnan(p), np.nan, result))
