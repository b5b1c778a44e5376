"""Has a rate changed? The three gates (size, clustered sampling noise, movement between days) for many rates at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.profiles.history import CellContrast, Counts, Window
from recsysops.profiles.measures import N_BUCKETS
from recsysops.profiles.slices import Slice
from recsysops.statistics.design_effect import design_effect
from recsysops.statistics.proportions import wilson_interval
from recsysops.triage.arithmetic import Term
from recsysops.triage.moderated import excess_variance, moderated_variance, two_sided_p

Floats = npt.NDArray[np.float64]

MAX_P = 1e-3
"""No finding is yielded above this; triage sets the day's own, stricter limit."""
PRIOR_DOF = 8.0
_PRIOR_SD = (0.005, 0.01)
"""Least and greatest movement between healthy days, on the scale of asin(sqrt(rate)): 0.01 is 1 point at 50 %."""
_PRIOR_RELATIVE = 0.3
"""Rare rates move in proportion: a healthy day's standard deviation is at most 30 % of the rate, within the above."""


@dataclass(frozen=True)
class Rate:
    """A rate as two sets of cells: rows of ``flagged`` cells over rows of ``of`` cells (all cells when empty)."""

    name: str
    flagged: tuple[int, ...]
    of: tuple[int, ...] = ()


@dataclass(frozen=True)
class RateLimits:
    """The least change worth a finding: ``min_change`` in points of rate, or ``min_ratio`` × with a fifth of it."""

    min_change: float = 0.005
    min_ratio: float = 2.0
    only_up: bool = False
    max_p: float = MAX_P
    min_clusters: int = 0
    """Current requests (members, items) below which a slice is no evidence: shares of a handful of them are theirs alone."""


@dataclass(frozen=True)
class RateChange:
    """One rate, in one slice, that passed all gates."""

    rate: Rate
    slice_index: int
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


def rate_gate(contrast: CellContrast, rates: Sequence[Rate], limits: RateLimits) -> Iterator[RateChange]:
    """Every rate and slice whose current value is too large, too sure and too unlike other days to be chance.

    On y = asin(sqrt(rate)) a day's sampling variance is d/(4n), d the design effect of rows clustered in requests. With
    tau² the moderated variance between days, ``t = (y_c − mean y_r) / sqrt(tau² (1/n_r + 1/n_c) + d/(4N_r) + d/(4N_c))``.
    Buckets are read only for series that pass as if rows were independent.

    Args:
        contrast: counts of both windows, at least one reference unit.
        rates: what to compare; cells by index.
        limits: floors.

    Yields:
        Changes in the order of slices, then rates.
    """
    if not rates or not len(contrast.reference) or not len(contrast.current):
        return
    counts = counted_rates(contrast.reference, rates), counted_rates(contrast.current, rates)
    ones = np.ones(counts[0][0].shape[1:])
    effect, _ = rate_effects(*counts, limits)
    suspects = np.argwhere((effect >= 1) & (_p_values(*counts, ones, ones) <= limits.max_p))
    for slice_index in np.unique(suspects[:, 0]):
        for rate_index in suspects[suspects[:, 0] == slice_index, 1]:
            change = _confirmed(contrast, rates[rate_index], int(slice_index), limits)
            if change is not None:
                yield change


def _confirmed(contrast: CellContrast, rate: Rate, index: int, limits: RateLimits) -> RateChange | None:
    """The change with the design effect of its slice's buckets, or None if that takes it below the gates."""
    at = slice(index, index + 1)
    reference = counted_rates(contrast.reference[:, at], [rate])
    current = counted_rates(contrast.current[:, at], [rate])
    windows: tuple[Window, Window] = ("reference", "current")
    known = [clustered(contrast, rate, window, index) for window in windows]
    deff = [max((d for d in (one, *known) if d is not None), default=1.0) if one is None else one for one in known]
    test = tested_rates(reference, current, *(np.full((1, 1), d) for d in deff))
    p_value = float(test.p_value[0, 0])
    if p_value > limits.max_p or n_clusters(contrast.load_buckets("current", index)) < limits.min_clusters:
        return None
    effect, before = rate_effects(reference, current, limits)
    k, n = current[0].sum(), current[1].sum()
    interval = wilson_interval(k, n, design_effect=deff[1])
    days = _divide(reference[0][:, 0, 0], reference[1][:, 0, 0])
    now = k / n
    return RateChange(
        rate, index, contrast.slices[index], float(now), float(interval.low), float(interval.high),
        float(before[0, 0]), p_value, float(effect[0, 0]), int(reference[1].sum()), int(n),
        (*(float(day) for day in np.nan_to_num(days)), float(now)),
        rate_terms(reference, current, deff, test, float(effect[0, 0]), limits),
    )  # fmt: skip


