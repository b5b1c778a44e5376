"""A value that many requests suddenly share, in a column whose values were nearly all different."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.statistics.count_prediction import predictive_tails
from recsysops.statistics.proportions import wilson_interval
from recsysops.triage.rate_gate import MAX_P

Floats = npt.NDArray[np.float64]

MIN_DISTINCT_RATE = 0.2
"""Only columns with at least this many distinct values per sampled request: in the others values repeat anyway."""


@dataclass(frozen=True)
class SuddenAtom:
    """The value and its share of the sampled requests in both windows."""

    number: float
    value: float
    low: float
    high: float
    reference: float
    p_value: float
    effect: float
    n_reference: int
    n_current: int
    slice: Slice = EVERYTHING

    @property
    def series(self) -> tuple[float, ...]:
        return (self.reference, self.value)


def sudden_atom(
    reference: Floats, current: Floats, min_rate: float, max_p: float = MAX_P, n_days: int = 1
) -> SuddenAtom | None:
    """The most repeated value of the current sample, if its share rose by ``min_rate`` beyond chance.

    A popular item makes its own values popular, others every day. So the share must also exceed, by as much, the largest
    that any value can have had on one of the reference days.

    Shares of values that nobody repeats do not move from day to day, so the exact test of two counts is enough; it is
    multiplied by the number of distinct values, each of which could have been the one.

    Args:
        reference: one value per sampled request, (n_reference,); NaN = not a number.
        current: the same, (n_current,).
        min_rate: least rise of the share, in [0, 1].
        max_p: largest p-value.
        n_days: days of the reference.
    """
    before, now = reference[~np.isnan(reference)], current[~np.isnan(current)]
    if len(before) < 100 or len(now) < 100 or len(np.unique(before)) < MIN_DISTINCT_RATE * len(before):
        return None
    values, counts = np.unique(now, return_counts=True)
    top = int(np.argmax(counts))
    k, n = int(counts[top]), len(now)
    k_before = int((before == values[top]).sum())
    usual = int(np.unique(before, return_counts=True)[1].max()) * n_days / len(before)
    rise = k / n - max(k_before / len(before), usual if n_days > 1 else 0.0)
    tails = predictive_tails(k, [k_before], [len(before)], n)
    p_value = min(1.0, float(tails.upper) * len(values))
    if rise < min_rate or p_value > max_p:
        return None
    interval = wilson_interval(k, n)
    return SuddenAtom(
        float(values[top]), k / n, float(interval.low), float(interval.high), k_before / len(before),
        p_value, rise / min_rate, len(before), n,
    )  # fmt: skip
