"""Which recorded change began it? Each one scored by kind, time, scope and dose, and refuted where it cannot have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from scipy import special

from recsysops.statistics._arrays import BoolArray, FloatArray
from recsysops.statistics.estimate import Estimate
from recsysops.statistics.multiplicity import benjamini_hochberg, holm

_HOUR = 3600.0
_AFFECTED_Q, _REFUTED_P, _REFUTED_SHARE = 0.1, 0.001, 0.5


@dataclass(frozen=True)
class ChangeKind:
    """How often a kind of change is to blame, and how soon it shows."""

    prior: float
    """In [0, 1], relative to other kinds."""
    tau_seconds: float
    """By then 63 % of its effects have shown."""


KINDS: Mapping[str, ChangeKind] = MappingProxyType(
    {
        "deploy": ChangeKind(1.0, 2 * _HOUR),
        "config": ChangeKind(1.0, _HOUR),
        "schema": ChangeKind(0.8, 24 * _HOUR),
        "experiment": ChangeKind(0.6, 6 * _HOUR),
        "launch": ChangeKind(0.4, 24 * _HOUR),
    }
)
"""What to start with; a team with past incidents fits its own."""
UNKNOWN_KIND = ChangeKind(0.3, 12 * _HOUR)


@dataclass(frozen=True, slots=True, eq=False)
class CellEffects:
    """What happened to the metric in every cell, such as market x device or arm; arrays (n_cells,)."""

    effect: FloatArray
    """Change of the metric since the onset, against what was to be expected."""
    standard_error: FloatArray
    """> 0."""

    def __post_init__(self) -> None:
        e, se = self.effect, self.standard_error
        if e.ndim != 1 or e.shape != se.shape or not np.isfinite(e).all() or not (np.isfinite(se) & (se > 0)).all():
            raise ValueError("cell effects: expected finite effects (n_cells,) and as many standard errors > 0")


@dataclass(frozen=True, slots=True, eq=False)
class CandidateChange:
    """A recorded change that may have been the cause."""

    time: float
    """When it took effect, seconds."""
    kind: str
    exposure: FloatArray
    """(n_cells,) share of each cell's traffic that it reached, in [0, 1]; 0 = untouched."""


@dataclass(frozen=True)
class ChangeScore:
    """How well one change explains the onset."""

    change: int
    """Its place in the list given."""
    score: float
    """``prior x recency x overlap x dose``, in [0, 1]; 0 if refuted."""
    prior: float
    recency: float
    """``exp(-(onset - time)+ / tau)``; 0 after the onset's interval."""
    overlap: float
    """Jaccard index of the cells touched and the cells affected; 1 where no cell is affected by itself."""
    dose: float
    """Part of the effects that is in proportion to the exposure, in [0, 1]; 1 where effects are no more than noise."""
    difference: Estimate
    """Mean effect in touched minus untouched cells, with a 95 % interval; nan where all or none are touched."""
    is_refuted: bool
    """An untouched cell shows the effect too."""


