"""Has a number moved as a whole? The three gates for its mean rank, which sees small shifts that a distance cannot.

A distance between shapes is never negative, so a small shift drowns in the noise of all the ways shapes can differ. The
mean rank has a sign: noise of requests and movement of days average out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.profiles.history import CellContrast
from recsysops.profiles.measures import N_BUCKETS
from recsysops.statistics.bucket_jackknife import jackknife_ratio
from recsysops.triage.arithmetic import Term
from recsysops.triage.moderated import excess_variance, moderated_variance, two_sided_p
from recsysops.triage.shape_gate import MAX_P, MIN_ROWS, PRIOR_DOF, PRIOR_FRACTION, ShapeChange

Floats = npt.NDArray[np.float64]

_JACKKNIFE_DOF = 2.0 * (N_BUCKETS - 1)


@dataclass(frozen=True)
class LocationLimits:
    """The least ``rank_shift`` worth a finding: 0.02 is a shift of 0.07 standard deviations of a normal feature."""

    rank_shift: float = 0.02
    max_p: float = MAX_P


@dataclass(frozen=True)
class _Ranks:
    """Mean ranks minus ½ under the reference's own ranks, by slice: (n_reference_units, n_slices), (n_slices,)."""

    of_bins: Floats
    days: Floats
    now: Floats


def location_gate(contrast: CellContrast, bins: tuple[int, ...], limits: LocationLimits) -> Iterator[ShapeChange]:
    """Every slice whose values now rank higher, or lower, than size, requests and days explain.

    ``rank_shift = P(current > reference) + ½ P(equal) − ½``, by bins; in [−½, ½]. Noise: delete-one-bucket jackknife.
    Days: moderated variance of the reference days' own shifts. ``t = shift / sqrt(tau² (1/n_r + 1/n_c) + se_r² + se_c²)``
    with Satterthwaite's degrees of freedom, and the shift must exceed the largest of a reference day (the second largest
    from ten days on).

    Args:
        contrast: counts of both windows, at least one reference unit; ordered bins.
        bins: all the bins.
        limits: floors.

    Source: Mann & Whitney (1947) for the statistic; Smyth (2004) for the moderated variance.
    """
    if not len(contrast.reference) or not len(contrast.current):
        return
    reference, current = (counts[..., bins].astype(np.float64) for counts in (contrast.reference, contrast.current))
    total, now = reference.sum(axis=0), current.sum(axis=0)
    n_total, n_now = total.sum(axis=-1), now.sum(axis=-1)
    ranks = _ranks(reference, total, now)
    floor = limits.rank_shift
    largest = np.sort(np.abs(np.nan_to_num(ranks.days)), axis=0)[-2 if len(reference) >= 10 else -1]
    alone = np.zeros_like(largest) if len(reference) == 1 else largest
    suspects = (n_total >= MIN_ROWS) & (n_now >= MIN_ROWS) & (np.abs(ranks.now) >= np.maximum(floor, alone))
    for index in np.flatnonzero(suspects):
        test = _tested(contrast, bins, ranks, int(index), floor)
        p_value, error = test.p_value, float(np.sqrt(test.sampling))
        if p_value > limits.max_p:
            continue
        value = float(ranks.now[index])
        yield ShapeChange(
            "rank_shift", int(index), contrast.slices[index], value, value - 1.96 * error, value + 1.96 * error,
            float(alone[index]), floor, p_value, abs(value) / floor, int(n_total[index]), int(n_now[index]),
            (*(float(day) for day in np.nan_to_num(ranks.days[:, index])), value),
            (
                Term("counts", "values, reference", float(n_total[index])),
                Term("counts", "values, current", float(n_now[index])),
                Term("counts", "rank_shift", value, "mean rank of the current values among the reference's, − ½"),
                Term("size", "floor", floor),
                Term("size", "effect", abs(value) / floor, "|rank_shift| / floor, at least 1"),
                *test.terms(float(alone[index])),
                Term("chance", "p", p_value, f"two-sided Student's t; at most {limits.max_p:g} to be a finding"),
            ),
        )  # fmt: skip