def rate_terms(
    reference: tuple[Floats, Floats],
    current: tuple[Floats, Floats],
    deff: Sequence[float],
    test: RateTest,
    effect: float,
    limits: RateLimits,
) -> tuple[Term, ...]:
    """The arithmetic of one rate in one slice; every array has one slice and one rate."""
    (k_r, n_r), (k_c, n_c) = ((float(k.sum()), float(n.sum())) for k, n in (reference, current))
    mean, now, tau2 = (float(one[0, 0]) for one in (test.mean, test.now, test.tau2))
    noise = [deff[0] / (4.0 * n_r), deff[1] / (4.0 * n_c)]
    n_units = float(test.n_units[0, 0])
    return (
        Term("counts", "flagged rows, reference", k_r),
        Term("counts", "rows, reference", n_r),
        Term("counts", "flagged rows, current", k_c),
        Term("counts", "rows, current", n_c),
        Term("counts", "rate, reference", k_r / n_r, "flagged / rows"),
        Term("counts", "rate, current", k_c / n_c, "flagged / rows"),
        Term("size", "change in points", k_c / n_c - k_r / n_r, "current − reference"),
        Term("size", "floor in points", limits.min_change),
        Term("size", "floor as a ratio", limits.min_ratio, "counts with a fifth of the floor in points"),
        Term("size", "effect", effect, "times its floor; the larger of points and ratio; at least 1"),
        Term("noise", "design effect, reference", deff[0], "variance between request buckets over that of single rows"),
        Term("noise", "design effect, current", deff[1], "the same"),
        Term("noise", "sampling variance, reference", noise[0], "design effect / (4 rows), of asin √rate"),
        Term("noise", "sampling variance, current", noise[1], "the same"),
        Term("days", "reference days", n_units),
        Term("days", "variance between days, estimated", float(test.estimate[0, 0]), "beyond sampling, of asin √rate"),
        Term("days", "variance between days, usual", float(test.prior[0, 0]), "the prior"),
        Term("days", "variance between days, moderated", tau2, f"(8 usual + {test.dof - PRIOR_DOF:g} estimated) / {test.dof:g}"),
        Term("chance", "asin √rate, reference", mean, "mean of the days, weighted by rows"),
        Term("chance", "asin √rate, current", now),
        Term("chance", "standard error", float(np.sqrt(test.spread[0, 0])), "√(moderated (1/days + 1) + both sampling)"),
        Term("chance", "t", float((now - mean) / np.sqrt(test.spread[0, 0])), "(current − reference) / standard error"),
        Term("chance", "degrees of freedom", test.dof, "8 of the prior + days − 1"),
        Term("chance", "p", float(test.p_value[0, 0]), f"two-sided Student's t; at most {limits.max_p:g} to be a finding"),
    )  # fmt: skip


def n_clusters(buckets: Counts) -> float:
    """About how many clusters have rows, from how many buckets they fall into; many where all are in use or none are kept.

    Args:
        buckets: (n_units × 32, n_cells), as a contrast loads them.

    Example:
        >>> round(n_clusters(np.arange(32)[:, None] < 8), 1), n_clusters(np.ones((32, 1), np.int64))
        (9.2, inf)
    """
    in_use = (
        int((buckets.reshape(-1, N_BUCKETS, buckets.shape[-1]).sum(axis=(0, 2)) > 0).sum())
        if len(buckets)
        else N_BUCKETS
    )
    return float(-N_BUCKETS * np.log1p(-in_use / N_BUCKETS)) if in_use < N_BUCKETS else float("inf")


def clustered(contrast: CellContrast, rate: Rate, window: Window, slice_index: int) -> float | None:
    """Design effect of a rate, at least 1; None where the buckets cannot tell (a rate of 0 or 1 in many requests)."""
    buckets = contrast.load_buckets(window, slice_index)
    if not len(buckets):
        return None
    folded = buckets.reshape(-1, N_BUCKETS, buckets.shape[-1]).sum(axis=0)
    k, n = counted_rates(folded[:, None, :], [rate])
    k, n = k[:, 0, 0], n[:, 0, 0]
    found = float(design_effect(k, n))
    in_use = int((n > 0).sum())
    if (
        np.isnan(found) and 0 < in_use < N_BUCKETS
    ):  # so few requests that buckets are empty: each row may repeat its request's
        n_requests = -N_BUCKETS * np.log1p(-in_use / N_BUCKETS)
        return max(1.0, float(n.sum() / n_requests))
    return None if np.isnan(found) else max(1.0, found)


