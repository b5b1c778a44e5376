"""The planted change comes first among decoys; each factor by hand; later changes and refuted ones score nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW

from recsysops.statistics.change_correlation import (
    KINDS,
    UNKNOWN_KIND,
    CandidateChange,
    CellEffects,
    ChangeKind,
    ChangeScore,
    rank_changes,
)
from recsysops.statistics.change_point import onset_of

Floats = npt.NDArray[np.float64]
HOUR = 3600.0


def _only(change: CandidateChange, effects: CellEffects, low: float = 0.0, high: float = 60.0) -> ChangeScore:
    (score,) = rank_changes([change], effects, low, high)
    return score


def _planted(rng: np.random.Generator, n_cells: int = 12) -> tuple[list[CandidateChange], CellEffects, float, float]:
    """Seven changes of random kind, time and scope; the first lowers the metric from its time on, by its rollout."""
    kinds = rng.choice([*KINDS, "unheard of"], 7)
    times = rng.uniform(0, 24 * HOUR, 7)
    exposures = [
        np.where(rng.random(n_cells) < rng.uniform(0.2, 0.9), rng.choice([0.1, 0.5, 1.0]), 0.0) for _ in range(7)
    ]
    exposures[0][rng.integers(n_cells)] = 1.0
    rows = np.sort(rng.uniform(0, 24 * HOUR, 40_000))
    cell = rng.integers(0, n_cells, 40_000)
    rate = 0.3 - 0.15 * np.where(rows >= times[0], exposures[0][cell], 0.0)
    happened = np.where(rng.random(40_000) < rate, 1.0, 0.0)
    onset = onset_of(rows, happened)
    sums = [[np.bincount(cell[side], v, n_cells) for v in (None, happened[side])] for side in (rows < onset.time, rows >= onset.time)]  # fmt: skip
    (n0, k0), (n1, k1) = [(np.maximum(n, 1), k) for n, k in sums]
    variance = sum((k + 0.5) / (n + 1) * (1 - (k + 0.5) / (n + 1)) / n for n, k in ((n0, k0), (n1, k1)))
    effects = CellEffects(k1 / n1 - k0 / n0, np.sqrt(variance))
    changes = [CandidateChange(float(at), str(kind), x) for at, kind, x in zip(times, kinds, exposures, strict=True)]
    return changes, effects, onset.low, onset.high


def test_the_planted_change_is_ranked_first() -> None:
    rng = np.random.default_rng(0)
    places = []
    for _ in range(100):
        changes, effects, low, high = _planted(rng)
        places.append([one.change for one in rank_changes(changes, effects, low, high)].index(0))
    assert np.mean(np.array(places) == 0) >= 0.85  # one of seven by chance
    assert np.mean(np.array(places) < 3) >= 0.93


def test_each_factor_by_hand() -> None:
    effects = CellEffects(np.array([-0.4, -0.2, 0.0, 0.0]), np.full(4, 0.01))
    score = _only(CandidateChange(-2 * HOUR, "deploy", np.array([1.0, 0.5, 0.0, 0.0])), effects)
    assert score.recency == pytest.approx(np.exp(-1))
    assert score.overlap == 1
    assert score.dose == pytest.approx(1, abs=1e-3)
    assert score.score == pytest.approx(score.prior * np.exp(-1) * score.dose)
    assert score.difference.value == pytest.approx(-0.3)
    assert score.difference.high - score.difference.value == pytest.approx(1.96 * 0.01, rel=1e-3)
    flat = _only(CandidateChange(0.0, "deploy", np.array([0.5, 1.0, 0.0, 0.0])), effects)
    assert flat.dose == pytest.approx(0.64, abs=0.01)  # squared cosine of (0.4, 0.2) and (0.5, 1)
    wide = _only(CandidateChange(0.0, "deploy", np.ones(4)), effects)
    assert (wide.overlap, wide.is_refuted) == (0.5, False)
    assert np.isnan(wide.difference.value)
    assert _only(CandidateChange(0.0, "rumour", np.ones(4)), effects).prior == UNKNOWN_KIND.prior
    own = {"rumour": ChangeKind(0.9, HOUR)}
    assert rank_changes([CandidateChange(0.0, "rumour", np.ones(4))], effects, 0, 1, kinds=own)[0].prior == 0.9


def test_a_change_behind_the_onset_and_one_refuted_by_untouched_cells_score_nothing() -> None:
    effects = CellEffects(np.array([-0.2, -0.2, -0.2, 0.0]), np.full(4, 0.01))
    before, within, behind = (_only(CandidateChange(at, "deploy", np.ones(4)), effects) for at in (-60.0, 30.0, 61.0))
    assert behind.score == behind.recency == 0
    assert within.recency == 1
    assert before.recency == pytest.approx(np.exp(-60 / 7200))
    partial = _only(CandidateChange(0.0, "deploy", np.array([1.0, 1.0, 0.0, 0.0])), effects)
    assert partial.is_refuted
    assert partial.score == 0
    spilled = CellEffects(np.array([-0.2, -0.2, -0.05, 0.1]), np.full(4, 0.01))
    assert not _only(CandidateChange(0.0, "deploy", np.array([1.0, 1.0, 0.0, 0.0])), spilled).is_refuted


def test_difference_in_differences_equals_statsmodels_and_covers() -> None:
    rng = np.random.default_rng(1)
    exposure, covered = np.array([0.2, 0.2, 0.2, 0.0, 0.0, 0.0, 0.0]), []
    for _ in range(500):
        se = rng.uniform(0.01, 0.05, 7)
        effects = CellEffects(rng.normal(-0.1 * (exposure > 0) - 0.03, se), se)
        found = _only(CandidateChange(0.0, "deploy", exposure), effects).difference
        sides = [DescrStatsW(effects.effect[i], se[i] ** -2.0).mean for i in (slice(0, 3), slice(3, 7))]
        assert found.value == pytest.approx(sides[0] - sides[1])
        covered.append(found.low <= -0.1 <= found.high)
    assert np.mean(covered) == pytest.approx(0.95, abs=0.03)


def test_without_an_effect_in_any_cell_only_kind_and_time_speak() -> None:
    rng = np.random.default_rng(2)
    effects = CellEffects(np.array([0.001, -0.001, 0.0005]), np.full(3, 0.01))
    touching, touching_none = (
        _only(CandidateChange(0.0, "config", x), effects) for x in (np.array([0.1, 0, 0]), np.zeros(3))
    )
    assert touching.score == 1
    assert touching_none.score == 0
    refuted = [
        _only(CandidateChange(0.0, "config", np.array([1.0] * 5 + [0.0] * 5)), CellEffects(rng.normal(size=10), np.ones(10))).is_refuted
        for _ in range(300)
    ]  # fmt: skip
    assert np.mean(refuted) < 0.01


@settings(derandomize=True, deadline=None, max_examples=80)
@given(st.integers(0, 10_000))
def test_scores_are_shares_and_know_no_sign_unit_or_order_of_cells(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 8))
    effects = CellEffects(rng.normal(size=n), rng.uniform(0.05, 1, n))
    change = CandidateChange(float(rng.uniform(-9000, 90)), "deploy", rng.choice([0, 0.3, 1.0], n))
    score, order = _only(change, effects), rng.permutation(n)
    for one in (score.score, score.prior, score.recency, score.overlap, score.dose):
        assert 0 <= one <= 1
    moved = CellEffects(-7 * effects.effect[order], 7 * effects.standard_error[order])
    again = _only(replace(change, exposure=change.exposure[order]), moved)
    assert again.score == pytest.approx(score.score)
    assert again.is_refuted == score.is_refuted
    z = effects.effect / effects.standard_error
    if stats.chi2.sf(z @ z, n) > 0.5 and z @ z < n:
        assert score.dose == float(change.exposure.any())


def test_impossible_input_is_refused() -> None:
    effects = CellEffects(np.zeros(2), np.ones(2))
    for exposure in (np.zeros(3), np.array([0.5, 1.5])):
        with pytest.raises(ValueError, match="2 shares in"):
            _only(CandidateChange(0.0, "deploy", exposure), effects)
    with pytest.raises(ValueError, match="expected an interval"):
        rank_changes([], effects, 2.0, 1.0)
    assert rank_changes([], effects, 1.0, 1.0) == ()
    for effect, se in ((np.zeros(2), np.zeros(2)), (np.zeros(2), np.ones(1)), (np.array([np.nan]), np.ones(1))):
        with pytest.raises(ValueError, match="cell effects"):
            CellEffects(effect, se)
