"""The ranker: a LightGBM model in text form with its feature schema and its calibration, kept as files."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recsysops.drills.rows import Column, Rows
from recsysops.drills.world.coding import coded
from recsysops.drills.world.features import CATEGORIES, FEATURE_SCHEMA, MODEL_FEATURES
from recsysops.drills.world.population import Floats
from recsysops.tables.atomic import write_atomically

if TYPE_CHECKING:
    import lightgbm

PARAMETERS = {
    "objective": "binary", "num_leaves": 31, "learning_rate": 0.08, "min_data_in_leaf": 60, "feature_fraction": 0.8,
    "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbosity": -1, "max_cat_to_onehot": 4,
}  # fmt: skip
N_TREES = 80
WARM_UP = "warm-up"
"""The id of ranking without a model: popularity and taste."""


@dataclass(frozen=True)
class Fitted:
    """A trained artifact as it is registered."""

    model_id: str
    path: str
    """Of the text file, below the service's folder; its schema and calibration stand beside it."""
    sha256: str
    auc: float
    """On the last days of the training window, which the trees did not see."""
    n_rows: int


def matrix(rows: Rows, order: tuple[str, ...] = MODEL_FEATURES) -> Floats:
    """(n_candidates, n_features) as the model reads them: categories as places in their vocabulary, NaN for others."""
    columns = []
    for name in order:
        if name in CATEGORIES:
            code = coded(rows[name], CATEGORIES[name]).astype(np.float64)
            columns.append(np.where(code < 0, np.nan, code))
        else:
            columns.append(rows[name].astype(np.float64))
    return np.column_stack(columns)


def raw_scores(rows: Rows, folder: Path, model_id: str, order: tuple[str, ...] = MODEL_FEATURES) -> Floats:
    """The model's margin for each candidate, in log-odds; the same bytes in, the same bits out."""
    if model_id == WARM_UP:
        return np.asarray(
            0.35 * np.log1p(np.nan_to_num(rows["item_plays_7d"].astype(np.float64)))
            + 0.8 * np.nan_to_num(rows["taste_match"].astype(np.float64)) - 3.0
        )  # fmt: skip
    path = folder / "models" / f"{model_id}.txt"
    return np.asarray(
        _booster(path, path.stat().st_mtime_ns).predict(matrix(rows, order), raw_score=True, num_threads=1)
    )


def calibrated(raw: Floats, a: float, b: float) -> Floats:
    """Probability of a play from the margin, after Platt (1999)."""
    return np.asarray(1 / (1 + np.exp(-(a * raw + b))))


def fit(
    rows: Rows, label: Floats, weight: Floats, is_held_out: Column, trainer: Rows, model_id: str, folder: Path
) -> Fitted:
    """Train on the window without its last days, calibrate on those, and write the artifact whole.

    Args:
        trainer: one row with ``n_trees``, ``learning_rate``, ``num_leaves``.
    """
    import lightgbm

    values, learn = matrix(rows), ~is_held_out
    names = [name for name in MODEL_FEATURES if name in CATEGORIES]
    data = lightgbm.Dataset(
        values[learn], label[learn], weight=weight[learn], feature_name=list(MODEL_FEATURES), categorical_feature=names
    )
    chosen = {name: trainer[name][0].item() for name in ("learning_rate", "num_leaves")}
    booster = lightgbm.train({**PARAMETERS, **chosen}, data, num_boost_round=int(trainer["n_trees"][0]))
    text = booster.model_to_string()
    raw = np.asarray(booster.predict(values[is_held_out], raw_score=True))
    a, b = platt(raw, label[is_held_out], weight[is_held_out])
    models = folder / "models"
    models.mkdir(exist_ok=True)
    schema = {"schema": FEATURE_SCHEMA, "features": MODEL_FEATURES, "categories": CATEGORIES}
    write_atomically(models / f"{model_id}.schema.json", lambda path: _write(path, json.dumps(schema, indent=1)))
    write_atomically(models / f"{model_id}.calibration.json", lambda path: _write(path, json.dumps({"a": a, "b": b})))
    write_atomically(models / f"{model_id}.txt", lambda path: _write(path, text))
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Fitted(model_id, f"models/{model_id}.txt", digest, auc(raw, label[is_held_out]), int(learn.sum()))


def calibration_of(folder: Path, model_id: str) -> tuple[float, float]:
    """The calibration that belongs to a model: slope and intercept."""
    if model_id == WARM_UP:
        return 1.0, 0.0
    found = json.loads((folder / "models" / f"{model_id}.calibration.json").read_text())
    return float(found["a"]), float(found["b"])


def platt(raw: Floats, label: Floats, weight: Floats) -> tuple[float, float]:
    """Slope and intercept of a logistic regression of the label on the margin, by Newton's method."""
    beta = np.array([1.0, 0.0])
    design = np.column_stack([raw, np.ones(len(raw))])
    for _ in range(12):
        p = 1 / (1 + np.exp(-design @ beta))
        gradient = design.T @ (weight * (label - p))
        hessian = (design * (weight * p * (1 - p))[:, None]).T @ design + 1e-3 * np.eye(2)
        beta = beta + np.linalg.solve(hessian, gradient)
    return round(float(beta[0]), 6), round(float(beta[1]), 6)


def auc(raw: Floats, label: Floats) -> float:
    """Chance that a play has a higher score than another impression."""
    from scipy.stats import rankdata

    n_plays = label.sum()
    if not 0 < n_plays < len(label):
        return float("nan")
    ranks = rankdata(raw)[label > 0].sum()
    return float((ranks - n_plays * (n_plays + 1) / 2) / (n_plays * (len(label) - n_plays)))


@lru_cache(maxsize=8)
def _booster(path: Path, written_ns: int) -> lightgbm.Booster:
    """The model in a file as it was written at that time."""
    import lightgbm

    return lightgbm.Booster(model_str=path.read_text())


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
