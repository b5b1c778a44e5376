"""Has an item, or a few, taken over? Shares of impressions against reference units, beyond what items move anyway."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from recsysops.profiles.history import KeyedContrast
from recsysops.profiles.slices import EVERYTHING
from recsysops.triage.arithmetic import Term
from recsysops.triage.evidence import Stated
from recsysops.triage.level_gate import LevelLimits, level_gate
from recsysops.triage.moderated import moderated_variance, two_sided_p
from recsysops.triage.rate_gate import MAX_P

Floats = npt.NDArray[np.float64]

_PRIOR_SD = 0.4
"""Of ln(an item's share) between healthy days: real items gain and lose a third of their exposure overnight."""
_PRIOR_DOF = 8.0
_CONCENTRATION_PRIOR_SD = 0.08


def growing_items(keyed: KeyedContrast, min_share: float, min_ratio: float) -> Iterator[tuple[int, Stated]]:
    """Index and change of every item whose share of impressions grew beyond floors, noise and other days.

    ``t = ln(ratio) / sqrt(s² (1 + 1/n) + 1/k_c + 1/k_r)`` with k the item's impressions and s² the moderated variance of
    ln(share) between days, pooled over the items that matter. The share must also exceed 1.5 times its highest day.

    Args:
        keyed: counters whose first is impressions, with at least one reference unit.
        min_share: least current share, in [0, 1].
        min_ratio: least growth of the share.
    """
    n_days, n = keyed.reference[..., 0].sum(axis=1), float(keyed.current[..., 0].sum())
    days, now = shares(keyed.reference[..., 0]), shares(keyed.current[..., 0].sum(axis=0)[None])[0]
    n_reference = max(1.0, float(n_days.sum()))
    pooled, dof = pooled_variance(days, min_share / 10)
    variance = float(moderated_variance(np.asarray(pooled), dof, _PRIOR_SD**2, _PRIOR_DOF))
    for index in np.flatnonzero(now[:-1] >= min_share):
        share, k_reference = float(now[index]), max(0.5, float(keyed.reference[:, index, 0].sum()))
        ratio = share / (k_reference / n_reference)
        noise = 1 / (n * share) + 1 / k_reference
        spread = float(np.sqrt(variance * (1 + 1 / len(days)) + noise))
        t = float(np.log(ratio)) / spread
        p_value = float(two_sided_p(np.asarray(t), _PRIOR_DOF + dof))
        if ratio >= min_ratio and p_value <= MAX_P and share > 1.5 * days[:, index].max():
            half = 1.96 * float(np.sqrt(share * (1 - share) / n))
            before = float(keyed.reference[:, index, 0].sum()) / n_reference
            series = (*(float(day) for day in days[:, index]), share)
            low, high = max(0.0, share - half), share + half
            terms = (
                Term("counts", "impressions of the item, reference", k_reference),
                Term("counts", "impressions, reference", n_reference),
                Term("counts", "impressions of the item, current", n * share),
                Term("counts", "impressions, current", n),
                Term("size", "growth of the share", ratio, "current share / reference share"),
                Term("size", "floor", min_ratio),
                Term("size", "effect", ratio / min_ratio, "growth / floor, at least 1"),
                Term("noise", "sampling variance", noise, "1 / impressions now + 1 / impressions before, of ln(share)"),
                Term("days", "reference days", float(len(days))),
                Term("days", "highest share of a reference day", float(days[:, index].max()), "exceeded 1.5 times"),
                Term("days", "variance between days, moderated", variance, "of ln(share), pooled over items"),
                Term("chance", "standard error", spread, "√(moderated (1 + 1/days) + sampling)"),
                Term("chance", "t", t, "ln(growth) / standard error"),
                Term("chance", "degrees of freedom", _PRIOR_DOF + dof),
                Term("chance", "p", p_value, f"two-sided Student's t; at most {MAX_P:g} to be a finding"),
            )
            yield (
                int(index),
                Stated(
                    EVERYTHING,
                    share,
                    ratio / min_ratio,
                    int(n),
                    low,
                    high,
                    before,
                    p_value,
                    int(n_reference),
                    series,
                    terms,
                ),
            )


def growing_concentration(keyed: KeyedContrast, min_ratio: float) -> Stated | None:
    """The change of the concentration of impressions, if it grew beyond its floor and other days."""
    reference = concentration(keyed.reference[..., 0])
    now = float(concentration(keyed.current[..., 0].sum(axis=0)[None])[0])
    if not (reference > 0).all() or now <= 0:
        return None
    level = level_gate(reference, np.asarray(now), LevelLimits(min_ratio, _CONCENTRATION_PRIOR_SD))
    if now < float(level.expected) or float(level.effect) < 1 or float(level.p_value) > MAX_P:
        return None
    return Stated(
        EVERYTHING,
        now,
        float(level.effect),
        int(keyed.current[..., 0].sum()),
        reference=float(level.expected),
        p_value=float(level.p_value),
        n_reference=int(keyed.reference[..., 0].sum()),
        series=(*(float(day) for day in reference), now),
    )


def shares(impressions: Floats) -> Floats:
    """Share of each key (the last is the tail) of a unit's impressions, (n_units, n_keys + 1)."""
    return np.asarray(impressions / np.maximum(impressions.sum(axis=1, keepdims=True), 1.0))


def concentration(impressions: Floats) -> Floats:
    """Chance that two impressions are of one item, (n_units,): the sum of squared shares without its chance level.

    The tail (the last key) counts as spread out.

    Example:
        >>> concentration(np.array([[50.0, 50.0, 0.0], [100.0, 0.0, 0.0]])).round(3).tolist()
        [0.495, 1.0]
    """
    n = impressions.sum(axis=1)
    pairs = (impressions[:, :-1] * np.maximum(impressions[:, :-1] - 1, 0)).sum(axis=1)
    return np.asarray(pairs / np.maximum(n * (n - 1), 1.0))


def pooled_variance(days: Floats, least: float) -> tuple[float, int]:
    """Variance of ln(share) between days over items never below ``least``, and its degrees of freedom.

    They are those of the days, not of days and items: items share the days.
    """
    judged = days[:, :-1][:, (days[:, :-1] >= least).all(axis=0)]
    if len(days) < 2 or not judged.shape[1]:
        return 0.0, 0
    return float(np.log(judged).var(axis=0, ddof=1).mean()), len(days) - 1
