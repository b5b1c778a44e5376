"""Paths agree with a walk through LightGBM's own dump, step by step."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gap_models import FEATURES, KINDS, comparison, gap_artifact, odd_rows
from small_models import register, train

from recsysops.models.artifact import Artifact
from recsysops.models.comparison import Comparison
from recsysops.models.loading import load_artifact
from recsysops.models.paths import low_support, missing_mass, top_path, tree_path
from recsysops.models.scoring import score


def _goes_left(node: dict[str, Any], value: float) -> tuple[bool, bool]:
    """Whether a value goes left at a node of the dump, and whether it is missing."""
    if node["decision_type"] == "==":
        is_code = not math.isnan(value) and -1 < value < 2**31
        return is_code and int(value) in map(int, node["threshold"].split("||")), math.isnan(value)
    kind, is_missing = node["missing_type"], math.isnan(value)
    if kind == "Zero" and (is_missing or abs(value) <= np.float32(1e-35)):
        return node["default_left"], True
    if kind == "NaN" and is_missing:
        return node["default_left"], True
    return (0.0 if is_missing else value) <= node["threshold"], is_missing


def _walk(tree: dict[str, Any], row: Any) -> tuple[list[tuple[dict[str, Any], bool, bool]], dict[str, Any]]:
    node, steps = tree["tree_structure"], []
    while "split_feature" in node:
        goes_left, is_missing = _goes_left(node, float(row[node["split_feature"]]))
        steps.append((node, goes_left, is_missing))
        node = node["left_child" if goes_left else "right_child"]
    return steps, node


def _leaves(node: dict[str, Any]) -> list[dict[str, Any]]:
    if "leaf_value" in node:
        return [node]
    return _leaves(node["left_child"]) + _leaves(node["right_child"])


def _mean(tree: dict[str, Any]) -> float:
    ends = _leaves(tree["tree_structure"])
    return float(np.average([end["leaf_value"] for end in ends], weights=[end["leaf_count"] for end in ends]))


@pytest.mark.parametrize("kind", KINDS)
def test_masses_are_those_of_a_walk_through_the_dump(tmp_path: Path, kind: str) -> None:
    artifact, rows = gap_artifact(tmp_path, kind), odd_rows(60)
    met, total, rare = dict.fromkeys((*FEATURES, "any"), 0.0), 0.0, 0.0
    for tree in artifact.booster.dump_model()["tree_info"]:
        for row in rows:
            steps, end = _walk(tree, row)
            weight = abs(end["leaf_value"] - _mean(tree))
            total += weight
            rare += weight * (end["leaf_count"] < 60)
            missing = {FEATURES[node["split_feature"]] for node, _, is_missing in steps if is_missing}
            for name in missing | ({"any"} if missing else set()):
                met[name] += weight
    found = missing_mass(artifact, rows)
    assert found.total == pytest.approx(met.pop("any") / total)
    assert found.by_feature == pytest.approx({name: mass / total for name, mass in met.items() if mass})
    assert list(found.by_feature.values()) == sorted(found.by_feature.values(), reverse=True)
    assert low_support(artifact, rows, least=60) == pytest.approx(rare / total)
    assert low_support(artifact, rows, least=0) == 0
    assert low_support(artifact, rows, least=10**6) == 1


def test_the_path_that_sets_apart_most_is_lightgbms(tmp_path: Path) -> None:
    artifact, compared = gap_artifact(tmp_path), comparison(20, 30)
    trees = artifact.booster.dump_model()["tree_info"]
    ends = [
        [[_walk(tree, row)[1]["leaf_value"] for row in rows] for tree in trees]
        for rows in (compared.rows, compared.peers)
    ]
    gaps = np.mean(ends[0], axis=1) - np.mean(ends[1], axis=1)
    found = top_path(artifact, compared)
    assert gaps.sum() == pytest.approx(score(artifact, compared.rows).mean() - score(artifact, compared.peers).mean())
    assert found.tree == int(np.argmax(gaps * np.sign(gaps.sum())))
    assert found.gap == pytest.approx(gaps[found.tree])
    steps, end = _walk(trees[found.tree], compared.rows[found.row])
    assert found.leaf_value == end["leaf_value"] == min(ends[0][found.tree])
    assert found.leaf_count == end["leaf_count"]
    assert [(one.feature, one.went_left, one.is_missing, one.n_training_rows) for one in found.steps] == [
        (FEATURES[node["split_feature"]], left, is_missing, node["internal_count"]) for node, left, is_missing in steps
    ]
    peers = [_walk(trees[found.tree], peer)[0] for peer in compared.peers]
    for number, step in enumerate(found.steps):
        came = [
            way for way in peers if [left for _, left, _ in way[:number]] == [left for _, left, _ in steps[:number]]
        ]
        assert step.same_way_rate == pytest.approx(
            np.mean([way[number][1] == steps[number][1] for way in came]) if came else math.nan, nan_ok=True
        )


def test_every_split_of_every_path_is_readable(tmp_path: Path) -> None:
    artifact = load_artifact(register(tmp_path, train(20)), tmp_path)
    rows = np.array([[3.0, np.nan, 1.0], [9.0, 4.0, np.nan]])
    compared = Comparison(artifact.features, rows, rows)
    steps = [step for row in (0, 1) for tree in range(20) for step in tree_path(artifact, compared, row, tree).steps]
    words = [step.categories for step in steps if step.feature == "genre"]
    assert words
    assert all(set(one) <= {"drama", "crime", "sport"} and one for one in words)
    assert all((step.threshold is None) == (step.feature == "genre") for step in steps)
    assert all(step.is_missing == math.isnan(step.value) for step in steps)
    assert any(step.is_missing and step.feature == "genre" and not step.went_left for step in steps)


def test_a_model_without_a_split_decides_nothing(tmp_path: Path) -> None:
    artifact: Artifact = load_artifact(register(tmp_path, train(2, min_data_in_leaf=5000)), tmp_path)
    rows = np.full((3, 3), np.nan)
    assert math.isnan(missing_mass(artifact, rows).total)
    assert missing_mass(artifact, rows).by_feature == {}
    assert math.isnan(low_support(artifact, rows))
    assert top_path(artifact, Comparison(artifact.features, rows, rows)).steps == ()
