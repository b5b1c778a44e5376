"""Models load as what was registered or not at all, and score as LightGBM does."""

from __future__ import annotations

import hashlib
import json
import pickle
from pathlib import Path

import lightgbm
import numpy as np
import pyarrow as pa
import pytest
from small_models import NAMES, register, rows, train

from recsysops.errors import ConfigError, RecSysOpsError, SchemaError, SourceError
from recsysops.models.calibration import Points
from recsysops.models.loading import load_artifact
from recsysops.models.matrix import feature_matrix, numbers
from recsysops.models.registration import Registration
from recsysops.models.scoring import contributions, raw_scores, score, served_scores

TEXT = train()


def test_scores_are_lightgbms_bit_for_bit(tmp_path: Path) -> None:
    artifact = load_artifact(register(tmp_path, TEXT), tmp_path)
    matrix, _ = rows(400, seed=9)
    words = pa.array([("drama", "crime", "sport")[int(code)] for code in matrix[:, 2]]).dictionary_encode()
    columns = {"genre": words, "plays": matrix[:, 0], "price": pa.array(matrix[:, 1], from_pandas=True)}
    built = feature_matrix(artifact, columns)
    assert np.array_equal(built, matrix, equal_nan=True)
    booster = lightgbm.Booster(model_str=TEXT)
    margins = score(artifact, built)
    assert np.array_equal(margins, np.asarray(booster.predict(matrix, raw_score=True)))
    assert np.array_equal(score(artifact, built, n_threads=2), margins)
    shares = contributions(artifact, built)
    np.testing.assert_allclose(shares.sum(axis=1), margins, atol=1e-12)
    served = served_scores(artifact, margins)
    assert served is not None
    np.testing.assert_allclose(served, 1 / (1 + np.exp(-(1.5 * margins - 0.25))), rtol=1e-15)


def test_no_rows_are_no_scores(tmp_path: Path) -> None:
    artifact = load_artifact(register(tmp_path, TEXT), tmp_path)
    built = feature_matrix(artifact, {name: pa.nulls(0) for name in NAMES})
    assert score(artifact, built).shape == (0,)
    assert contributions(artifact, built).shape == (0, 4)


def test_a_missing_or_unknown_category_is_missing() -> None:
    found = numbers(np.array(["b", None, "z"], object), ("a", "b"))
    assert np.array_equal(found, [1.0, np.nan, np.nan], equal_nan=True)
    assert numbers(pa.array([True, None, False])).tolist()[::2] == [1.0, 0.0]
    assert numbers(pa.array([1, 2], pa.int32()), ("2", "1")).tolist() == [1.0, 0.0]
    with pytest.raises(SchemaError, match="list of categories"):
        numbers(pa.array(["drama"]))


def test_what_stands_beside_a_model_is_used(tmp_path: Path) -> None:
    row = register(tmp_path, TEXT)
    schema = {"categories": {"genre": ["drama", "crime", "sport"]}, "fill": {"price": 5}, "raw_score": "probability"}
    (tmp_path / "models/m-1.schema.json").write_text(json.dumps(schema))
    points = {"kind": "points", "x": [-2, 0, 3], "y": [0, 0.3, 1]}
    (tmp_path / "models/m-1.calibration.json").write_text(json.dumps(points))
    artifact = load_artifact(row, tmp_path)
    built = feature_matrix(artifact, {"plays": [2.0, 3.0], "price": pa.array([None, 4.0]), "genre": ["crime", "drama"]})
    assert built.tolist() == [[2.0, 5.0, 1.0], [3.0, 4.0, 0.0]]
    np.testing.assert_allclose(
        raw_scores(artifact, score(artifact, built)),
        np.asarray(lightgbm.Booster(model_str=TEXT).predict(built)),
        rtol=1e-15,
    )
    assert artifact.calibration == Points((-2.0, 0.0, 3.0), (0.0, 0.3, 1.0))
    assert artifact.calibration(np.array([-9.0, 1.0, 9.0])).tolist() == pytest.approx([0, 0.3 + 0.7 / 3, 1])
    for kind in ("schema", "calibration"):
        (tmp_path / f"models/m-1.{kind}.json").unlink()
    bare = load_artifact(row, tmp_path)
    assert served_scores(bare, np.zeros(2)) is None
    assert bare.digest == row.sha256 != artifact.digest


def test_the_registered_digest_may_cover_all_parts(tmp_path: Path) -> None:
    row = register(tmp_path, TEXT)
    whole = load_artifact(row, tmp_path).digest
    again = Registration(row.model_id, row.path, whole, row.features)
    assert load_artifact(again, tmp_path).digest == whole
    (tmp_path / "models/m-1.calibration.json").write_text('{"a": 1.5, "b": 0}')
    with pytest.raises(SourceError, match=r"sha256 [0-9a-f]{16}….*as registered"):
        load_artifact(again, tmp_path)


