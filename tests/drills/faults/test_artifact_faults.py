"""Faults of a model's package: its list of features and its calibration."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_world import TinyWorld, rng

from recsysops.drills.fault import CannotPlantError, Planted
from recsysops.drills.faults.calibration_missing import CalibrationMissing
from recsysops.drills.faults.feature_order import FeatureOrder
from recsysops.testing.check_fault import ONSET
from recsysops.testing.example_site import bare_sites, example_candidates

KEY = ["request_id", "item_id"]


def test_scores_promise_more_plays_in_the_same_order(tiny_world: TinyWorld) -> None:
    clean = tiny_world.clean().table("candidates").set_index(KEY)
    means = []
    for severity in (0.05, 0.5):
        rows = tiny_world.faulted(CalibrationMissing(severity)).table("candidates").set_index(KEY).loc[clean.index]
        for name in ("raw_score", "raw_rank", "final_rank", "model_id", "shown"):
            assert rows[name].equals(clean[name]), name
        known = ~rows["fallback"]
        odds = (rows["score"] / (1 - rows["score"]) / (clean["score"] / (1 - clean["score"])))[known]
        assert np.allclose(odds, 1 + severity)
        means.append(rows["score"][known].mean() / clean["score"][known].mean() - 1)
    assert 0.03 < means[0] <= 0.05
    assert 0.3 < means[1] <= 0.5


def test_scores_of_own_logs_keep_their_order_and_are_probabilities_still() -> None:
    fault, before = CalibrationMissing(0.3), example_candidates()
    rows = fault.own_candidates(before, Planted(fault, ONSET, 0).moment("own_candidates", ONSET))
    assert (np.argsort(rows["score"]) == np.argsort(before["score"])).all()
    assert (rows["score"] > before["score"]).all()
    assert rows["score"].max() < 1
    counts = before.with_columns(score=10 * before["score"])
    scaled = fault.own_candidates(counts, Planted(fault, ONSET, 0).moment("own_candidates", ONSET))
    assert np.allclose(scaled["score"], 13 * before["score"])


def test_without_scores_there_is_no_calibration() -> None:
    with pytest.raises(CannotPlantError, match="role score"):
        CalibrationMissing.choose(0.05, bare_sites()[2], rng())
    with pytest.raises(CannotPlantError, match="constant or below zero"):
        CalibrationMissing.choose(0.05, bare_sites()[5], rng())


def test_features_change_places_for_the_model_and_not_in_the_log(tiny_world: TinyWorld) -> None:
    clean = tiny_world.clean().table("candidates").set_index(KEY)
    rows = tiny_world.faulted(FeatureOrder(1.0, 0.1)).table("candidates").set_index(KEY).loc[clean.index]
    for name in tiny_world.site.features("numeric"):
        assert np.array_equal(rows[name], clean[name], equal_nan=True), name
    known = ~rows["fallback"]
    assert rows["raw_score"][known].sub(clean["raw_score"][known]).abs().gt(1e-9).mean() > 0.9
    assert not rows["shown"].equals(clean["shown"])


def test_the_list_has_the_same_features_moved_up_from_the_place(tiny_world: TinyWorld) -> None:
    deployment = tiny_world.seam_rows["deployment"]
    fault = FeatureOrder(1.0, 0.5)
    changed = fault.deployment(
        deployment, Planted(fault, tiny_world.next_day, 0).moment("deployment", tiny_world.next_day)
    )
    before, after = (one["feature_order"][0].split(",") for one in (deployment, changed))
    first = len(before) // 2
    assert after == [*before[:first], *before[first + 1 :], before[first]]
