"""Probes give what a model that is written down says they must."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from gap_models import CATEGORICAL, FEATURES, Floats, comparison, gap_artifact

from recsysops.models.comparison import Comparison
from recsysops.models.probes import (
    metamorphic_probes,
    missing_probes,
    monotonicity_probe,
    typical_value,
)
from recsysops.models.scoring import score

RNG = np.random.default_rng(8)
ROWS, PEERS = RNG.normal(size=(12, 3)), RNG.normal(1, 1, (31, 3))
COMPARED = Comparison(("a", "b", "c"), ROWS, PEERS)


def _formula(rows: Floats) -> Floats:
    """2a - b², where a missing a is 5 and a missing b is 0; c is not used."""
    return np.asarray(2 * np.nan_to_num(rows[:, 0], nan=5.0) - np.nan_to_num(rows[:, 1]) ** 2)


def test_missing_probes_of_a_formula() -> None:
    a, b, c = missing_probes(_formula, COMPARED, defaults={"b": 3.0})
    assert a.by_missing == pytest.approx(10 - 2 * ROWS[:, 0].mean())
    assert a.by_typical == pytest.approx(2 * (np.median(PEERS[:, 0]) - ROWS[:, 0].mean()))
    assert a.by_default is None
    assert b.by_default == pytest.approx(np.mean(ROWS[:, 1] ** 2) - 9)
    assert (c.by_missing, c.by_typical, c.missing_rate) == (0, 0, 0)


def test_missing_probes_score_as_lightgbm_does(tmp_path: Path) -> None:
    artifact, compared = gap_artifact(tmp_path), comparison(15, 20)
    found = missing_probes(partial(score, artifact), compared, categorical=CATEGORICAL)
    before = artifact.booster.predict(compared.rows, raw_score=True).mean()
    for place, probe in enumerate(found):
        changed = compared.rows.copy()
        changed[:, place] = np.nan
        assert probe.by_missing == pytest.approx(artifact.booster.predict(changed, raw_score=True).mean() - before)
        assert probe.missing_rate == np.isnan(compared.rows[:, place]).mean()
    assert found[FEATURES.index("price")].by_missing == pytest.approx(0)  # it is missing everywhere already


def test_what_is_typical() -> None:
    nan = math.nan
    assert typical_value(np.array([1.0, nan, 9.0, 4.0, 5.0])) == 4
    assert typical_value(np.array([1.0, 2.0, 3.0])) == np.median([1, 2, 3])
    assert typical_value(np.array([7.0, 2.0, 7.0, nan]), is_category=True) == 7
    assert math.isnan(typical_value(np.array([nan, nan, 1.0])))


def test_monotonicity_of_a_formula() -> None:
    up = monotonicity_probe(_formula, COMPARED, "a", 1)
    assert (up.violation_rate, up.row_rate, up.largest) == (0, 0, 0)
    assert up.mean_curve[-1] - up.mean_curve[0] == pytest.approx(2 * (up.grid[-1] - up.grid[0]))
    down = monotonicity_probe(_formula, COMPARED, "a", -1)
    assert (down.violation_rate, down.row_rate) == (1, 1)
    assert down.largest == pytest.approx(2 * np.diff(up.grid).max())
    hill = monotonicity_probe(_formula, COMPARED, "b", 1)
    rises = -np.diff(np.array(hill.grid) ** 2) < 0
    assert hill.violation_rate == pytest.approx(rises.mean())
    assert monotonicity_probe(_formula, COMPARED, "c", 1).violation_rate == 0


def test_a_constraint_that_lightgbm_kept_is_found_kept(tmp_path: Path) -> None:
    import lightgbm

    rng = np.random.default_rng(1)
    rows = rng.normal(size=(900, 3))
    label = rows[:, 0] + np.sin(4 * rows[:, 0]) + rows[:, 1]
    booster = lightgbm.train(
        {"monotone_constraints": [1, 0, 0], "verbosity": -1, "num_threads": 1}, lightgbm.Dataset(rows, label), 30
    )
    compared = Comparison(("a", "b", "c"), rows[:50], rows[50:250])

    def scorer(matrix: Floats) -> Floats:
        return np.asarray(booster.predict(matrix))

    assert monotonicity_probe(scorer, compared, "a", 1).violation_rate == 0
    assert monotonicity_probe(scorer, compared, "b", -1).row_rate == 1


def test_a_feature_without_values_has_no_grid() -> None:
    empty = np.full((4, 1), np.nan)
    found = monotonicity_probe(lambda rows: np.zeros(len(rows)), Comparison(("a",), empty, empty), "a", 1)
    assert found.grid == ()
    assert math.isnan(found.violation_rate)
    single = monotonicity_probe(lambda rows: rows[:, 0], Comparison(("a",), np.ones((4, 1)), empty), "a", 1)
    assert single.grid == (1.0,)
    assert math.isnan(single.row_rate)


def test_lightgbm_looks_at_nothing_but_the_row(tmp_path: Path) -> None:
    artifact = gap_artifact(tmp_path)
    found = metamorphic_probes(partial(score, artifact), comparison(20, 9))
    assert [(probe.largest, probe.holds) for probe in found] == [(0, True)] * 4


def _centred(rows: Floats) -> Floats:
    return np.asarray(rows[:, 0] - rows[:, 0].mean())


def _numbered(rows: Floats) -> Floats:
    return np.arange(len(rows), dtype=np.float64)


def _forgets_twins(rows: Floats) -> Floats:
    seen = np.unique(rows, axis=0, return_index=True)[1]
    return np.where(np.isin(np.arange(len(rows)), seen), rows[:, 0], 0)


@pytest.mark.parametrize(
    ("scorer", "broken"),
    [
        (_centred, {"smaller batches", "added rows"}),
        (_numbered, {"permuted rows", "duplicated rows", "smaller batches", "added rows"}),
        (_forgets_twins, {"duplicated rows"}),
        (lambda rows: np.where(len(rows) > 20, np.nan, rows[:, 0]), {"duplicated rows", "added rows"}),
    ],
)
def test_models_that_look_at_more_are_found(scorer: object, broken: set[str]) -> None:
    assert callable(scorer)
    found = metamorphic_probes(scorer, COMPARED, tolerance=1e-9)
    assert {probe.relation for probe in found if not probe.holds} == broken