def rank_changes(
    changes: Sequence[CandidateChange],
    effects: CellEffects,
    onset_low: float,
    onset_high: float,
    *,
    kinds: Mapping[str, ChangeKind] = KINDS,
) -> tuple[ChangeScore, ...]:
    """Rank changes by how well they explain an onset, the best first.

    - recency: the onset lies in ``[onset_low, onset_high]`` (``change_point.onset_of``); a change within it counts as
      immediate, one behind it cannot be the cause.
    - overlap: a cell is affected if its effect is beyond chance, Benjamini-Hochberg at 0.1 over the cells.
    - dose: with exposures x, effects e and weights w = 1/se^2, ``((sum w x e)^2 / sum w x^2 - 1) / (sum w e^2 - n)``: what
      "effect in proportion to rollout" explains of the effects, both less what noise alone gives.
    - refuted: an untouched cell's effect is beyond chance (Holm, p <= 0.001), has the sign of the touched cells' mean and
      at least half of its size. Two causes at one time refute each other: their parts tell.

    Parameters: ``changes`` with exposures of one length; ``effects`` of these cells; onset in seconds; ``kinds``, others
    count as ``UNKNOWN_KIND``.
    Returns: one score for each change.
    Raises: ``ValueError`` for exposures outside [0, 1] or of another length, or an interval that ends before it begins.

    Example:
        >>> effects = CellEffects(np.array([-0.2, -0.2, 0.0, 0.0]), np.full(4, 0.01))
        >>> everywhere, in_two = np.ones(4), np.array([1.0, 1.0, 0.0, 0.0])
        >>> changes = [CandidateChange(900.0, "deploy", everywhere), CandidateChange(800.0, "config", in_two)]
        >>> [(one.change, round(one.score, 2)) for one in rank_changes(changes, effects, 1_000.0, 1_200.0)]
        [(1, 0.95), (0, 0.25)]

    Source: Jaccard (1901); Card & Krueger, Am. Econ. Rev. 84 (1994), difference in differences; Hill, Proc. R. Soc. Med.
    58 (1965), that a cause precedes its effect, and more of it does more.
    """
    if not onset_low <= onset_high:
        raise ValueError(f"onset: found {onset_low:g} to {onset_high:g}, expected an interval")
    for change in changes:
        if change.exposure.shape != effects.effect.shape or not ((change.exposure >= 0) & (change.exposure <= 1)).all():
            raise ValueError(f"exposure: expected {len(effects.effect)} shares in [0, 1], one of each cell")
    p = 2.0 * special.ndtr(-np.abs(effects.effect / effects.standard_error))
    is_affected = benjamini_hochberg(p) <= _AFFECTED_Q
    scores = [
        _score(place, change, kinds.get(change.kind, UNKNOWN_KIND), effects, is_affected, (onset_low, onset_high))
        for place, change in enumerate(changes)
    ]
    return tuple(sorted(scores, key=lambda one: -one.score))


def _score(
    place: int,
    change: CandidateChange,
    kind: ChangeKind,
    effects: CellEffects,
    is_affected: BoolArray,
    onset: tuple[float, float],
) -> ChangeScore:
    is_touched = change.exposure > 0
    delay = max(onset[0] - change.time, 0.0)
    recency = float(np.exp(-delay / kind.tau_seconds)) if change.time <= onset[1] else 0.0
    either, both = int((is_touched | is_affected).sum()), int((is_touched & is_affected).sum())
    overlap = both / either if is_affected.any() else float(is_touched.any())
    dose = _dose(change.exposure, effects)
    is_refuted = _is_refuted(is_touched, effects)
    score = 0.0 if is_refuted else kind.prior * recency * overlap * dose
    difference = _difference(is_touched, effects)
    return ChangeScore(place, score, kind.prior, recency, overlap, dose, difference, is_refuted)


def _dose(exposure: FloatArray, effects: CellEffects) -> float:
    x, e = exposure / effects.standard_error, effects.effect / effects.standard_error
    signal = float(e @ e) - len(e)
    if not x.any():
        return 0.0
    return float(np.clip((float(x @ e) ** 2 / float(x @ x) - 1.0) / signal, 0.0, 1.0)) if signal > 0 else 1.0


def _mean(is_in: BoolArray, effects: CellEffects) -> tuple[float, float]:
    """Mean effect of some cells by inverse variance, and its variance; nan for none."""
    weights = effects.standard_error[is_in] ** -2.0
    if not len(weights):
        return float("nan"), float("nan")
    return float(weights @ effects.effect[is_in] / weights.sum()), float(1.0 / weights.sum())


def _difference(is_touched: BoolArray, effects: CellEffects) -> Estimate:
    (touched, v1), (untouched, v0) = _mean(is_touched, effects), _mean(~is_touched, effects)
    value, half = touched - untouched, 1.959963984540054 * float(np.sqrt(v1 + v0))
    return Estimate(value, value - half, value + half)


def _is_refuted(is_touched: BoolArray, effects: CellEffects) -> bool:
    touched, _ = _mean(is_touched, effects)
    e, se = effects.effect[~is_touched], effects.standard_error[~is_touched]
    if not len(e) or not is_touched.any():
        return False
    is_real = holm(2.0 * special.ndtr(-np.abs(e / se))) <= _REFUTED_P
    return bool((is_real & (e * np.sign(touched) >= _REFUTED_SHARE * abs(touched))).any())