def _ranks(reference: Floats, total: Floats, now: Floats) -> _Ranks:
    share = total / np.maximum(total.sum(axis=-1, keepdims=True), 1.0)
    of_bins = np.cumsum(share, axis=-1) - share / 2.0
    return _Ranks(of_bins, _mean_rank(reference, of_bins), _mean_rank(now, of_bins))


def _mean_rank(counts: Floats, of_bins: Floats) -> Floats:
    rows = counts.sum(axis=-1)
    total = (counts * of_bins).sum(axis=-1)
    return np.asarray(np.divide(total, rows, out=np.full(rows.shape, 0.5), where=rows > 0) - 0.5)


@dataclass(frozen=True)
class _Test:
    """The steps of the test of one slice."""

    of_reference: float
    of_current: float
    """Sampling variances of the mean ranks."""
    n_days: int
    tau2: float
    t: float
    dof: float
    p_value: float

    @property
    def sampling(self) -> float:
        """Of the shift."""
        return self.of_reference + self.of_current

    def terms(self, largest: float) -> tuple[Term, ...]:
        return (
            Term(
                "noise", "sampling variance, reference", self.of_reference, "leaving out one request bucket at a time"
            ),
            Term("noise", "sampling variance, current", self.of_current, "the same"),
            Term("days", "reference days", float(self.n_days)),
            Term("days", "largest shift of a reference day", largest, "the second largest from ten days on"),
            Term("days", "variance between days, moderated", self.tau2),
            Term("chance", "t", self.t, "rank_shift / √(moderated (1/days + 1) + both sampling)"),
            Term("chance", "degrees of freedom", self.dof, "Satterthwaite's"),
        )


def _tested(contrast: CellContrast, bins: tuple[int, ...], ranks: _Ranks, index: int, floor: float) -> _Test:
    """Probability of a shift at least this large, and the steps to it."""
    of_bins = ranks.of_bins[index]
    rows = contrast.reference[:, index, bins].sum(axis=-1).astype(np.float64)
    n_total, n_now = float(rows.sum()), float(contrast.current[:, index, bins].sum())
    of_reference = _sampling_variance(contrast.load_buckets("reference", index)[:, bins], of_bins, n_total)
    of_current = _sampling_variance(contrast.load_buckets("current", index)[:, bins], of_bins, n_now)
    seen = rows > 0
    noise = of_reference * n_total / rows[seen]
    dof = float(max(0, int(seen.sum()) - 1))
    estimate = excess_variance(ranks.days[seen, index], noise)
    tau2 = float(moderated_variance(estimate, dof, (PRIOR_FRACTION * floor) ** 2, PRIOR_DOF))
    moving = tau2 * (1.0 / max(1, int(seen.sum())) + 1.0 / len(contrast.current))
    sampling = of_reference + of_current
    together = (moving + sampling) ** 2 / (moving**2 / (PRIOR_DOF + dof) + sampling**2 / _JACKKNIFE_DOF)
    t = ranks.now[index] / np.sqrt(moving + sampling)
    p_value = float(two_sided_p(np.asarray(t), together))
    return _Test(of_reference, of_current, int(seen.sum()), tau2, float(t), float(together), p_value)


def _sampling_variance(buckets: npt.NDArray[np.int64], of_bins: Floats, n_rows: float) -> float:
    """Of a mean rank, with requests as clusters; that of independent rows when buckets are gone or too few."""
    independent = 1.0 / (12.0 * max(n_rows, 1.0))
    if not len(buckets):
        return independent
    folded = buckets.reshape(-1, N_BUCKETS, buckets.shape[-1]).sum(axis=0).astype(np.float64)
    error = float(jackknife_ratio(folded @ of_bins, folded.sum(axis=-1)).standard_error)
    return independent if np.isnan(error) else max(error**2, 0.25 * independent)
