"""Ablation and sampled Shapley values agree with exact ones, and stop when their time is up."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from gap_models import FEATURES, Floats, comparison, exact_shapley, gap_artifact

from recsysops.models.ablation import OTHERS, ablate_groups, group_shapley
from recsysops.models.comparison import Comparison
from recsysops.models.scoring import score
from recsysops.models.shap_gap import shap_gap

GROUPS = {"demand": ["plays", "rating"], "price": ["price"], "words": ["genre", "studio"], "twin": ["twin"]}


def _exact(scorer: Callable[[Floats], Floats], compared: Comparison, groups: list[list[int]]) -> Floats:
    """Over every pair and every coalition of groups."""
    pairs = [(row, peer) for row in compared.rows for peer in compared.peers]
    own, theirs = (np.array([pair[side] for pair in pairs]) for side in (0, 1))

    def worth(members: frozenset[int]) -> float:
        mixed = theirs.copy()
        places = [place for member in members for place in groups[member]]
        mixed[:, places] = own[:, places]
        return float(scorer(mixed).mean())

    return exact_shapley(len(groups), worth)


@pytest.mark.parametrize("seed", range(3))
def test_sampled_values_agree_with_exact_ones_within_their_errors(tmp_path: Path, seed: int) -> None:
    scorer, compared = partial(score, gap_artifact(tmp_path)), comparison(10, 15)
    found = group_shapley(scorer, compared, GROUPS, budget_seconds=60, n_draws=600, seed=seed)
    assert found.is_complete
    assert [effect.name for effect in found.effects] == [*GROUPS, OTHERS]
    members = [compared.places(names) for names in GROUPS.values()] + [compared.places(["age", "steady"])]
    exact = _exact(scorer, compared, members)
    for effect, value in zip(found.effects, exact, strict=True):
        assert effect.n_draws == 600
        assert effect.value == pytest.approx(value, abs=4 * effect.standard_error + 1e-12)
        assert effect.standard_error < 0.1
    assert exact.sum() == pytest.approx(found.gap)
    assert sum(effect.value for effect in found.effects) == pytest.approx(found.gap, abs=1e-9)  # 600 use all alike


def test_groups_of_one_agree_with_the_shap_gap(tmp_path: Path) -> None:
    artifact, compared = gap_artifact(tmp_path), comparison(10, 15)
    found = group_shapley(
        partial(score, artifact), compared, {name: [name] for name in FEATURES}, budget_seconds=60, n_draws=1200
    )
    for effect, phi in zip(found.effects, shap_gap(artifact, compared).phi, strict=True):
        assert effect.value == pytest.approx(phi, abs=4 * effect.standard_error + 1e-12)


def test_of_a_linear_model_every_draw_is_exact() -> None:
    rng = np.random.default_rng(0)
    compared = Comparison(("a", "b"), rng.normal(size=(5, 2)), rng.normal(size=(4, 2)))
    weights = np.array([2.0, -1.0])
    found = group_shapley(lambda rows: rows @ weights, compared, {"a": ["a"], "b": ["b"]}, budget_seconds=9, n_draws=20)
    expected = weights * (compared.rows.mean(axis=0) - compared.peers.mean(axis=0))
    assert [effect.value for effect in found.effects] == pytest.approx(expected.tolist())
    alone = ablate_groups(lambda rows: rows @ weights, compared, {"a": ["a"], "b": ["b"]}, budget_seconds=9, n_draws=20)
    assert [effect.value for effect in alone.effects] == pytest.approx(expected.tolist())
    only = group_shapley(lambda rows: rows @ weights, compared, {}, budget_seconds=9, n_draws=20)
    assert [one.name for one in only.effects] == [OTHERS]
    assert only.effects[0].value == pytest.approx(expected.sum())


def test_errors_are_not_too_small(tmp_path: Path) -> None:
    scorer, compared = partial(score, gap_artifact(tmp_path)), comparison(10, 15)
    runs = [group_shapley(scorer, compared, GROUPS, budget_seconds=60, n_draws=40, seed=seed) for seed in range(60)]
    for place in range(len(GROUPS)):
        values = [run.effects[place].value for run in runs]
        stated = np.mean([run.effects[place].standard_error for run in runs])
        assert np.std(values, ddof=1) <= 1.25 * stated


def test_ablation_is_the_mean_loss_over_pairs(tmp_path: Path) -> None:
    scorer, compared = partial(score, gap_artifact(tmp_path)), comparison(10, 15)
    found = ablate_groups(scorer, compared, GROUPS, budget_seconds=60, n_draws=3000)
    for effect, names in zip(found.effects, GROUPS.values(), strict=True):
        places = compared.places(names)
        own, theirs = np.repeat(compared.rows, 15, axis=0), np.tile(compared.peers, (10, 1))
        without = own.copy()
        without[:, places] = theirs[:, places]
        loss = (scorer(own) - scorer(without)).mean()
        assert effect.value == pytest.approx(loss, abs=4 * effect.standard_error)
    assert (found.n_done, found.is_complete) == (4, True)


class _SlowModel:
    """A model, and the clock by which every row takes a second."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def score(self, rows: Floats) -> Floats:
        self.seconds += len(rows)
        return np.asarray(rows.sum(axis=1))

    def clock(self) -> float:
        return self.seconds


COMPARED = Comparison(("a", "b", "c"), np.ones((4, 3)), np.zeros((5, 3)))
SINGLE = {name: [name] for name in "abc"}


def test_sampling_stops_when_the_next_draw_would_not_fit() -> None:
    model = _SlowModel()
    found = group_shapley(model.score, COMPARED, SINGLE, budget_seconds=100, n_draws=500, clock=model.clock)
    assert not found.is_complete
    n_draws = found.effects[0].n_draws
    assert n_draws == 100 // 6  # three groups: two ends, and twice two mixtures between
    assert [effect.value for effect in found.effects] == [1, 1, 1]
    least = group_shapley(model.score, COMPARED, SINGLE, budget_seconds=0, n_draws=500, clock=model.clock)
    assert [effect.n_draws for effect in least.effects] == [1, 1, 1]
    assert math.isnan(least.effects[0].standard_error)


def test_ablation_begins_no_group_after_its_time() -> None:
    model = _SlowModel()
    found = ablate_groups(model.score, COMPARED, SINGLE, budget_seconds=25, n_draws=10, clock=model.clock)
    assert [effect.n_draws for effect in found.effects] == [10, 10, 0]
    assert (found.n_done, found.is_complete) == (2, False)
    assert math.isnan(found.effects[2].value)
    assert found.gap == 3
