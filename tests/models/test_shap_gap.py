"""The SHAP gap is exact: it sums to LightGBM's gap, and agrees with brute force and, where it is right, with shap."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import lightgbm
import numpy as np
import pytest
from gap_models import FEATURES, KINDS, Floats, comparison, exact_shapley, gap_artifact, matrix
from hypothesis import given, settings
from hypothesis import strategies as st

from recsysops.errors import NotEnoughDataError, RecSysOpsError, SchemaError, SourceError
from recsysops.models import pairwise_shap as module
from recsysops.models.artifact import Artifact
from recsysops.models.comparison import Comparison
from recsysops.models.forest import SPLIT, Forest
from recsysops.models.loading import load_artifact
from recsysops.models.pairwise_shap import pairwise_shap
from recsysops.models.registration import Registration
from recsysops.models.scoring import contributions, score
from recsysops.models.shap_gap import shap_gap
from recsysops.models.tree_walk import leaves


def _brute_force(artifact: Artifact, rows: Floats, peers: Floats) -> Floats:
    """Over all 2⁸ mixtures of every pair, scored by LightGBM: (n_rows, n_peers, 8)."""
    n = rows.shape[1]
    masks = np.array([[code >> place & 1 for place in range(n)] for code in range(2**n)], bool)
    found = np.empty((len(rows), len(peers), n))
    for i, row in enumerate(rows):
        for j, peer in enumerate(peers):
            margins = score(artifact, np.where(masks, row, peer))
            worth = {frozenset(np.flatnonzero(mask).tolist()): m for mask, m in zip(masks, margins, strict=True)}
            found[i, j] = exact_shapley(n, lambda members, worth=worth: float(worth[members]))  # type: ignore[misc]
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_pairs_are_brute_force_shapley_values(tmp_path: Path, kind: str) -> None:
    artifact, compared = gap_artifact(tmp_path, kind), comparison(3, 4)
    found = pairwise_shap(artifact.forest, compared.rows, compared.peers)
    np.testing.assert_allclose(found, _brute_force(artifact, compared.rows, compared.peers), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_the_values_sum_to_lightgbms_gap(tmp_path: Path, kind: str) -> None:
    artifact, compared = gap_artifact(tmp_path, kind), comparison(40, 60)
    found = shap_gap(artifact, compared)
    margins = [score(artifact, rows) for rows in (compared.rows, compared.peers)]
    assert found.gap == pytest.approx(margins[0].mean() - margins[1].mean(), abs=1e-14)
    np.testing.assert_allclose(found.pairs.sum(axis=2), margins[0][:, None] - margins[1], rtol=0, atol=1e-12)
    assert found.phi[FEATURES.index("steady")] == 0
    assert np.array_equal(shap_gap(artifact, compared, n_threads=3).pairs, found.pairs)


@pytest.mark.filterwarnings(
    "ignore::PendingDeprecationWarning", "ignore::DeprecationWarning"
)  # shap's own, of matplotlib
def test_shap_agrees_where_nan_is_the_trees_own_sign_of_missing(tmp_path: Path) -> None:
    import shap

    rows, numeric = matrix(800), [0, 1, 2, 3, 7]
    rows[np.random.default_rng(4).random(rows.shape) < 0.1] = np.nan
    target: Floats = np.nan_to_num(rows, nan=3.0)[:, [0, 3]].sum(axis=1)
    data = lightgbm.Dataset(rows[:, numeric], target)
    booster = lightgbm.train({"verbosity": -1, "num_leaves": 31, "num_threads": 1}, data, num_boost_round=40)
    (tmp_path / "m.txt").write_text(booster.model_to_string())
    artifact = load_artifact(Registration("m", "m.txt"), tmp_path)
    assert set(artifact.forest.splits["missing"].tolist()) == {2}
    own, peers = rows[:20, numeric], rows[100:180, numeric]
    explainer = shap.TreeExplainer(booster, data=peers, feature_perturbation="interventional")
    found = shap_gap(artifact, Comparison(artifact.features, own, peers))
    np.testing.assert_allclose(found.pairs.mean(axis=1), explainer.shap_values(own), rtol=0, atol=1e-6)


def test_of_an_additive_model_the_gap_is_that_of_lightgbms_contributions(tmp_path: Path) -> None:
    artifact, compared = gap_artifact(tmp_path, "stumps"), comparison(30, 50)
    own, theirs = (contributions(artifact, rows).mean(axis=0)[:-1] for rows in (compared.rows, compared.peers))
    np.testing.assert_allclose(shap_gap(artifact, compared).phi, own - theirs, rtol=0, atol=1e-12)


def test_a_path_of_more_features_than_a_word_has_bits() -> None:
    n, differing = 70, [0, 1, 5, 64, 65, 69]
    splits = np.zeros(n, SPLIT)
    splits["feature"], splits["threshold"] = np.arange(n), 0.5
    splits["right"], splits["left"] = [*range(1, n), -1 - n], -1 - np.arange(n)
    values = np.random.default_rng(1).normal(size=n + 1)
    ones = np.ones(n + 1, np.int64)
    forest = Forest(splits, np.zeros(0, np.uint32), np.zeros(1, np.int64), values, ones, 0 * ones)
    row, peer = np.ones(n), np.ones(n)
    row[[64, 5]], peer[[0, 1, 65, 69]] = 0, 0  # 0 and 64, 1 and 65, 5 and 69 share a bit

    def worth(members: frozenset[int]) -> float:
        mixed = peer.copy()
        chosen = [differing[member] for member in members]
        mixed[chosen] = row[chosen]
        return float(values[leaves(forest, mixed[None])[0, 0]])

    found = pairwise_shap(forest, row[None], peer[None])[0, 0]
    np.testing.assert_allclose(found[differing], exact_shapley(len(differing), worth), rtol=0, atol=1e-13)
    assert np.count_nonzero(found) == len(differing)


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return gap_artifact(tmp_path_factory.mktemp("model"))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), n_rows=st.integers(1, 4), n_peers=st.integers(1, 5))
def test_properties_of_shapley_values(artifact: Artifact, seed: int, n_rows: int, n_peers: int) -> None:
    rng = np.random.default_rng(seed)
    pool = comparison(30, 30).rows
    rows, peers = pool[rng.integers(0, 30, n_rows)], pool[rng.integers(0, 30, n_peers)].copy()
    same = rng.random(8) < 0.3
    peers[:, same] = rows[0, same]
    found = pairwise_shap(artifact.forest, rows, peers)
    assert np.all(found[0][:, same] == 0)  # what does not differ has no part in it
    assert np.all(found[:, :, FEATURES.index("steady")] == 0)
    back = pairwise_shap(artifact.forest, peers, rows)
    np.testing.assert_allclose(back.transpose(1, 0, 2), -found, rtol=0, atol=1e-12)
    np.testing.assert_allclose(
        found.sum(axis=2), score(artifact, rows)[:, None] - score(artifact, peers), rtol=0, atol=1e-12
    )
    one_by_one = pairwise_shap(artifact.forest, rows[-1:], peers[:1])
    assert np.array_equal(one_by_one[0, 0], found[-1, 0])


def test_features_that_do_the_same_share_alike(tmp_path: Path) -> None:
    """A tree of ``a and b``: both give half where both differ."""
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 2, (400, 2)).astype(np.float64)
    parameters = {"objective": "regression", "num_leaves": 4, "verbosity": -1, "num_threads": 1, "min_data_in_leaf": 1}
    text = lightgbm.train(parameters, lightgbm.Dataset(rows, rows[:, 0] * rows[:, 1]), 5).model_to_string()
    (tmp_path / "and.txt").write_text(text)
    artifact = load_artifact(Registration("and", "and.txt"), tmp_path)
    found = pairwise_shap(artifact.forest, np.ones((1, 2)), np.zeros((1, 2)))[0, 0]
    assert found[0] == pytest.approx(found[1], abs=1e-3)
    assert found.sum() > 0.1


def test_groups_are_sums_and_leave_the_gap(artifact: Artifact) -> None:
    found = shap_gap(artifact, comparison(10, 15))
    grouped = found.grouped({"demand": ["plays", "rating"], "words": ["genre", "studio"]})
    assert grouped.names == ("demand", "words", "price", "age", "steady", "twin")
    assert grouped.phi[0] == pytest.approx(found.phi[0] + found.phi[3])
    assert grouped.phi.sum() == pytest.approx(found.gap)
    with pytest.raises(SchemaError, match="'plays' twice"):
        found.grouped({"a": ["plays"], "b": ["plays"]})
    with pytest.raises(SchemaError, match="found 'plys'"):
        found.grouped({"a": ["plys"]})


def test_intervals_are_those_of_resampled_rows_and_peers(artifact: Artifact) -> None:
    compared = comparison(30, 40, is_odd=False)
    found = shap_gap(artifact, compared)
    parts = found.parts(n_draws=2000, seed=1)
    assert [part.name for part in parts.parts][:2] == ["plays", "price"]
    assert parts.parts == tuple(sorted(parts.parts, key=lambda part: -abs(part.phi.value)))
    rng, again = np.random.default_rng(7), []
    for _ in range(2000):  # the same by taking rows, not weights
        rows, peers = rng.integers(0, 30, 30), rng.integers(0, 40, 40)
        again.append(found.pairs[rows][:, peers].mean(axis=(0, 1)))
    low, high = np.quantile(again, [0.025, 0.975], axis=0)
    for part in parts.parts:
        place = FEATURES.index(part.name)
        width = max(high[place] - low[place], 1e-12)
        assert part.phi.low == pytest.approx(low[place], abs=0.1 * width)
        assert part.phi.high == pytest.approx(high[place], abs=0.1 * width)
    assert parts.gap.low < parts.gap.value < parts.gap.high
    assert parts.parts[0].top_share == 1
    assert 0.5 < parts.stability <= 1
    steady = next(part for part in parts.parts if part.name == "steady")
    assert (steady.phi.low, steady.phi.high, steady.top_share) == (0, 0, 0)
    assert found.parts(n_draws=50, seed=3) == found.parts(n_draws=50, seed=3)


def test_rows_of_one_request_are_drawn_together(artifact: Artifact) -> None:
    single = comparison(5, 8)
    repeated = replace(single, rows=np.repeat(single.rows, 6, axis=0), clusters=np.repeat(np.arange(5), 6))
    by_cluster = shap_gap(artifact, repeated).parts(n_draws=1500)
    by_row = shap_gap(artifact, replace(repeated, clusters=None)).parts(n_draws=1500)
    plain = shap_gap(artifact, single).parts(n_draws=1500)
    widths = [one.gap.high - one.gap.low for one in (by_cluster, plain, by_row)]
    assert widths[0] == pytest.approx(widths[1], rel=0.1)
    assert widths[2] < widths[0]


def test_what_cannot_be_compared_is_refused(artifact: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = comparison(4, 5)
    with pytest.raises(SchemaError, match="8 columns"):
        replace(compared, peers=compared.peers[:, :3])
    with pytest.raises(NotEnoughDataError, match="peers: found none"):
        replace(compared, peers=compared.peers[:0])
    with pytest.raises(SchemaError, match="one number for each of 4 rows"):
        replace(compared, clusters=np.zeros(3, np.int64))
    with pytest.raises(SchemaError, match="did you mean 'plays'"):
        compared.places(["play"])
    with pytest.raises(RecSysOpsError, match="in its order"):
        shap_gap(artifact, replace(compared, features=compared.features[::-1]))
    monkeypatch.setattr(module, "MOST_CELLS", 10)
    with pytest.raises(NotEnoughDataError, match="4 rows × 5 background rows"):
        shap_gap(artifact, compared)


def test_trees_that_were_misread_are_noticed(tmp_path: Path) -> None:
    artifact = gap_artifact(tmp_path)
    artifact.forest.leaf_value[:] *= 1.01
    with pytest.raises(SourceError, match="miss a gap"):
        shap_gap(artifact, comparison(4, 5))
