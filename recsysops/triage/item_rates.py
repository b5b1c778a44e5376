"""Rates of single items: which item is promoted, or left out, far more often than it used to be and than items are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.profiles.slices import Slice
from recsysops.statistics.count_prediction import predictive_tails
from recsysops.statistics.proportions import wilson_interval
from recsysops.triage.arithmetic import Term
from recsysops.triage.evidence import Stated
from recsysops.triage.moderated import moderated_variance
from recsysops.triage.rate_gate import MAX_P, PRIOR_DOF

Floats = npt.NDArray[np.float64]

PRIOR_SD = 0.3
"""Of an item's rate between healthy days, relative to it."""
PRIOR_ROWS = 20.0
"""An item without a past is expected to do as all items together, known as well as from so many rows."""


@dataclass(frozen=True)
class ItemLimits:
    """``min_rate`` now, ``min_rise`` in points over the item's own past, ``min_rows`` of the item on the judged day."""

    min_rate: float
    min_rise: float = 0.3
    min_rows: float = 20.0
    max_p: float = MAX_P


def rising_items(
    k: tuple[Floats, Floats], n: tuple[Floats, Floats], limits: ItemLimits, slice_: Slice
) -> Iterator[tuple[int, Stated]]:
    """Index and change of every item whose rate k/n rose beyond its floors, exact counts and what days differ by.

    Args:
        k: flagged rows by item: (n_reference_units, n_items) and, of the current window, (n_items,).
        n: the rows they are of, in the same shapes.
        limits: floors.
        slice_: where the rows were counted.

    Source: Przyborowski & Wilenski (1940) for the exact test; Smyth (2004) for the moderated variance.
    """
    total = max(1.0, float(n[0].sum()))
    usual = float(k[0].sum()) / total
    before = (k[0].sum(axis=0) + PRIOR_ROWS * usual) / (n[0].sum(axis=0) + PRIOR_ROWS)
    now = np.divide(k[1], n[1], out=np.zeros_like(k[1]), where=n[1] > 0)
    suspects = (n[1] >= limits.min_rows) & (now >= limits.min_rate) & (now - before >= limits.min_rise)
    for index in np.flatnonzero(suspects):
        change = _judged((k[0][:, index], n[0][:, index]), (k[1][index], n[1][index]), usual, limits, slice_)
        if change is not None:
            yield int(index), change


def _judged(
    reference: tuple[Floats, Floats], current: tuple[float, float], usual: float, limits: ItemLimits, slice_: Slice
) -> Stated | None:
    k_days, n_days = np.append(reference[0], PRIOR_ROWS * usual), np.append(reference[1], PRIOR_ROWS)
    before = float(k_days.sum() / n_days.sum())
    expected = before * reference[1]
    estimate = float(((reference[0] - expected) ** 2).sum() - expected.sum()) / max(float((expected**2).sum()), 1e-12)
    variance = float(moderated_variance(np.asarray(max(estimate, 0.0)), len(expected) - 1, PRIOR_SD**2, PRIOR_DOF))
    k, n = current
    p_value = float(predictive_tails(k, k_days, n_days, n, dispersion=variance).upper)
    if p_value > limits.max_p:
        return None
    interval = wilson_interval(k, n)
    value, effect = k / n, (k / n - before) / limits.min_rise
    days = np.divide(reference[0], reference[1], out=np.zeros_like(reference[0]), where=reference[1] > 0)
    terms = (
        Term("counts", "flagged, reference", float(reference[0].sum())),
        Term("counts", "rows of the item, reference", float(reference[1].sum())),
        Term("counts", "flagged, current", k),
        Term("counts", "rows of the item, current", n),
        Term("size", "rate before", before, f"with {PRIOR_ROWS:g} rows at the rate of all items, {usual:.3g}"),
        Term("size", "floor in points", limits.min_rise),
        Term("size", "effect", effect, "rise / floor, at least 1"),
        Term("days", "reference days", float(len(days))),
        Term("days", "relative variance between days, moderated", variance),
        Term("chance", "p", p_value, f"exact test of two counts; at most {limits.max_p:g} to be a finding"),
    )
    return Stated(
        slice_, value, effect, int(n), float(interval.low), float(interval.high), before, p_value,
        int(reference[1].sum()), (*(float(day) for day in days), value), terms,
    )  # fmt: skip
