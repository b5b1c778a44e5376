"""Rates of single items: which item is promoted, or left out, far more often than it used to be and than items are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from recsysops.profiles.slices import Slice
from recsysops.statistics.proportions import wilson_interval
from recsysops.triage.arithmetic import Term
from recsysops.triage.evidence import Stated
from recsysops.triage.moderated import moderated_variance
from recsysops.triage.rate_gate import MAX_P, PRIOR_DOF

Floats = npt.NDArray[np.float64]

PRIOR_SD = 0.4
"""Of an item's rate between healthy days, on the scale of ln(rate / (1 − rate))."""
PRIOR_ROWS = 20.0
"""An item without a past is expected to do as all items together, known as well as from so many rows."""


@dataclass(frozen=True)
class ItemLimits:
    """``min_rate`` now, ``min_rise`` over the item's own past as a share of the room to 1, ``min_rows`` of the item on the judged day."""

    min_rate: float
    min_rise: float = 0.3
    min_rows: float = 20.0
    max_p: float = MAX_P


def rising_items(
    k: tuple[Floats, Floats], n: tuple[Floats, Floats], limits: ItemLimits, slice_: Slice
) -> Iterator[tuple[int, Stated]]:
    """Index and change of every item whose rate k/n rose beyond its floors, chance and what days differ by.

    Args:
        k: flagged rows by item: (n_reference_units, n_items) and, of the current window, (n_items,).
        n: the rows they are of, in the same shapes.
        limits: floors.
        slice_: where the rows were counted.

    Source: Skellam (1948), the beta-binomial; Smyth (2004) for the moderated variance.
    """
    total = max(1.0, float(n[0].sum()))
    usual = float(k[0].sum()) / total
    before = (k[0].sum(axis=0) + PRIOR_ROWS * usual) / (n[0].sum(axis=0) + PRIOR_ROWS)
    now = np.divide(k[1], n[1], out=np.zeros_like(k[1]), where=n[1] > 0)
    suspects = (n[1] >= limits.min_rows) & (now >= limits.min_rate) & (now - before >= limits.min_rise * (1 - before))
    for index in np.flatnonzero(suspects):
        change = _judged((k[0][:, index], n[0][:, index]), (k[1][index], n[1][index]), usual, limits, slice_)
        if change is not None:
            yield int(index), change


def _judged(
    reference: tuple[Floats, Floats], current: tuple[float, float], usual: float, limits: ItemLimits, slice_: Slice
) -> Stated | None:
    n_before = float(reference[1].sum()) + PRIOR_ROWS
    before = (float(reference[0].sum()) + PRIOR_ROWS * usual) / n_before
    before = min(max(before, 1 / n_before), 1 - 1 / n_before)
    variance = _between_days(reference, before)
    chance = before * (1 - before)
    k, n = current
    spread = min(variance + chance / n_before, 0.5 * chance)  # of the rate that a healthy day draws
    size = chance / spread - 1
    p_value = float(stats.betabinom.sf(k - 1, n, before * size, (1 - before) * size))
    if p_value > limits.max_p:
        return None
    interval = wilson_interval(k, n)
    value, effect = k / n, (k / n - before) / (1 - before) / limits.min_rise
    days = np.divide(reference[0], reference[1], out=np.zeros_like(reference[0]), where=reference[1] > 0)
    terms = (
        Term("counts", "flagged, reference", float(reference[0].sum())),
        Term("counts", "rows of the item, reference", float(reference[1].sum())),
        Term("counts", "flagged, current", k),
        Term("counts", "rows of the item, current", n),
        Term("size", "rate before", before, f"with {PRIOR_ROWS:g} rows at the rate of all items, {usual:.3g}"),
        Term("size", "floor", limits.min_rise, "as a share of the room between the rate before and 1"),
        Term("size", "effect", effect, "rise / floor, at least 1"),
        Term("days", "reference days", float(len(days))),
        Term("days", "variance of the rate between days, moderated", variance),
        Term(
            "chance",
            "p",
            p_value,
            f"beta-binomial, with the uncertainty of the rate before; at most {limits.max_p:g} to be a finding",
        ),
    )
    return Stated(
        slice_, value, effect, int(n), float(interval.low), float(interval.high), before, p_value,
        int(reference[1].sum()), (*(float(day) for day in days), value), terms,
    )  # fmt: skip


def _between_days(reference: tuple[Floats, Floats], before: float) -> float:
    """Variance of an item's rate between days beyond chance, moderated."""
    k, n = (one[reference[1] > 0] for one in reference)
    chance = before * (1 - before)
    excess = float(((k - before * n) ** 2).sum() - chance * n.sum()) / max(float((n * np.maximum(n - 1, 1)).sum()), 1.0)
    return float(
        moderated_variance(np.asarray(max(excess, 0.0)), max(len(n) - 1, 0), (PRIOR_SD * chance) ** 2, PRIOR_DOF)
    )
