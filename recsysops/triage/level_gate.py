"""Has a level changed? A positive daily number (volume, concentration, an item's share) against its reference days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from recsysops.triage.moderated import excess_variance, moderated_variance, two_sided_p

Floats = npt.NDArray[np.float64]

SAME_PHASE = 4
"""From this many reference days of the same weekday on, only they say what is expected."""


@dataclass(frozen=True)
class LevelLimits:
    """``min_ratio``: least change either way, 1.25 = +25 % or −20 %. ``prior_sd``: of ln(level) between healthy days."""

    min_ratio: float = 1.25
    prior_sd: float = 0.1
    prior_dof: float = 4.0


@dataclass(frozen=True)
class Levels:
    """Result of ``level_gate``; every field has the shape (...) of one unit."""

    expected: Floats
    """Geometric mean of the reference units that count."""
    low: Floats
    high: Floats
    """99 % limits of what a healthy unit would show."""
    p_value: Floats
    """Two-sided, moderated t on the log scale."""
    effect: Floats
    """|ln ratio| / ln(min_ratio)."""
    variance: Floats
    """Moderated variance of ln(level) between units."""
    spread: Floats
    """Standard error of ln(level) of a healthy unit about ``expected``."""
    dof: float
    """Of the moderated t."""
    n_units: int
    """Reference units that count."""

    def band(self, confidence: float) -> tuple[Floats, Floats]:
        """Where a healthy unit lies with this probability, each (...)."""
        half = special.stdtrit(self.dof, 0.5 + 0.5 * confidence) * self.spread
        return np.asarray(self.expected * np.exp(-half)), np.asarray(self.expected * np.exp(half))


def level_gate(
    reference: Floats,
    current: Floats,
    limits: LevelLimits,
    *,
    noise: tuple[Floats | float, Floats | float] = (0.0, 0.0),
    phases: Sequence[int] = (),
    phase: int | None = None,
) -> Levels:
    """How far a level is from what its reference units lead one to expect.

    ``t = (y_c − mean y) / sqrt(s² (1 + 1/n) + v_c + mean v / n)`` with y = ln(level) and s² the moderated variance
    beyond the sampling variances v.

    Args:
        reference: levels > 0, (n_units, ...), at least one unit.
        current: level > 0, (...).
        limits: floor and prior.
        noise: sampling variances of ln(level): (n_units, ...) and (...).
        phases: weekday of each reference unit.
        phase: weekday of the current unit; with ``SAME_PHASE`` of them the others are not compared with.
    """
    y, now = np.log(reference), np.log(current)
    noise_reference = np.broadcast_to(np.asarray(noise[0], np.float64), y.shape)
    same = np.array([one == phase for one in phases], np.bool_)
    if same.sum() >= SAME_PHASE:
        residuals, dof = _within_phase(y, np.asarray(phases))
        estimate = np.maximum((residuals**2).sum(axis=0) / max(dof, 1) - noise_reference.mean(axis=0), 0.0)
        y, noise_reference = y[same], noise_reference[same]
    else:
        estimate, dof = excess_variance(y, noise_reference), len(y) - 1
    variance = moderated_variance(estimate, dof, limits.prior_sd**2, limits.prior_dof)
    mean = y.mean(axis=0)
    spread = np.sqrt(variance * (1 + 1 / len(y)) + noise_reference.mean(axis=0) / len(y) + noise[1])
    all_dof = limits.prior_dof + dof
    half = special.stdtrit(all_dof, 0.995) * spread
    return Levels(
        expected=np.asarray(np.exp(mean)),
        low=np.asarray(np.exp(mean - half)),
        high=np.asarray(np.exp(mean + half)),
        p_value=two_sided_p((now - mean) / spread, all_dof),
        effect=np.asarray(np.abs(now - mean) / np.log(limits.min_ratio)),
        variance=variance,
        spread=np.asarray(spread),
        dof=float(all_dof),
        n_units=len(y),
    )


def _within_phase(y: Floats, phases: npt.NDArray[np.int64]) -> tuple[Floats, int]:
    """Residuals from each weekday's mean, and their degrees of freedom."""
    residuals = np.zeros_like(y)
    for phase in np.unique(phases):
        residuals[phases == phase] = y[phases == phase] - y[phases == phase].mean(axis=0)
    return residuals, len(y) - len(np.unique(phases))
