"""Re-scoring what was logged: the registered model and its calibration give the logged scores to the bit, and the ranks follow."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
from world_files import Frame, frame

GENRE_CAP = 3


@pytest.fixture(scope="module")
def candidates(log: Path) -> Frame:
    return frame(log, "candidates")


@pytest.fixture(scope="module")
def answered(candidates: Frame) -> Frame:
    """Candidates that a model scored."""
    return candidates[~candidates["fallback"]]


def test_the_registry_knows_every_model_in_the_log(log: Path, answered: Frame) -> None:
    models = frame(log, "models").set_index("model_id")
    assert 2 <= answered["model_id"].nunique() <= len(models)
    assert set(answered["model_id"]) <= set(models.index)
    for model in models.itertuples():
        content = (log / model.path).read_bytes()
        assert hashlib.sha256(content).hexdigest() == model.sha256
        assert model.training_end < model.trained_at
        first = answered.loc[answered["model_id"] == model.Index, "ts"].min()
        assert not first <= model.trained_at


def test_scores_are_reproduced_to_the_bit(log: Path, answered: Frame) -> None:
    for model, rows in answered.groupby("model_id"):
        schema = json.loads((log / "models" / f"{model}.schema.json").read_text())
        vectors = np.column_stack([_numbers(rows[name], schema["categories"].get(name)) for name in schema["features"]])
        booster = lightgbm.Booster(model_file=str(log / "models" / f"{model}.txt"))
        raw = np.asarray(booster.predict(vectors, raw_score=True))
        assert np.array_equal(raw, rows["raw_score"].to_numpy())
        platt = json.loads((log / "models" / f"{model}.calibration.json").read_text())
        assert np.array_equal(1 / (1 + np.exp(-(platt["a"] * raw + platt["b"]))), rows["score"].to_numpy())


def _numbers(values: Frame, vocabulary: list[str] | None) -> Any:
    if vocabulary is None:
        return values.to_numpy(np.float64)
    return values.map({word: float(code) for code, word in enumerate(vocabulary)}).to_numpy(np.float64)


def test_raw_ranks_follow_scores(answered: Frame) -> None:
    by_rank = answered.sort_values(["request_id", "raw_rank"])
    falls = by_rank.groupby("request_id")["raw_score"].diff()
    assert (falls.dropna() <= 0).all()
    assert (by_rank["raw_rank"] == by_rank.groupby("request_id").cumcount() + 1).all()


def test_final_ranks_follow_from_scores_and_policy(log: Path, candidates: Frame) -> None:
    """By hand: filtered last, at most three of a genre first, pins third or before, by score within."""
    changes = frame(log, "changes")
    pins = changes[changes["scope"].str.startswith("policy.pin-")].sort_values("ts", kind="stable")
    ordered = candidates[~candidates["randomised"]]
    items = {scope.removeprefix("policy.pin-").split("-")[0] for scope in pins["scope"]}
    with_pinned = set(ordered.loc[ordered["item_id"].isin(items), "request_id"])
    n_pinned = 0
    for number, (request_id, rows) in enumerate(ordered.groupby("request_id", sort=False)):
        if number % 12 and request_id not in with_pinned:
            continue
        pinned = _pinned(pins, rows)
        n_pinned += len(pinned & set(rows.loc[rows["filtered_by"].isna(), "item_id"]))
        found = list(rows.sort_values("final_rank")["item_id"])
        expected = _by_policy(rows, pinned)
        assert found[: len(expected)] == expected
    assert n_pinned > 0


def _pinned(pins: Frame, rows: Frame) -> set[str]:
    """Items with a pin in force in the market of a request."""
    before = pins[pins["ts"] <= rows["ts"].iloc[0]].groupby("scope")["description"].last()
    rules = [scope.removeprefix("policy.pin-").split("-") for scope in before[before == "rule added"].index]
    return {item for item, market in rules if market == rows["market"].iloc[0]}


def _by_policy(rows: Frame, pinned: set[str]) -> list[str]:
    """What may be shown, in its order; what is filtered comes after."""
    taken: dict[str, int] = {}
    within: list[str] = []
    beyond: list[str] = []
    may = rows[rows["filtered_by"].isna()]
    for one in (
        may.assign(number=may["item_id"].map(_age))
        .sort_values(["score", "number"], ascending=[False, True])
        .itertuples()
    ):
        genre = str(one.item_genre)
        taken[genre] = taken.get(genre, 0) + 1
        (within if taken[genre] <= GENRE_CAP else beyond).append(str(one.item_id))
    order = [*within, *beyond]
    for item in [one for one in order[2:] if one in pinned]:
        order.remove(item)
        order.insert(2, item)
    return order


def _age(item_id: str) -> int:
    """Order of launch: what was there before has numbers from 10,001."""
    return int(item_id) - 100_000 if int(item_id) > 10_000 else int(item_id)
