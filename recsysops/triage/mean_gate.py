"""Has a mean changed? The three gates (size, sampling noise, movement between days) for numbers of requests.

For numbers that a request has one of (its NDCG, its number of candidates, its plays beyond those expected), so that requests are
independent units and the standard deviation over them tells the noise of a day's mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.profiles.history import MomentContrast, WindowMoments
from recsysops.profiles.slices import Slice
from recsysops.triage.arithmetic import Term
from recsysops.triage.moderated import excess_variance, moderated_variance, two_sided_p
from recsysops.triage.rate_gate import MAX_P

Floats = npt.NDArray[np.float64]

PRIOR_DOF = 8.0
MIN_REQUESTS = 50
"""Means of fewer requests are not judged: their noise is not that of a normal distribution."""


@dataclass(frozen=True)
class MeanLimits:
    """The least change worth a finding, in the unit of the number.

    ``prior_sd`` is how far healthy days are expected to lie apart until the log's own days say otherwise; a quarter of
    ``min_change`` by default.
    """

    min_change: float
    prior_sd: float | None = None
    max_p: float = MAX_P
    max_slice_p: float = 2e-4
    """Slices are many, and their means noisier."""

    @property
    def sd(self) -> float:
        return self.min_change / 4 if self.prior_sd is None else self.prior_sd


@dataclass(frozen=True)
class DayMeans:
    """Means of both windows with their sampling variances; NaN where a unit has none.

    Shapes: ``days``, ``days_noise``, ``n_days`` (n_reference_units, n_slices); ``now``, ``now_noise``, ``n_now`` (n_slices,).
    """

    slices: tuple[Slice, ...]
    days: Floats
    days_noise: Floats
    n_days: Floats
    now: Floats
    now_noise: Floats
    n_now: Floats


@dataclass(frozen=True)
class MeanChange:
    """One mean, in one slice, that passed all gates; ``low`` and ``high`` are its 95 % limits by sampling."""

    slice: Slice
    value: float
    low: float
    high: float
    reference: float
    p_value: float
    effect: float
    n_reference: int
    n_current: int
    series: tuple[float, ...]
    arithmetic: tuple[Term, ...] = ()

    @property
    def is_up(self) -> bool:
        return self.value > self.reference


def means_of(contrast: MomentContrast) -> DayMeans:
    """Daily means of a number that requests have, with the sampling variance of each."""
    days, days_noise = _means(contrast.reference)
    now, now_noise, n_now = _pooled(contrast.current)
    return DayMeans(
        contrast.slices, days, days_noise, contrast.reference.count.astype(np.float64), now, now_noise, n_now
    )


def mean_gate(means: DayMeans, limits: MeanLimits) -> Iterator[MeanChange]:
    """Every slice whose mean is too far, too surely and too unlike other days from the reference to be chance.

    Slices that merely follow the whole are left out.

    ``t = (m_c − m_r) / sqrt(tau² (1 + 1/n_r) + v_c + mean v_r / n_r)`` with m_r the mean of the reference days weighted
    by requests, tau² their moderated variance beyond sampling and v the sampling variances.

    Source: Smyth (2004) for the moderated variance.
    """
    if not len(means.days):
        return
    whole: MeanChange | None = None
    for index, slice_ in enumerate(means.slices):
        test = _tested(means, index, limits)
        max_p = limits.max_slice_p if slice_.dimension else limits.max_p
        if test is None or test.p_value > max_p:
            continue
        change = _change(means, index, test, limits)
        if not slice_.dimension:
            whole = change
        if whole is None or change is whole or not _follows(change, whole):
            yield change


def _follows(change: MeanChange, whole: MeanChange) -> bool:
    """Whether a slice merely does what the whole does: it moved less than half as much again."""
    moved, of_whole = change.value - change.reference, whole.value - whole.reference
    return moved * of_whole > 0 and abs(moved) < 1.5 * abs(of_whole)


@dataclass(frozen=True)
class _Test:
    reference: float
    tau2: float
    sampling: float
    spread: float
    n_days: int
    t: float
    dof: float
    p_value: float


def _tested(means: DayMeans, index: int, limits: MeanLimits) -> _Test | None:
    """The test of one slice, or None where there is too little of it or the change is below the floor."""
    n, now = means.n_days[:, index], float(means.now[index])
    seen = (n > 1) & np.isfinite(means.days[:, index]) & np.isfinite(means.days_noise[:, index])
    is_enough = seen.any() and n[seen].sum() >= MIN_REQUESTS and means.n_now[index] >= MIN_REQUESTS
    if not is_enough or not np.isfinite(now):
        return None
    days, noise, weights = means.days[seen, index], means.days_noise[seen, index], n[seen]
    reference = float((days * weights).sum() / weights.sum())
    if abs(now - reference) < limits.min_change:
        return None
    dof = float(len(days) - 1)
    estimate = np.asarray(excess_variance(days, noise))
    tau2 = float(moderated_variance(estimate, dof, limits.sd**2, PRIOR_DOF))
    of_reference = float((noise * weights**2).sum() / weights.sum() ** 2)
    sampling = of_reference + float(means.now_noise[index])
    spread = tau2 * (1 + 1 / len(days)) + sampling
    t = (now - reference) / float(np.sqrt(spread))
    p_value = float(two_sided_p(np.asarray(t), PRIOR_DOF + dof))
    return _Test(reference, tau2, sampling, spread, len(days), t, PRIOR_DOF + dof, p_value)


def _change(means: DayMeans, index: int, test: _Test, limits: MeanLimits) -> MeanChange:
    value, half = float(means.now[index]), 1.96 * float(np.sqrt(means.now_noise[index]))
    effect = abs(value - test.reference) / limits.min_change
    terms = (
        Term("counts", "requests, reference", float(means.n_days[:, index].sum())),
        Term("counts", "requests, current", float(means.n_now[index])),
        Term("size", "change of the mean", value - test.reference, "current − reference"),
        Term("size", "floor", limits.min_change),
        Term("size", "effect", effect, "change / floor, at least 1"),
        Term("noise", "sampling variance", test.sampling, "of both means: variance over requests / requests"),
        Term("days", "reference days", float(test.n_days)),
        Term("days", "variance between days, moderated", test.tau2, "beyond sampling"),
        Term("chance", "standard error", float(np.sqrt(test.spread)), "√(moderated (1 + 1/days) + sampling)"),
        Term("chance", "t", test.t, "change / standard error"),
        Term("chance", "degrees of freedom", test.dof, "8 of the prior + days − 1"),
        Term("chance", "p", test.p_value, f"two-sided Student's t; at most {limits.max_p:g} to be a finding"),
    )
    days = np.where(np.isfinite(means.days[:, index]), means.days[:, index], test.reference)
    return MeanChange(
        means.slices[index], value, value - half, value + half, test.reference, test.p_value, effect,
        int(means.n_days[:, index].sum()), int(means.n_now[index]), (*(float(day) for day in days), value), terms,
    )  # fmt: skip


def _means(window: WindowMoments) -> tuple[Floats, Floats]:
    """Mean and sampling variance of every unit."""
    n = window.count.astype(np.float64)
    noise = np.divide(window.sd**2, n, out=np.full(n.shape, np.nan), where=n > 1)
    return window.mean, noise


def _pooled(window: WindowMoments) -> tuple[Floats, Floats, Floats]:
    """Mean, its sampling variance and requests of a window's units together."""
    n = window.count.astype(np.float64)
    total = n.sum(axis=0)
    mean = np.nan_to_num(window.mean)
    squares = np.nan_to_num(window.sd) ** 2 * np.maximum(n - 1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = (n * mean).sum(axis=0) / total
        within = (squares + n * (mean - pooled) ** 2).sum(axis=0) / np.maximum(total - 1, 1)
        return np.asarray(pooled), np.asarray(within / total), total
