"""Rows walk through the trees exactly as LightGBM walks them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from gap_models import KINDS, gap_artifact, odd_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import register, train

from recsysops.models.artifact import Artifact
from recsysops.models.loading import load_artifact
from recsysops.models.scoring import score
from recsysops.models.tree_walk import leaves


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_ends_where_lightgbm_ends_it(tmp_path: Path, kind: str) -> None:
    artifact, rows = gap_artifact(tmp_path, kind), odd_rows(1000)
    forest = artifact.forest
    found = leaves(forest, rows)
    first = np.searchsorted(forest.leaf_tree, np.arange(artifact.trees.n_trees))
    assert np.array_equal(found - first, artifact.booster.predict(rows, pred_leaf=True))
    np.testing.assert_allclose(forest.leaf_value[found].sum(axis=1), score(artifact, rows), rtol=0, atol=1e-13)


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> list[Artifact]:
    return [gap_artifact(tmp_path_factory.mktemp("models"), kind) for kind in ("as trained", "zeros are missing")]


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(
        st.floats(width=64)
        | st.integers(-3, 75).map(float)
        | st.sampled_from([math.nan, -0.0, 1e-35, 2.0**31, 2.0**31 - 1]),
        min_size=8,
        max_size=8,
    )
)
def test_any_number_is_read_as_lightgbm_reads_it(artifacts: list[Artifact], values: list[float]) -> None:
    rows = np.array([values])
    for artifact in artifacts:
        walked = artifact.forest.leaf_value[leaves(artifact.forest, rows)].sum()
        assert walked == pytest.approx(score(artifact, rows)[0], abs=1e-13)


def test_the_laid_out_trees_are_those_of_lightgbms_dump(tmp_path: Path) -> None:
    artifact = gap_artifact(tmp_path)
    forest, dump = artifact.forest, artifact.booster.dump_model()
    sets: list[tuple[int, ...]] = []
    n_rows: list[int] = []

    def look(node: dict[str, object]) -> None:
        if "leaf_count" in node:
            n_rows.append(int(str(node["leaf_count"])))
        if node.get("decision_type") == "==":
            sets.append(tuple(map(int, str(node["threshold"]).split("||"))))
        for side in ("left_child", "right_child"):
            child = node.get(side)
            if isinstance(child, dict):
                look(child)

    for tree in dump["tree_info"]:
        look(tree["tree_structure"])
    places = np.flatnonzero(forest.splits["is_categorical"])
    assert sorted(forest.categories(int(place)) for place in places) == sorted(sets)
    assert any(max(one) > 31 for one in sets)
    assert sorted(forest.leaf_count.tolist()) == sorted(n_rows)
    means = [tree["tree_structure"]["internal_value"] for tree in dump["tree_info"]]
    np.testing.assert_allclose(forest.tree_mean[0], means[0], atol=0.02)  # LightGBM weighs by the Hessian, we by rows


def test_a_model_of_constant_trees_walks_too(tmp_path: Path) -> None:
    artifact = load_artifact(register(tmp_path, train(3, min_data_in_leaf=5000)), tmp_path)
    rows = np.zeros((4, 3))
    assert len(artifact.forest.splits) == 0
    ends = leaves(artifact.forest, rows)
    assert ends.shape == (4, artifact.trees.n_trees)
    np.testing.assert_allclose(artifact.forest.leaf_value[ends].sum(axis=1), score(artifact, rows), atol=1e-13)
