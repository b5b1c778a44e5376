"""Rates of requests that a predicate holds of, where most healthy logs never show one.

Rates that happen are judged as any rate. Those that never did are judged by exact counts, or, where the predicate is an
invariant, by a rule: a log of many requests that never broke it, and breaks it, has changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recsysops.profiles.history import CellContrast
from recsysops.statistics.proportions import clopper_pearson_interval
from recsysops.triage.evidence import Stated
from recsysops.triage.rare_events import rare_gate
from recsysops.triage.rate_gate import Rate, RateChange, RateLimits, rate_gate
from recsysops.triage.widest import widest

NEVER_IN = 2000
"""Requests without a single violation that make an invariant of a predicate …"""
NEVER_DAYS = 5
"""… on at least so many days."""


@dataclass(frozen=True)
class Flagged:
    """A rate of flagged requests; ``tolerates``: whether a single one may be chance in a log that never had one."""

    name: str
    tolerates: bool = True


def rising_rates(contrast: CellContrast, flagged: Flagged, limits: RateLimits) -> Iterator[RateChange | Stated]:
    """Every slice in which more requests are flagged than before; of an invariant the first violation over all rows.

    Args:
        contrast: of a ``per_request`` measure.
        flagged: the name of the rate, and whether it is an invariant.
        limits: floors of the rate.
    """
    of, hit = contrast.cell("requests"), contrast.cell("flagged_requests")
    if not flagged.tolerates and _never(contrast, of, hit):
        change = first_violation(contrast, of, hit)
        if change is not None:
            yield change
        return
    rate = Rate(flagged.name, (hit,), (of,))
    found = {change.slice_index: change for change in rate_gate(contrast, [rate], limits)}
    found |= {
        change.slice_index: change for change in rare_gate(contrast, rate, limits) if change.slice_index not in found
    }
    yield from widest(found[index] for index in sorted(found))


def first_violation(contrast: CellContrast, of: int, hit: int) -> Stated | None:
    """What breaks a rule that was never broken, without a p-value; told in the slice that holds it all, if one does."""
    counts = contrast.current.sum(axis=0)
    total, k = int(counts[0, of]), int(counts[0, hit])
    if k == 0:
        return None
    holding = [
        index
        for index in range(1, len(contrast.slices))
        if counts[index, hit] == k and counts[index, of] < 0.5 * total and k >= 3
    ]
    index = max(holding, key=lambda one: int(counts[one, of]) * -1, default=0)
    n = int(counts[index, of])
    interval = clopper_pearson_interval(k, n)
    return Stated(
        contrast.slices[index], k / n, max(1.0, float(k)), n, float(interval.low), float(interval.high),
        n_reference=int(contrast.reference[:, index, of].sum()), series=(*([0.0] * len(contrast.reference)), k / n),
    )  # fmt: skip


def above(contrast: CellContrast, max_rate: float) -> Stated | None:
    """Without a reference: a rate over all rows that is surely above what any log may have."""
    counts = contrast.current[:, 0].sum(axis=0)
    n, k = int(counts[contrast.cell("requests")]), int(counts[contrast.cell("flagged_requests")])
    interval = clopper_pearson_interval(k, max(1, n))
    low, high = float(interval.low), float(interval.high)
    return (
        None if low <= max_rate else Stated(contrast.slices[0], k / n, k / n / max_rate, n, low, high, series=(k / n,))
    )


def _never(contrast: CellContrast, of: int, hit: int) -> bool:
    before = contrast.reference[:, 0]
    days = int(np.count_nonzero(before[:, of]))
    return bool(before[:, of].sum() >= NEVER_IN and days >= NEVER_DAYS and before[:, hit].sum() == 0)
