"""Tail probability beyond the draws of a resampling test, from a three-parameter gamma fitted to them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

from recsysops.statistics._arrays import FloatArray, as_floats, divide

_NEARLY_SYMMETRIC = 1e-3


def gamma_tail_probability(draws: npt.ArrayLike, observed: npt.ArrayLike) -> FloatArray:
    """How improbable an observed statistic is, extrapolated from the mean, spread and skew of its null draws.

    Pearson type III by moments: with z = (s - mean)/std and skewness g, ``p = Q(k, k + z sqrt(k))``, ``k = 4/g^2``, Q
    the upper regularised incomplete gamma. The form is exact for a scaled chi-square, hence close for PSI, JSD and
    chi-square, and heavier, the safe side, than KS and W1. Skewness is taken two standard errors above the draws'
    own (never below 0): from 999 draws of a chi-square, p near 1e-6 is then typically 3 times too large and
    less than half the truth in at most one case in ten; with the plain skewness it is a tenth as often as that.

    Parameters: ``draws`` (..., n_draws), the statistic under no drift; ``observed`` (...).
    Returns: (...), in [0, 1]; nan where the draws do not vary or hold nan.
    Raises: ``ValueError`` with fewer than 20 draws.

    Example:
        >>> draws = np.random.default_rng(0).chisquare(19, size=999)
        >>> bool(2e-7 < gamma_tail_probability(draws, 65.4) < 1e-5)  # the exact answer is 5.1e-7
        True

    Source: Pearson (1895), type III; moment fit to permutation draws as in Kazi-Aoual et al., Comput. Stat. Data
    Anal. 20 (1995).
    """
    sample, value = as_floats(draws), as_floats(observed)
    if sample.ndim == 0 or sample.shape[-1] < 20:
        raise ValueError(f"draws: found shape {sample.shape}, expected at least 20 draws on the last axis")
    mean = sample.mean(axis=-1)
    std = sample.std(axis=-1)
    varies = std > 1e-12 * np.maximum(np.abs(mean), np.finfo(np.float64).tiny)
    z = divide(value - mean, std)
    skewness = _cautious_skewness(divide(sample - mean[..., None], std[..., None]))
    is_skewed = skewness > _NEARLY_SYMMETRIC
    shape = 4.0 / np.where(is_skewed, skewness, 1.0) ** 2
    gamma = special.gammaincc(shape, np.maximum(shape + z * np.sqrt(shape), 0.0))
    return np.asarray(np.where(varies, np.where(is_skewed, gamma, special.ndtr(-z)), np.nan))


def _cautious_skewness(standardised: FloatArray) -> FloatArray:
    """Skewness plus two of its standard errors (from the influence function), at least 0."""
    cubes = standardised**3
    skewness = cubes.mean(axis=-1, keepdims=True)
    influence = cubes - 3.0 * standardised - skewness - 1.5 * skewness * (standardised**2 - 1.0)
    standard_error = influence.std(axis=-1) / np.sqrt(standardised.shape[-1])
    return np.asarray(np.maximum(skewness[..., 0] + 2.0 * standard_error, 0.0))
