"""A covariance that can be inverted although there are fewer vectors than dimensions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.statistics._arrays import FloatArray, as_floats


@dataclass(frozen=True, slots=True, eq=False)
class ShrunkCovariance:
    """Result of ``ledoit_wolf``."""

    mean: FloatArray
    """(d,)"""
    covariance: FloatArray
    """(d, d): ``(1 - shrinkage) S + shrinkage tr(S)/d I``."""
    shrinkage: float
    """In [0, 1]."""


def ledoit_wolf(vectors: npt.ArrayLike) -> ShrunkCovariance:
    """The covariance drawn towards a multiple of the identity, as far as its own noise asks for.

    With S the covariance of n vectors, ``shrinkage = min(1, sum_i |x_i x_i' - S|^2 / n^2 / |S - tr(S)/d I|^2)`` for
    centred x_i and Frobenius norms.

    Parameters: ``vectors`` (n, d), finite, n >= 1.
    Returns: ``ShrunkCovariance``; all zero if the vectors do not vary.
    Raises: ``ValueError`` for another shape or what is not finite.

    Example:
        >>> found = ledoit_wolf([[1.0, 0.0], [-1.0, 0.0], [0.0, 3.0], [0.0, -3.0]])
        >>> round(found.shrinkage, 2), found.covariance.diagonal().round(2).tolist()
        (0.64, [1.78, 3.22])

    Source: Ledoit & Wolf, J. Multivariate Analysis 88 (2004), lemmas 3.2 to 3.5.
    """
    x = as_floats(vectors)
    if x.ndim != 2 or not x.size or not np.isfinite(x).all():
        raise ValueError(f"vectors: found shape {x.shape}, expected finite (n, d), neither of them 0")
    n, d = x.shape
    mean = x.mean(axis=0)
    x = x - mean
    sample = x.T @ x / n
    target = np.trace(sample) / d * np.eye(d)
    noise = (float(((x**2).sum(axis=1) ** 2).sum()) - n * float((sample**2).sum())) / n**2
    distance = float(((sample - target) ** 2).sum())
    shrinkage = min(1.0, noise / distance) if distance > 0 else 0.0
    return ShrunkCovariance(mean, (1.0 - shrinkage) * sample + shrinkage * target, shrinkage)
