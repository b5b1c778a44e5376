"""Has something that hardly ever happens begun to happen? An exact test of counts, where a rate's normal theory fails.

A rate of 0 in the reference tells ``rate_gate`` little: on its scale a handful of rows is within what days differ by. Counts
tell more: twelve broken rows in a log that never had one are no chance, as long as they are not all of one request.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from recsysops.profiles.history import CellContrast, Window
from recsysops.profiles.measures import N_BUCKETS
from recsysops.statistics.count_prediction import predictive_tails
from recsysops.statistics.proportions import wilson_interval
from recsysops.triage.arithmetic import Term
from recsysops.triage.moderated import moderated_variance
from recsysops.triage.rate_gate import PRIOR_DOF, Rate, RateChange, RateLimits, counted_rates, rate_effects

Floats = npt.NDArray[np.float64]

PRIOR_SD = 0.3
"""Of a rare rate between healthy days, relative to it."""


def rare_gate(contrast: CellContrast, rate: Rate, limits: RateLimits) -> Iterator[RateChange]:
    """Every slice in which a rate rose beyond its floor, beyond exact counts of clusters, and beyond what days differ by.

    The flagged rows are divided by how many come together (``rows_together``), and the current count is held against the
    predictive distribution that the reference counts leave, spread by the moderated relative variance between days.

    Args:
        contrast: counts of both windows, at least one reference unit.
        rate: what to compare; cells by index.
        limits: floors; only rises are looked for.

    Source: Przyborowski & Wilenski, Biometrika 31 (1940), for the exact test; Smyth (2004) for the moderated variance.
    """
    if not len(contrast.reference) or not len(contrast.current) or not rate.flagged:
        return
    reference, current = counted_rates(contrast.reference, [rate]), counted_rates(contrast.current, [rate])
    effect, _ = rate_effects(reference, current, RateLimits(limits.min_change, limits.min_ratio, only_up=True))
    flagged = current[0].sum(axis=0)[:, 0]
    for index in np.flatnonzero((effect[:, 0] >= 1) & (flagged >= 2)):
        change = _judged(contrast, rate, int(index), float(effect[index, 0]), limits)
        if change is not None:
            yield change


def _judged(contrast: CellContrast, rate: Rate, index: int, effect: float, limits: RateLimits) -> RateChange | None:
    at = slice(index, index + 1)
    k_days, n_days = (one[:, 0, 0] for one in counted_rates(contrast.reference[:, at], [rate]))
    k, n = (float(one.sum()) for one in counted_rates(contrast.current[:, at], [rate]))
    if n_days.sum() <= 0 or n <= 0:
        return None
    together = max(
        rows_together(contrast, rate, "current", index), rows_together(contrast, rate, "reference", index), 1.0
    )
    variance = _between_days(k_days / together, n_days / together)
    tails = predictive_tails(
        np.floor(k / together), k_days / together, n_days / together, n / together, dispersion=variance
    )
    p_value = float(tails.upper)
    if p_value > limits.max_p:
        return None
    before = float(k_days.sum() / n_days.sum())
    interval = wilson_interval(k, n, design_effect=together)
    days = np.divide(k_days, n_days, out=np.zeros_like(k_days), where=n_days > 0)
    terms = (
        Term("counts", "flagged rows, reference", float(k_days.sum())),
        Term("counts", "rows, reference", float(n_days.sum())),
        Term("counts", "flagged rows, current", k),
        Term("counts", "rows, current", n),
        Term("size", "floor in points", limits.min_change),
        Term("size", "effect", effect, "times its floor; at least 1"),
        Term("noise", "flagged rows that come together", together, "flagged rows over the requests they are of"),
        Term("days", "reference days", float(len(n_days))),
        Term("days", "relative variance between days, moderated", variance),
        Term("chance", "p", p_value, f"exact test of two counts of clusters; at most {limits.max_p:g} to be a finding"),
    )
    return RateChange(
        rate, index, contrast.slices[index], k / n, min(float(interval.low), k / n), max(float(interval.high), k / n),
        before, p_value, effect, int(n_days.sum()), int(n), (*(float(day) for day in days), k / n), terms,
    )  # fmt: skip


def rows_together(contrast: CellContrast, rate: Rate, window: Window, index: int) -> float:
    """How many flagged rows come from one cluster, from how many buckets they fall into; 1 where there are none.

    k clusters fall into ``32 (1 − (31/32)^k)`` buckets, so u buckets in use are ``−32 ln(1 − u/32)`` clusters or so. With every
    bucket in use the rows are spread widely, and the variance between buckets over their mean tells.
    """
    buckets = contrast.load_buckets(window, index)
    if not len(buckets):
        return 1.0
    by_bucket = buckets.reshape(-1, N_BUCKETS, buckets.shape[-1]).sum(axis=0)
    flagged = counted_rates(by_bucket[:, None, :], [rate])[0][:, 0, 0]
    in_use = int((flagged > 0).sum())
    if not in_use:
        return 1.0
    if in_use < N_BUCKETS:
        return max(1.0, float(flagged.sum() / (-N_BUCKETS * np.log1p(-in_use / N_BUCKETS))))
    return max(1.0, float(flagged.var(ddof=1) / flagged.mean()))


def _between_days(k: Floats, n: Floats) -> float:
    """Relative variance of the rate between days beyond chance, moderated."""
    whole = k.sum() / n.sum()
    if whole <= 0:
        return PRIOR_SD**2
    expected = whole * n
    estimate = float((((k - expected) ** 2).sum() - expected.sum()) / max(float((expected**2).sum()), 1e-12))
    return float(moderated_variance(np.asarray(max(estimate, 0.0)), len(n) - 1, PRIOR_SD**2, PRIOR_DOF))