def counted_rates(counts: Counts, rates: Sequence[Rate]) -> tuple[Floats, Floats]:
    """(k, n), each (n_units, n_slices, n_rates), from counts (n_units, n_slices, n_cells)."""
    n_cells = counts.shape[-1]
    flagged, of = np.zeros((n_cells, len(rates))), np.zeros((n_cells, len(rates)))
    for index, rate in enumerate(rates):
        flagged[list(rate.flagged), index] = 1.0
        of[list(rate.of) if rate.of else slice(None), index] = 1.0
    floats = counts.astype(np.float64)
    return floats @ flagged, floats @ of


def rate_effects(
    reference: tuple[Floats, Floats], current: tuple[Floats, Floats], limits: RateLimits
) -> tuple[Floats, Floats]:
    """How many times its floor each change is, and the reference rate; (n_slices, n_rates) each."""
    before = _divide(reference[0].sum(axis=0), reference[1].sum(axis=0))
    now = _divide(current[0].sum(axis=0), current[1].sum(axis=0))
    change = now - before
    absolute = np.abs(change) / limits.min_change
    ratio = np.maximum(_divide(now, before, fill=np.inf), _divide(before, now, fill=np.inf))
    relative = np.minimum(ratio / limits.min_ratio, 5.0 * absolute)
    effect = np.maximum(absolute, np.where(ratio >= limits.min_ratio, relative, 0.0))
    unknown = np.isnan(change) | ((change < 0) & limits.only_up)
    return np.asarray(np.where(unknown, 0.0, effect)), before


@dataclass(frozen=True, eq=False)
class RateTest:
    """The steps of the test on y = asin(sqrt(rate)); arrays (n_slices, n_rates)."""

    mean: Floats
    """Of the reference units, weighted by rows."""
    now: Floats
    estimate: Floats
    """Variance between units beyond sampling, as estimated."""
    prior: Floats
    """The variance that is usual."""
    tau2: Floats
    """Both, moderated."""
    n_units: Floats
    spread: Floats
    """Variance of ``now - mean`` if nothing has changed."""
    dof: float
    p_value: Floats


def _p_values(
    reference: tuple[Floats, Floats], current: tuple[Floats, Floats], deff_reference: Floats, deff_current: Floats
) -> Floats:
    return tested_rates(reference, current, deff_reference, deff_current).p_value


def tested_rates(
    reference: tuple[Floats, Floats], current: tuple[Floats, Floats], deff_reference: Floats, deff_current: Floats
) -> RateTest:
    """Two-sided probability of each change under moderated movement between days, with the steps to it.

    Args:
        reference: (k, n), flagged rows and rows, each (n_units, n_slices, n_rates).
        current: the same of the current units.
        deff_reference, deff_current: design effects, (n_slices, n_rates).
    """
    k, n = reference
    seen = n > 0
    n_units = np.maximum(seen.sum(axis=0), 1)
    days = np.where(seen, np.arcsin(np.sqrt(np.clip(_divide(k, n, fill=0.0), 0, 1))), np.nan)
    noise = deff_reference / (4.0 * np.where(seen, n, np.inf))
    whole = _divide(k.sum(axis=0), n.sum(axis=0), fill=0.0)
    centre = np.where(seen, days, np.arcsin(np.sqrt(np.clip(whole, 0, 1)))[None])
    n_now = current[1].sum(axis=0)
    now = np.arcsin(np.sqrt(np.clip(_divide(current[0].sum(axis=0), n_now, fill=0.0), 0, 1)))
    prior = np.clip(_PRIOR_RELATIVE * np.sqrt(whole * (1 - whole)) / 2.0, *_PRIOR_SD) ** 2
    dof = float(len(n) - 1)
    estimate = excess_variance(centre, noise)
    tau2 = moderated_variance(estimate, dof, prior, PRIOR_DOF)
    total = n.sum(axis=0)
    mean = (centre * n).sum(axis=0) / np.maximum(total, 1.0)
    sampling = deff_reference / (4.0 * np.maximum(total, 1.0)) + deff_current / (4.0 * np.maximum(n_now, 1.0))
    spread = tau2 * (1.0 / n_units + 1.0 / max(1, len(current[0]))) + sampling
    p_values = two_sided_p((now - mean) / np.sqrt(spread), PRIOR_DOF + dof)
    p_values = np.asarray(np.where((total > 0) & (n_now > 0), p_values, 1.0))
    return RateTest(
        mean, now, estimate, prior, tau2, np.asarray(n_units, np.float64), spread, PRIOR_DOF + dof, p_values
    )


def _divide(a: Floats, b: Floats, fill: float = np.nan) -> Floats:
    return np.asarray(np.divide(a, b, out=np.full(np.broadcast_shapes(a.shape, b.shape), fill), where=b > 0))
