"""LIME is handed on where seeds agree and a line fits, and nowhere else."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gap_models import Floats

from recsysops.errors import ConfigError
from recsysops.models.comparison import Comparison
from recsysops.models.lime_check import LEAST_JACCARD, LEAST_R2, lime_check

NAMES = ("a", "b", "c", "d", "e", "little", "steady", "word", "lost")
WEIGHTS = np.array([2.0, 1.5, 1.8, -1.3, 1.6, 0.02, 3.0, 0.0, 0.0])


def _compared() -> Comparison:
    rng = np.random.default_rng(0)
    peers = rng.normal(size=(300, 9))
    peers[:, 6], peers[:, 7] = 1, rng.integers(0, 3, 300)
    peers[rng.random(300) < 0.2, 5] = np.nan
    peers[rng.random(300) < 0.2, 7] = np.nan
    row = np.array([[2.0, 1.5, 2.0, 1.2, 1.8, 0.1, 1.0, 2.0, np.nan]])
    return Comparison(NAMES, row, peers)


def _linear(rows: Floats) -> Floats:
    return np.asarray(np.nan_to_num(rows) @ WEIGHTS)


def test_a_line_is_explained_and_repeats() -> None:
    found = lime_check(_linear, _compared(), categorical=["word"])
    assert found.problem == ""
    assert set(list(found.weights)[:5]) == set("abcde")
    assert all(found.weights[name] * weight > 0 for name, weight in zip("abcde", WEIGHTS, strict=False))
    assert found.jaccard >= LEAST_JACCARD
    assert found.r2 >= LEAST_R2
    assert found.held == ("steady", "lost")
    assert lime_check(_linear, _compared(), categorical=["word"]) == found


def test_the_weights_are_limes_own() -> None:
    from lime.lime_tabular import LimeTabularExplainer

    compared = Comparison(NAMES[:5], _compared().rows[:, :5], _compared().peers[:, :5])
    found = lime_check(lambda rows: rows @ WEIGHTS[:5], compared, n_samples=500)
    lines = []
    for seed in range(10):
        explainer = LimeTabularExplainer(compared.peers, mode="regression", random_state=seed, feature_selection="none")
        line = explainer.explain_instance(compared.rows[0], lambda rows: rows @ WEIGHTS[:5], num_samples=500)
        lines.append([dict(line.local_exp[1])[place] for place in range(5)])
    assert [found.weights[name] for name in NAMES[:5]] == pytest.approx(np.mean(lines, axis=0).tolist())


def test_a_model_that_no_line_fits_is_not_explained() -> None:
    found = lime_check(lambda rows: np.sin(40 * np.nan_to_num(rows)).sum(axis=1), _compared(), categorical=["word"])
    assert found.weights == {}
    assert "seeds disagree" in found.problem
    assert "no straight line fits" in found.problem


def test_a_row_without_values_is_not_explained() -> None:
    compared = _compared()
    found = lime_check(_linear, Comparison(NAMES, np.full((1, 9), np.nan), compared.peers))
    assert (found.weights, found.held) == ({}, NAMES)
    assert math.isnan(found.r2)
    assert found.problem.startswith("unstable: no feature")
    with pytest.raises(ConfigError, match="at least 10"):
        lime_check(_linear, compared, n_seeds=3)
