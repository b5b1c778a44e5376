"""Has an item, or a few, taken over? Shares of impressions against reference units, beyond what items move anyway."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.profiles.catalogue import Catalogue
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
YOUNG_DAYS = 30
"""After so many days an item has found its place."""


def growing_items(
    keyed: KeyedContrast, min_share: float, min_ratio: float, ceilings: Mapping[str, float] | None = None
) -> Iterator[tuple[int, Stated]]:
    """Index and change of every item whose share of impressions grew beyond floors, noise and other days.

    ``t = ln(ratio) / sqrt(s² (1 + 1/n) + 1/k_c + 1/k_r)`` with k the item's impressions and s² the moderated variance of
    ln(share) between days, pooled over the items that matter. The share must also exceed 1.5 times its highest day, and
    that of an item with a ceiling 1.5 times this: what such items are known to reach (see ``young_ceilings``).

    Args:
        keyed: counters whose first is impressions, with at least one reference unit.
        min_share: least current share, in [0, 1].
        min_ratio: least growth of the share.
        ceilings: by item, the share up to which its growth is nothing new.
    """
    n_days, n = keyed.reference[..., 0].sum(axis=1), float(keyed.current[..., 0].sum())
    days, now = shares(keyed.reference[..., 0]), shares(keyed.current[..., 0].sum(axis=0)[None])[0]
    n_reference = max(1.0, float(n_days.sum()))
    pooled, dof = pooled_variance(days, min_share / 10)
    variance = float(moderated_variance(np.asarray(pooled), dof, _PRIOR_SD**2, _PRIOR_DOF))
    for index in np.flatnonzero(now[:-1] >= min_share):
        k_reference = max(0.5, float(keyed.reference[:, index, 0].sum()))
        of_item = days[:, index], (k_reference, n_reference), (float(now[index]), n)
        ceiling = (ceilings or {}).get(keyed.keys[index], 0.0)
        growth = _Growth(*of_item, variance, _PRIOR_DOF + dof, min_ratio, ceiling)
        if growth.is_found:
            yield int(index), growth.stated(float(keyed.reference[:, index, 0].sum()))


@dataclass(frozen=True, eq=False)
class _Growth:
    """The test of one item, step by step."""

    days: Floats
    """Its share on each reference unit."""
    reference: tuple[float, float]
    """Its impressions and all impressions."""
    current: tuple[float, float]
    """Its share, and all impressions."""
    variance: float
    dof: float
    min_ratio: float
    ceiling: float = 0.0
    """What such an item is known to reach, whatever its own days were."""

    @property
    def highest(self) -> float:
        return max(float(self.days.max()), self.ceiling)

    @property
    def ratio(self) -> float:
        return self.current[0] / (self.reference[0] / self.reference[1])

    @property
    def noise(self) -> float:
        return 1 / (self.current[1] * self.current[0]) + 1 / self.reference[0]

    @property
    def spread(self) -> float:
        return float(np.sqrt(self.variance * (1 + 1 / len(self.days)) + self.noise))

    @property
    def t(self) -> float:
        return float(np.log(self.ratio)) / self.spread

    @property
    def p_value(self) -> float:
        return float(two_sided_p(np.asarray(self.t), self.dof))

    @property
    def is_found(self) -> bool:
        is_highest = self.current[0] > 1.5 * self.highest
        return bool(self.ratio >= self.min_ratio and self.p_value <= MAX_P and is_highest)

    def stated(self, k_reference: float) -> Stated:
        """The change; ``k_reference`` are the item's impressions as they are, without a floor."""
        (share, n), (_, n_reference) = self.current, self.reference
        half = 1.96 * float(np.sqrt(share * (1 - share) / n))
        return Stated(
            EVERYTHING, share, self.ratio / self.min_ratio, int(n), max(0.0, share - half), share + half,
            k_reference / n_reference, self.p_value, int(n_reference),
            (*(float(day) for day in self.days), share), self.terms(),
        )  # fmt: skip

    def terms(self) -> tuple[Term, ...]:
        """The arithmetic."""
        return (
            Term("counts", "impressions of the item, reference", self.reference[0]),
            Term("counts", "impressions, reference", self.reference[1]),
            Term("counts", "impressions of the item, current", self.current[1] * self.current[0]),
            Term("counts", "impressions, current", self.current[1]),
            Term("size", "growth of the share", self.ratio, "current share / reference share"),
            Term("size", "floor", self.min_ratio),
            Term("size", "effect", self.ratio / self.min_ratio, "growth / floor, at least 1"),
            Term(
                "noise", "sampling variance", self.noise, "1 / impressions now + 1 / impressions before, of ln(share)"
            ),
            Term("days", "reference days", float(len(self.days))),
            Term(
                "days",
                "highest share known",
                self.highest,
                "of a reference day, or of items as young; exceeded 1.5 times",
            ),
            Term("days", "variance between days, moderated", self.variance, "of ln(share), pooled over items"),
            Term("chance", "standard error", self.spread, "√(moderated (1 + 1/days) + sampling)"),
            Term("chance", "t", self.t, "ln(growth) / standard error"),
            Term("chance", "degrees of freedom", self.dof),
            Term("chance", "p", self.p_value, f"two-sided Student's t; at most {MAX_P:g} to be a finding"),
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


def young_ceilings(keyed: KeyedContrast, catalogue: Catalogue) -> dict[str, float]:
    """What items that launched less than ``YOUNG_DAYS`` ago may reach without being told, by item.

    It is the highest share that any item as young had on a reference day, and never less than what the day's fifth
    largest share usually is: a launch that the service stands behind gets there.
    """
    day = keyed.current_days[-1]
    young = [item for item in keyed.keys if _is_young(catalogue.age_days(item, day))]
    if not young:
        return {}
    days = shares(keyed.reference[..., 0])[:, :-1]
    was_young = np.array(
        [[_is_young(catalogue.age_days(item, one)) for item in keyed.keys] for one in keyed.reference_days], np.bool_
    )
    reached = float(np.where(was_young, days, 0.0).max(initial=0.0))
    usual = float(np.median(np.sort(days, axis=1)[:, -min(5, days.shape[1])])) if days.size else 0.0
    return dict.fromkeys(young, max(reached, usual))


def _is_young(age_days: float | None) -> bool:
    return age_days is not None and 0 < age_days <= YOUNG_DAYS


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
