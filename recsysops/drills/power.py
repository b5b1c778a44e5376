"""The size that theory can see: least change with 80 % power, at the chance of a false alarm that a budget leaves each series."""

from __future__ import annotations

import numpy as np
from scipy import optimize, stats

from recsysops.drills.site import Site

POWER = 0.8
ALARMS_PER_DAY = 2 / 7
"""Two digest entries a week, shared by all series of a day."""


def level(site: Site) -> float:
    """Chance of a false alarm that one series may have on one day."""
    return min(0.05, ALARMS_PER_DAY / max(site.n_series, 1))


def rate_rise(before: float, n: float, site: Site, design_effect: float = 1.0) -> float:
    """Least rise of a rate from ``before`` that a one-sided test of ``n`` rows sees.

    The arcsine approximation (Cohen 1988, §6.2), except from zero: there any occurrence is a sign, and the rise is what
    yields one with 80 % chance.

    Args:
        before: the rate in the reference.
        n: rows on the judged day.
        design_effect: of the indicator; ``n`` is divided by it.
    """
    effective = max(n / max(design_effect, 1.0), 1.0)
    if before <= 0:
        return float(min(1.0, 1 - (1 - POWER) ** (1 / effective)))
    width = (stats.norm.isf(level(site)) + stats.norm.isf(1 - POWER)) * np.sqrt(
        (1 + 1 / site.n_reference_days) / effective
    )
    angle = min(2 * np.arcsin(np.sqrt(before)) + width, np.pi)
    return float(np.sin(angle / 2) ** 2 - before)


def rate_fall(before: float, n: float, site: Site, design_effect: float = 1.0) -> float:
    """Least fall of a rate from ``before``, at most all of it."""
    return float(min(before, rate_rise(1 - before, n, site, design_effect) if before < 1 else 1.0))


def mean_shift(n: float, site: Site, design_effect: float = 1.0) -> float:
    """Least two-sided shift of a mean in standard deviations."""
    effective = max(n / max(design_effect, 1.0), 1.0)
    z = stats.norm.isf(level(site) / 2) + stats.norm.isf(1 - POWER)
    return float(z * np.sqrt((1 + 1 / site.n_reference_days) / effective))


def count_change(expected: float, site: Site, day_noise: float = 0.03) -> float:
    """Least relative change of a daily count that varies as Poisson and by ``day_noise`` (a relative standard deviation)."""
    z = stats.norm.isf(level(site) / 2) + stats.norm.isf(1 - POWER)
    return float(z * np.sqrt((1 / max(expected, 1.0) + day_noise**2) * (1 + 1 / site.n_reference_days)))


def any_of(n: float) -> float:
    """Rate at which something that must never happen is seen at least once in ``n`` chances."""
    return float(1 - (1 - POWER) ** (1 / max(n, 1.0)))


def mixture_shift(shift: float, n: float, site: Site, design_effect: float = 1.0) -> float:
    """Share of rows that must be moved by ``shift`` standard deviations for the mean to give it away."""
    needed = mean_shift(n, site, design_effect)
    return float(min(1.0, needed / max(abs(shift), 1e-9)))


def smallest(visible: object, low: float, high: float) -> float:
    """Where a growing function of severity reaches zero, between ``low`` and ``high`` (which it may not reach)."""
    if not callable(visible):
        raise TypeError("visible: expected a function of severity")
    if visible(high) < 0:
        return high
    return low if visible(low) >= 0 else float(optimize.brentq(visible, low, high, xtol=1e-6))
