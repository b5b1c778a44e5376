"""Has a distribution changed shape? The three gates for binned numbers (PSI, KS, W1) and for categories (PSI)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.profiles.history import CellContrast
from recsysops.profiles.measures import N_BUCKETS
from recsysops.profiles.slices import Slice
from recsysops.statistics.bucket_permutation import Statistic, permute_buckets
from recsysops.statistics.kolmogorov_smirnov import ks_bracket
from recsysops.statistics.psi import expected_psi, psi
from recsysops.statistics.wasserstein import wasserstein
from recsysops.triage.arithmetic import Term
from recsysops.triage.moderated import moderated_variance, upper_p
from recsysops.triage.rate_gate import n_clusters

Floats = npt.NDArray[np.float64]

MAX_P = 1e-3
"""No finding is yielded above this; triage sets the day's own, stricter limit."""
MIN_ROWS = 400
"""Shapes of fewer rows are not judged: 32 bins would hold a dozen rows each."""
MIN_CLUSTERS = 16
"""A shape made by a handful of requests (members, items) is theirs alone."""
PRIOR_DOF = 8.0
TAIL_SHARE = 0.0015
"""Bins that together hold no more of the reference, from either end, are its tails (cut at 0.1 % and 99.9 %)."""
ATOM_WIDTH = 1e-30
"""A narrower bin holds one value (the bin of 0 is as wide as the smallest number) and is given no width at all."""
PRIOR_FRACTION = 1 / 8
"""Healthy days are expected to lie an eighth of the floor apart, until the log's own days say otherwise."""
_FIRST_DRAWS = 99
_HOPELESS = 0.1
"""Ten of the first 99 draws as far away: the other 900 cannot make it a finding."""
_FEW_DAYS = 0.25
"""The movement of few reference days is hardly known: floors are 1 + 0.25/n times as large."""


@dataclass(frozen=True)
class ShapeLimits:
    """The least distances worth a finding; ``ks`` and ``w1_over_iqr`` need ordered bins."""

    psi: float = 0.05
    ks: float = 0.03
    w1_over_iqr: float = 0.05
    rank_shift: float = 0.02
    """Judged by ``location_gate``."""
    max_p: float = MAX_P
    seed: int = 0
    """Of the permutation."""


@dataclass(frozen=True)
class ShapeChange:
    """One slice whose shape passed all gates, told by the statistic that is surest of it."""

    statistic: str
    slice_index: int
    slice: Slice
    value: float
    low: float | None
    high: float | None
    """95 % limits from leaving out one bucket of the current window at a time; None without buckets."""
    reference: float
    """The largest distance of a reference unit from the others; 0 with one unit."""
    threshold: float
    p_value: float
    effect: float
    n_reference: int
    n_current: int
    series: tuple[float, ...]
    """Distance of each reference unit from the others, then of the current window."""
    arithmetic: tuple[Term, ...] = ()


@dataclass(frozen=True)
class _Series:
    """The counts of one slice: (n_units, n_cells) each."""

    index: int
    reference: Floats
    current: Floats


def shape_gate(contrast: CellContrast, cells: tuple[int, ...], limits: ShapeLimits) -> Iterator[ShapeChange]:
    """Every slice whose current shape lies further from the reference than size, requests and days explain.

    Noise: whole buckets of requests are dealt to the windows at random. Days: each reference day's distance from the
    other reference days gives the scale, ``t = d / (s sqrt(1/n_c + 1/n_r))`` with s² their moderated mean square, and
    the current distance must exceed the largest of them (the second largest from ten days on, so that one past incident
    does not make us deaf). The p-value is the larger of the two, times the number of statistics.

    Args:
        contrast: counts of both windows, with at least one reference unit; edges given = ordered bins.
        cells: the bins or categories compared, in order; bins must be all the bins.
        limits: floors.
    """
    if len(cells) < 2 or not len(contrast.reference) or not len(contrast.current):
        return
    reference, current = (counts[..., cells].astype(np.float64) for counts in (contrast.reference, contrast.current))
    floors = _floors(contrast, cells, limits)
    total, now = reference.sum(axis=0), current.sum(axis=0)
    enough = (total.sum(axis=-1) >= MIN_ROWS) & (now.sum(axis=-1) >= MIN_ROWS)
    effect = np.max([np.nan_to_num(statistic(total, now)) / floor for _, statistic, floor in floors], axis=0)
    for index in np.flatnonzero(enough & (effect >= widening(len(reference)))):
        series = _Series(int(index), reference[:, index], current[:, index])
        changes = [_judge(contrast, cells, series, one, limits, len(floors)) for one in floors]
        found = [change for change in changes if change is not None]
        if found:
            yield min(found, key=lambda change: (change.p_value, -change.effect))


