"""How much a daily count varies beyond Poisson, estimated so that one bad day does not hide the next."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsysops.statistics._arrays import FloatArray, as_floats, divide, nan_mad, nan_median

_WINSOR = 3.0


def estimate_dispersion(counts: npt.ArrayLike, exposures: npt.ArrayLike = 1.0) -> FloatArray:
    """Squared coefficient of variation of the daily rate, beyond what counting alone explains; 0 is Poisson.

    Moments of ``Var(k) = mu + a mu^2``: ``a = max(0, g/(g-1) sum((k_i - mu_i)^2) - sum(mu_i)) / sum(mu_i^2)`` with
    mu_i = rate x exposure_i over g days, after pulling each count to within 3 robust standard deviations of the
    median rate, so that an unmarked incident does not make the test deaf. Needs history: from 8 days the estimate has
    a relative standard error near 50 %, from 56 near 20 %. Winsorising makes it up to a fifth too low when rates are
    strongly skewed (a near 0.5).

    Parameters: ``counts`` (..., n_days), nan = no data that day; ``exposures`` (..., n_days) or a number, > 0.
    Returns: (...), >= 0; nan with fewer than 2 days or without any event.
    Raises: ``ValueError`` for negative counts or exposures <= 0.

    Example:
        >>> float(estimate_dispersion([100, 100, 100, 100]))
        0.0
        >>> round(float(estimate_dispersion([70, 130, 80, 120, 100, 90, 110])), 3)
        0.037

    Source: moment estimate of Breslow, Applied Statistics 33 (1984), on winsorised counts.
    """
    k = as_floats(counts)
    if k.ndim == 0:
        raise ValueError("counts: found a single number, expected (..., n_days)")
    k, exposure = np.broadcast_arrays(k, as_floats(exposures))
    if (k < 0).any() or not (exposure > 0).all():
        raise ValueError("expected counts >= 0 (or nan) and exposures > 0")
    valid = np.isfinite(k)
    n_days = np.count_nonzero(valid, axis=-1)
    kept = _winsorised(np.where(valid, k, np.nan), exposure)
    exposure = np.where(valid, exposure, 0.0)
    rate = divide(np.nansum(kept, axis=-1), exposure.sum(axis=-1))
    mean = rate[..., None] * exposure
    squares = np.where(valid, (kept - mean) ** 2, 0.0).sum(axis=-1)
    squares = divide(squares * n_days, n_days - 1)
    return np.asarray(np.maximum(divide(squares - mean.sum(axis=-1), (mean**2).sum(axis=-1)), 0.0))


def _winsorised(k: FloatArray, exposure: FloatArray) -> FloatArray:
    """Counts pulled to within 3 robust standard deviations of the median rate; the spread is at least Poisson's."""
    rates = k / exposure
    centre = nan_median(rates)[..., None] * exposure
    spread = np.maximum(nan_mad(rates)[..., None] * exposure, np.sqrt(np.maximum(centre, 1.0)))
    return np.asarray(np.clip(k, centre - _WINSOR * spread, centre + _WINSOR * spread))
