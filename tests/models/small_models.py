"""Small trained models in a folder, with the files that stand beside them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recsysops.models.registration import Registration

NAMES = ("plays", "price", "genre")
GENRES = ("drama", "crime", "sport")


def rows(n: int, seed: int = 3) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """A matrix with missing values and a category, and a yes or no that depends on both."""
    rng = np.random.default_rng(seed)
    matrix = np.column_stack([rng.gamma(2, 3, n), rng.normal(9, 4, n), rng.integers(0, 3, n)])
    matrix[rng.random(n) < 0.2, 1] = np.nan
    margin = 0.4 * matrix[:, 0] - 2 - 0.1 * np.nan_to_num(matrix[:, 1], nan=30) + 1.5 * (matrix[:, 2] == 1)
    return matrix, (rng.random(n) < 1 / (1 + np.exp(-margin))).astype(np.float64)


def train(n_trees: int = 12, **parameters: Any) -> str:
    """The text of a small model."""
    import lightgbm

    matrix, label = rows(1500)
    data = lightgbm.Dataset(matrix, label, feature_name=list(NAMES), categorical_feature=["genre"])
    chosen = {"objective": "binary", "num_leaves": 7, "verbosity": -1, "num_threads": 1, "max_cat_to_onehot": 1}
    return str(lightgbm.train(chosen | parameters, data, num_boost_round=n_trees).model_to_string())


def register(folder: Path, text: str, model_id: str = "m-1", **stated: Any) -> Registration:
    """Write a model with schema and calibration, and give its row of the models table."""
    models = folder / "models"
    models.mkdir(exist_ok=True)
    (models / f"{model_id}.txt").write_text(text)
    schema = {"schema": "v1", "features": NAMES, "categories": {"genre": GENRES}}
    (models / f"{model_id}.schema.json").write_text(json.dumps(schema))
    (models / f"{model_id}.calibration.json").write_text('{"a": 1.5, "b": -0.25}')
    row = {"path": f"models/{model_id}.txt", "sha256": hashlib.sha256(text.encode()).hexdigest(), "features": NAMES}
    return Registration(model_id, **(row | stated))