_Floor = tuple[str, Statistic, float]


def _floors(contrast: CellContrast, cells: tuple[int, ...], limits: ShapeLimits) -> tuple[_Floor, ...]:
    """(name, statistic, least distance) of what is looked at. Tails are left to a rate: PSI would only see them."""
    if contrast.edges is None or len(contrast.edges) < 2:
        return (("psi", excess_psi, limits.psi),)
    low, high = tail_bins(contrast.reference[:, 0, cells].sum(axis=0))
    bulk = slice(low + 1, high)
    edges = contrast.edges.copy()
    atoms = np.flatnonzero(np.diff(edges) < ATOM_WIDTH)
    edges[atoms] = edges[atoms + 1]
    bounds = np.concatenate([[-np.inf], edges, [np.inf]])

    def bulk_psi(reference: Floats, current: Floats) -> Floats:
        return excess_psi(reference[..., bulk], current[..., bulk])

    def w1_over_iqr(reference: Floats, current: Floats) -> Floats:
        return wasserstein(reference, current, bounds).normalised

    return (
        ("ks", _ks_low, limits.ks),
        ("psi", bulk_psi, limits.psi),
        ("w1_over_iqr", w1_over_iqr, limits.w1_over_iqr),
    )


def tail_bins(reference: npt.NDArray[np.int64]) -> tuple[int, int]:
    """The last bin of the reference's lower tail and the first of its upper one; at least the outermost bins.

    Args:
        reference: rows per bin, (n_bins,).
    """
    total = max(1, int(reference.sum()))
    low = int(np.searchsorted(np.cumsum(reference) / total, TAIL_SHARE, side="right")) - 1
    high = len(reference) - int(np.searchsorted(np.cumsum(reference[::-1]) / total, TAIL_SHARE, side="right"))
    low, high = max(low, 0), min(high, len(reference) - 1)
    return (low, high) if low + 1 < high else (0, len(reference) - 1)


def excess_psi(reference: Floats, current: Floats) -> Floats:
    """PSI beyond what independent rows give by chance alone; may be below 0."""
    n, m = np.maximum(reference.sum(axis=-1), 1.0), np.maximum(current.sum(axis=-1), 1.0)
    used = ((reference + current) > 0).sum(axis=-1)
    return np.asarray(psi(reference, current) - expected_psi(n, m, used))


def _ks_low(reference: Floats, current: Floats) -> Floats:
    return ks_bracket(reference, current).low


def widening(n_reference: int) -> float:
    """How much larger a floor is because few reference days are known."""
    return 1.0 + _FEW_DAYS / n_reference


def _judge(
    contrast: CellContrast, cells: tuple[int, ...], series: _Series, floor: _Floor, limits: ShapeLimits, n_looked: int
) -> ShapeChange | None:
    name, statistic, least = floor
    least *= widening(len(series.reference))
    total, now = series.reference.sum(axis=0), series.current.sum(axis=0)
    value = float(np.nan_to_num(statistic(total, now)))
    if value < least:
        return None
    days = _distances_of_days(series.reference, statistic)
    of_days = _of_days(value, days, least, len(series.current))
    p_days = n_looked * of_days.p_value
    if p_days > limits.max_p:
        return None
    p_noise, half = _p_noise(contrast, cells, series.index, statistic, limits.seed)
    p_value = min(1.0, max(p_days, n_looked * p_noise))
    if p_value > limits.max_p:
        return None
    return ShapeChange(
        name, series.index, contrast.slices[series.index], value,
        None if half is None else max(0.0, value - half), None if half is None else value + half,
        float(days.max(initial=0.0)), least, p_value, value / least, int(total.sum()), int(now.sum()),
        (*(float(day) for day in days), value),
        (
            Term("counts", "values, reference", float(total.sum())),
            Term("counts", "values, current", float(now.sum())),
            Term("counts", f"distance {name}", value, "current shape from the pooled reference"),
            Term("size", "floor", least, f"{floor[2]:g}, widened for {len(series.reference)} reference days"),
            Term("size", "effect", value / least, "distance / floor, at least 1"),
            Term("noise", "chance among requests", p_noise, "whole request buckets dealt to the windows at random; 0 without buckets"),
            *of_days.terms(len(days)),
            Term("chance", "statistics looked at", float(n_looked), "the p-value is multiplied by them"),
            Term("chance", "p", p_value, f"the larger of both chances × statistics; at most {limits.max_p:g} to be a finding"),
        ),
    )  # fmt: skip


