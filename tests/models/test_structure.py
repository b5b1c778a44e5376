"""The summary of the trees agrees with LightGBM's own, and an audit sees what changed."""

from __future__ import annotations

from pathlib import Path

import lightgbm
import numpy as np
import pytest
from small_models import register, rows, train

from recsysops.models.loading import load_artifact
from recsysops.models.registration import registrations
from recsysops.models.structure import structure
from recsysops.models.structure_change import structure_change
from recsysops.workspace import Workspace

SAMPLE = Path(__file__).parents[2] / "sample_logs" / "streaming"


def test_the_summary_agrees_with_lightgbm(tmp_path: Path) -> None:
    text = train(n_trees=30)
    found = structure(load_artifact(register(tmp_path, text), tmp_path))
    booster = lightgbm.Booster(model_str=text)
    gains = booster.feature_importance("gain")
    assert [use.gain_share for use in found.features] == pytest.approx(list(gains / gains.sum()))
    assert [use.n_splits for use in found.features] == list(booster.feature_importance("split"))
    frame = booster.trees_to_dataframe()
    splits = frame[frame.split_feature.notna()]
    assert (found.n_trees, found.n_splits) == (30, len(splits))
    price = splits[(splits.split_feature == "price") & (splits.missing_type == "NaN")]
    left = price["count"][price.missing_direction == "left"].sum() / price["count"].sum()
    uses = {use.name: use for use in found.features}
    assert uses["price"].default_left_share == pytest.approx(left)
    assert uses["price"].thresholds == pytest.approx(
        sorted({float(one) for one in price.threshold if float(one) < 1e300})
    )
    assert uses["plays"].default_left_share is None  # nothing was missing in training
    assert uses["genre"].thresholds == ()
    assert uses["genre"].n_splits > 0


def test_an_audit_sees_what_changed(tmp_path: Path) -> None:
    before = structure(load_artifact(register(tmp_path, train()), tmp_path))
    same = structure_change(before, before)
    assert (same.importance_moved, same.flipped, same.added, same.is_reordered) == (0, (), (), False)

    matrix, label = rows(1500)
    matrix[:, 1] = np.where(np.isnan(matrix[:, 1]), -40, matrix[:, 1])  # what was missing now is small
    names = ["genre", "cost", "plays"]
    data = lightgbm.Dataset(matrix[:, [2, 1, 0]], label, feature_name=names, categorical_feature=["genre"])
    parameters = {"objective": "binary", "num_leaves": 7, "verbosity": -1, "num_threads": 1}
    text = lightgbm.train(parameters, data, num_boost_round=20).model_to_string()
    after = structure(load_artifact(register(tmp_path, text, "m-2", features=tuple(names)), tmp_path))
    change = structure_change(before, after)
    assert (change.n_trees, change.added, change.removed, change.is_reordered) == (
        (12, 20),
        ("cost",),
        ("price",),
        True,
    )
    assert change.importance_moved == pytest.approx(
        sum(abs(after.importance.get(n, 0) - before.importance.get(n, 0)) for n in ("plays", "price", "genre", "cost"))
        / 2
    )
    assert change.most_moved[0][0] in {"price", "cost"}


def test_missing_values_that_go_the_other_way_are_told(tmp_path: Path) -> None:
    matrix, _ = rows(3000)
    models = []
    for number, missing_is_like in enumerate((-40.0, 40.0)):
        label = (np.nan_to_num(matrix[:, 1], nan=missing_is_like) > 9).astype(np.float64)
        data = lightgbm.Dataset(matrix, label, feature_name=["plays", "price", "genre"])
        parameters = {"objective": "binary", "num_leaves": 2, "verbosity": -1, "num_threads": 1}
        text = lightgbm.train(parameters, data, num_boost_round=3).model_to_string()
        models.append(structure(load_artifact(register(tmp_path, text, f"m-{number}"), tmp_path)))
    assert [one.features[1].default_left_share for one in models] == [1.0, 0.0]
    assert structure_change(*models).flipped == ("price",)
    assert structure_change(*models, least_importance=1.1).flipped == ()


def test_the_registered_models_of_the_sample_load_and_are_unlike(tmp_path: Path) -> None:
    workspace = Workspace(SAMPLE)
    rows_of = registrations(workspace.tables["models"])
    assert len(rows_of) == 10
    newest, before = (load_artifact(rows_of[name], SAMPLE) for name in ("m-2026-10-26", "m-2026-10-19"))
    assert newest.disagreements == ()
    assert newest.registration.training_days == 13
    change = structure_change(structure(before), structure(newest))
    assert (change.added, change.removed, change.is_reordered, change.flipped) == ((), (), False, ())
    assert 0 < change.importance_moved < 0.2