@pytest.mark.parametrize(
    "path", ["../m-1.txt", "models/../../m.txt", "/etc/hostname", "", "a\x00b", "linked/hostname"], ids=repr
)
def test_a_model_outside_the_workspace_is_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / "linked").symlink_to("/etc")
    with pytest.raises(ConfigError, match=r"model m-1: path"):
        load_artifact(Registration("m-1", path), tmp_path)


def test_a_folder_that_the_settings_name_is_allowed(tmp_path: Path) -> None:
    home, registry = tmp_path / "ws", tmp_path / "registry"
    home.mkdir()
    registry.mkdir()
    row = register(registry, TEXT, path=str(registry / "models/m-1.txt"))
    with pytest.raises(ConfigError, match="model_folders"):
        load_artifact(row, home)
    assert load_artifact(row, home, [registry]).model_id == "m-1"


def test_features_are_the_files_own_and_other_lists_are_told(tmp_path: Path) -> None:
    row = register(tmp_path, TEXT, features=("price", "plays", "genre"))
    artifact = load_artifact(row, tmp_path)
    assert artifact.features == NAMES
    assert artifact.disagreements == ("the models table has price at place 1 where the model has plays",)
    short = load_artifact(register(tmp_path, TEXT, features=("plays", "genre")), tmp_path)
    assert "not listed: ['price']" in short.disagreements[0]


def test_a_model_without_names_takes_those_of_its_schema(tmp_path: Path) -> None:
    bare = TEXT.replace("feature_names=plays price genre", "feature_names=Column_0 Column_1 Column_2")
    assert load_artifact(register(tmp_path, bare), tmp_path).features == NAMES


DAMAGED = {
    "pickle": pickle.dumps({"a": 1}),
    "empty": b"",
    "no model": b"hello",
    "cut": TEXT[: len(TEXT) // 2].encode(),
    "no end": TEXT[: TEXT.index("end of trees")].encode(),
    "wrong sizes": TEXT.replace("tree_sizes=", "tree_sizes=1").encode(),
    "far feature": TEXT.replace("split_feature=", "split_feature=9", 1).encode(),
    "loop": TEXT.replace("left_child=1", "left_child=0", 1).encode(),
    "words": TEXT.replace("threshold=", "threshold=x", 1).encode(),
    "many outputs": TEXT.replace("num_class=1", "num_class=3").encode(),
    "names": TEXT.replace("feature_names=plays ", "feature_names=").encode(),
}


def _with_true_sizes(text: str) -> str:
    """The same with sizes that fit, so that the damage lies in the trees alone."""
    head, rest = text.split("\nTree=0\n", 1)
    trees = ("Tree=0\n" + rest).split("end of trees")[0].split("Tree=")[1:]
    sizes = " ".join(str(len(f"Tree={tree}".encode())) for tree in trees)
    lines = [f"tree_sizes={sizes}" if line.startswith("tree_sizes=") else line for line in head.splitlines()]
    return "\n".join(lines) + "\n\nTree=0\n" + rest


@pytest.mark.parametrize("name", DAMAGED)
@pytest.mark.parametrize("is_repaired", [False, True])
def test_a_damaged_model_is_refused(tmp_path: Path, name: str, is_repaired: bool) -> None:
    content = DAMAGED[name]
    if is_repaired:
        if name in {"pickle", "empty", "no model", "cut", "wrong sizes"}:
            return
        content = _with_true_sizes(content.decode()).encode()
    row = register(tmp_path, TEXT, sha256=hashlib.sha256(content).hexdigest())
    (tmp_path / row.path).write_bytes(content)
    with pytest.raises(SourceError, match="model m-1"):
        load_artifact(row, tmp_path)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("schema", "["),
        ("schema", "[1]"),
        ("schema", '{"features": "a"}'),
        ("schema", '{"categories": {"genre": 3}}'),
        ("schema", '{"fill": {"price": "x"}}'),
        ("schema", '{"raw_score": "rank"}'),
        ("calibration", "{}"),
        ("calibration", '{"a": NaN, "b": 0}'),
        ("calibration", '{"kind": "spline"}'),
        ("calibration", '{"kind": "points", "x": [1, 1], "y": [0, 1]}'),
        ("calibration", "[" * 100_000),
    ],
)
def test_a_damaged_file_beside_a_model_is_refused(tmp_path: Path, kind: str, content: str) -> None:
    row = register(tmp_path, TEXT)
    (tmp_path / f"models/m-1.{kind}.json").write_text(content)
    with pytest.raises(SourceError, match=rf"m-1\.{kind}\.json"):
        load_artifact(row, tmp_path)


def test_a_feature_that_is_not_logged_is_named(tmp_path: Path) -> None:
    artifact = load_artifact(register(tmp_path, TEXT), tmp_path)
    with pytest.raises(SchemaError, match="no column for its feature 'price'"):
        feature_matrix(artifact, {"plays": [1.0], "genre": ["drama"]})
    with pytest.raises(RecSysOpsError, match="3 columns"):
        score(artifact, np.zeros((2, 4)))