def _distances_of_days(reference: Floats, statistic: Statistic) -> Floats:
    """Distance of each reference unit from all others together, (n_units,); empty with fewer than two."""
    if len(reference) < 2:
        return np.zeros(0)
    others = reference.sum(axis=0) - reference
    return np.asarray(np.maximum(np.nan_to_num(statistic(others, reference)), 0.0))


@dataclass(frozen=True)
class _OfDays:
    """Chance of a unit this far from the others, given how far the reference units lie from one another."""

    largest: float
    scale: float
    t: float
    dof: float
    p_value: float

    def terms(self, n_days: int) -> tuple[Term, ...]:
        return (
            Term("days", "reference days compared with one another", float(n_days)),
            Term("days", "largest distance of a reference day", self.largest, "the second largest from ten days on"),
            Term("days", "mean square distance, moderated", self.scale),
            Term("days", "t", self.t, "distance / √(mean square (1/days + 1))"),
            Term("days", "degrees of freedom", self.dof),
            Term("days", "chance among days", self.p_value, "one-sided Student's t; 1 within what days do"),
        )


def _of_days(value: float, days: Floats, least: float, n_current: int) -> _OfDays:
    n_days = max(1, len(days))
    largest = float(np.sort(days)[-2 if len(days) >= 10 else -1]) if len(days) else 0.0
    mean_square = np.asarray((days**2).mean() if len(days) else 0.0)
    scale = moderated_variance(mean_square, len(days), (PRIOR_FRACTION * least) ** 2, PRIOR_DOF)
    t = value / np.sqrt(scale * (1.0 / n_current + 1.0 / n_days))
    dof = PRIOR_DOF + len(days)
    p_value = 1.0 if value <= largest else float(upper_p(np.asarray(t), dof))
    return _OfDays(largest, float(scale), float(t), dof, p_value)


def _p_noise(
    contrast: CellContrast, cells: tuple[int, ...], index: int, statistic: Statistic, seed: int
) -> tuple[float, float | None]:
    """Chance of this distance if requests were dealt to the windows at random, and half a 95 % interval."""
    reference, current = (contrast.load_buckets(window, index)[:, cells] for window in ("reference", "current"))
    if not len(reference) or not len(current):
        return 0.0, None
    if n_clusters(current) < MIN_CLUSTERS:
        return 1.0, None
    total = reference.sum(axis=0).astype(np.float64)
    by_bucket = current.reshape(-1, N_BUCKETS, len(cells)).sum(axis=0).astype(np.float64)
    left_out = statistic(np.broadcast_to(total, by_bucket.shape), by_bucket.sum(axis=0) - by_bucket)
    half = 1.96 * np.sqrt((N_BUCKETS - 1) / N_BUCKETS * ((left_out - left_out.mean()) ** 2).sum())
    first = permute_buckets(reference, by_bucket, statistic, n_draws=_FIRST_DRAWS, seed=seed)
    if float(np.nan_to_num(first.p_value, nan=1.0)) > _HOPELESS:
        return float(first.p_value), float(half)
    noise = permute_buckets(reference, by_bucket, statistic, seed=seed)
    return float(np.nan_to_num(noise.tail_p_value, nan=1.0)), float(half)
