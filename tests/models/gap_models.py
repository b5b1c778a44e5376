"""A model of eight features of every kind that LightGBM treats in its own way, with rows to explain."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from math import factorial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recsysops.models.artifact import Artifact
from recsysops.models.comparison import Comparison
from recsysops.models.loading import load_artifact
from recsysops.models.registration import Registration

Floats = npt.NDArray[np.float64]
FEATURES = ("plays", "price", "age", "rating", "genre", "studio", "steady", "twin")
"""``price`` and ``rating`` lack values in training, ``genre`` (4) and ``studio`` (70) are categories, ``steady`` never varies."""
CATEGORICAL = ("genre", "studio")
KINDS: dict[str, dict[str, Any]] = {
    "as trained": {},
    "zeros are missing": {"zero_as_missing": True},
    "nothing is missing": {"use_missing": False},
    "stumps": {"num_leaves": 2},
    "forest": {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5},
}


def matrix(n: int, seed: int = 1) -> Floats:
    """Rows as the model is trained on."""
    rng = np.random.default_rng(seed)
    rows = np.column_stack(
        [
            rng.poisson(2, n),
            rng.normal(9, 4, n),
            rng.gamma(2, 5, n),
            rng.normal(0, 1, n),
            rng.integers(0, 4, n),
            rng.integers(0, 70, n),
            np.full(n, 3.0),
            rng.normal(0, 1, n),
        ]
    ).astype(np.float64)
    rows[rng.random(n) < 0.2, 1] = np.nan
    rows[rng.random(n) < 0.3, 3] = np.nan
    return rows


def odd_rows(n: int, seed: int = 2) -> Floats:
    """Rows with what was never seen in training: NaN everywhere, unknown categories, infinities, nearly zeros."""
    rng = np.random.default_rng(seed)
    rows = matrix(n, seed)
    rows[rng.random(rows.shape) < 0.15] = np.nan
    odd = [-1.0, -0.5, 2.7, 31.0, 32.0, 64.0, 1e12, -1e12, np.inf, -np.inf, 0.0, 1e-36, -1e-36, 1e-35]
    is_odd = rng.random(rows.shape) < 0.1
    rows[is_odd] = rng.choice(odd, int(is_odd.sum()))
    return rows


def train_gap_model(n_trees: int = 15, **parameters: Any) -> str:
    """The text of a trained model."""
    import lightgbm

    rows = matrix(2000)
    known = np.nan_to_num(rows, nan=2.0)
    margin = (
        known[:, 0] - 0.2 * known[:, 1] + known[:, 3] * known[:, 7] + 1.5 * (known[:, 5] % 3 == 1) - (known[:, 4] == 2)
    )
    label = (margin + np.random.default_rng(0).normal(0, 1, len(rows)) > 0).astype(np.float64)
    data = lightgbm.Dataset(rows, label, feature_name=list(FEATURES), categorical_feature=list(CATEGORICAL))
    chosen = {"objective": "binary", "num_leaves": 15, "verbosity": -1, "num_threads": 1, "max_cat_to_onehot": 2}
    return str(lightgbm.train(chosen | parameters, data, num_boost_round=n_trees).model_to_string())


def gap_artifact(folder: Path, kind: str = "as trained") -> Artifact:
    """The model of a kind, loaded."""
    (folder / "gap.txt").write_text(train_gap_model(**KINDS[kind]))
    return load_artifact(Registration("gap", "gap.txt", features=FEATURES), folder)


def comparison(n_rows: int = 6, n_peers: int = 12, *, is_odd: bool = True) -> Comparison:
    """Rows of a subject with few plays and no price, beside peers."""
    rows, peers = (odd_rows(n_rows, 5), odd_rows(n_peers, 6)) if is_odd else (matrix(n_rows, 5), matrix(n_peers, 6))
    rows[:, 1] = np.nan
    rows[:, 0] = 0
    return Comparison(FEATURES, rows, peers)


def exact_shapley(n_players: int, value: Callable[[frozenset[int]], float]) -> Floats:
    """Shapley values by their definition, over all coalitions."""
    worth = {
        frozenset(members): value(frozenset(members))
        for size in range(n_players + 1)
        for members in combinations(range(n_players), size)
    }
    found = np.zeros(n_players)
    for player in range(n_players):
        for members, without in worth.items():
            if player not in members:
                share = factorial(len(members)) * factorial(n_players - len(members) - 1) / factorial(n_players)
                found[player] += share * (worth[members | {player}] - without)
    return found
