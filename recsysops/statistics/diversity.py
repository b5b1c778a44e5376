"""How evenly exposure is spread over items: Gini, effective number of items, items expected in a sample of given size."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]


def gini(counts: npt.ArrayLike) -> Floats:
    """Gini index of counts along the last axis: 0 if all are equal, towards 1 if one has everything; NaN without counts.

    ``sum (2i − n − 1) x_(i) / (n sum x)``; items of zero count belong to it.

    Example:
        >>> gini([[1, 1, 1, 1], [0, 0, 0, 4]]).tolist()
        [0.0, 0.75]

    Source: Gini (1912), by order statistics.
    """
    ordered = np.sort(np.asarray(counts, np.float64), axis=-1)
    n = ordered.shape[-1]
    total = ordered.sum(axis=-1)
    weighted = (ordered * (2 * np.arange(1, n + 1) - n - 1)).sum(axis=-1)
    return np.asarray(np.divide(weighted, n * total, out=np.full(total.shape, np.nan), where=total > 0))


def effective_items(counts: npt.ArrayLike) -> Floats:
    """``exp(H)``, the number of equally shown items with the same entropy, along the last axis; NaN without counts.

    The entropy is that of Miller & Madow (1955): the plain one plus (items seen − 1) / (2 impressions), so that days of
    different traffic can be compared.

    Example:
        >>> effective_items([250_000, 250_000, 0]).round(3).tolist()
        2.0

    Source: Jost, Oikos 113 (2006), for exp(H) as a number.
    """
    values = np.asarray(counts, np.float64)
    total = values.sum(axis=-1)
    shares = np.divide(values, total[..., None], out=np.zeros_like(values), where=total[..., None] > 0)
    entropy = -special.xlogy(shares, shares).sum(axis=-1)
    seen = (values > 0).sum(axis=-1)
    bias = np.divide(np.maximum(seen - 1, 0), 2 * total, out=np.full(total.shape, np.nan), where=total > 0)
    return np.asarray(np.exp(entropy + bias))


def rarefied_items(counts: npt.ArrayLike, size: float) -> Floats:
    """Distinct items expected among ``size`` impressions drawn without replacement, along the last axis.

    ``sum 1 − C(N − n_i, m) / C(N, m)``. NaN where there are fewer impressions than ``size``.

    Example:
        >>> rarefied_items([2, 2], 2).round(4).tolist()
        1.6667

    Source: Hurlbert, Ecology 52 (1971).
    """
    values = np.asarray(counts, np.float64)
    total = values.sum(axis=-1, keepdims=True)
    left = total - values
    with np.errstate(invalid="ignore"):
        log_missed = (
            special.gammaln(left + 1) - special.gammaln(np.maximum(left - size, 0) + 1)
            - special.gammaln(total + 1) + special.gammaln(np.maximum(total - size, 0) + 1)
        )  # fmt: skip
    missed = np.where(left >= size, np.exp(log_missed), 0.0)
    found = (1 - missed).sum(axis=-1)
    return np.asarray(np.where(total[..., 0] >= size, found, np.nan))


def collision_noise(counts: npt.ArrayLike) -> Floats:
    """Sampling variance of ln(chance that two draws agree), along the last axis; NaN where no two agree.

    That of the unbiased estimate of p = sum s²: ``4 (sum s³ − p²) / n + 2 p (1 − p) / n²``, over p².

    Source: Hoeffding (1948), the variance of a U-statistic of order two.
    """
    values = np.asarray(counts, np.float64)
    n = values.sum(axis=-1)
    shares = np.divide(values, n[..., None], out=np.zeros_like(values), where=n[..., None] > 0)
    p = (shares**2).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = 4 * np.maximum((shares**3).sum(axis=-1) - p**2, 0.0) / n + 2 * p * (1 - p) / n**2
        return np.asarray(np.where(p > 0, variance / p**2, np.nan))
