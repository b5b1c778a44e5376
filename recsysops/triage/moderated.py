"""Moderated between-day variance: what days of a healthy log differ by, when few of them have been seen."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]


def moderated_variance(estimate: Floats, dof: float, prior: Floats | float, prior_dof: float) -> Floats:
    """The variance estimated from few days, pulled towards what is usual.

    ``(d0 prior + d estimate) / (d0 + d)``: with one day it is the prior, with a month it is the log's own.

    Source: Smyth, Stat. Appl. Genet. Mol. Biol. 3 (2004), the moderated t.

    Example:
        >>> float(moderated_variance(np.asarray(4.0), 2.0, 1.0, 4.0))
        2.0
    """
    return np.asarray((prior_dof * np.asarray(prior) + dof * np.nan_to_num(estimate)) / (prior_dof + dof))


def excess_variance(values: Floats, noise: Floats) -> Floats:
    """Variance over the first axis beyond the mean of the known noise variances; 0 with a single unit."""
    if values.shape[0] < 2:
        return np.zeros(values.shape[1:])
    return np.asarray(np.maximum(values.var(axis=0, ddof=1) - noise.mean(axis=0), 0.0))


def two_sided_p(t: Floats, dof: float) -> Floats:
    """Probability of a Student's t at least this far from 0; 1 where t is nan."""
    return np.asarray(np.where(np.isnan(t), 1.0, 2.0 * special.stdtr(dof, -np.abs(np.nan_to_num(t)))))


def upper_p(t: Floats, dof: float) -> Floats:
    """Probability of a Student's t at least this large; 1 where t is nan."""
    return np.asarray(np.where(np.isnan(t), 1.0, special.stdtr(dof, -np.nan_to_num(t))))
