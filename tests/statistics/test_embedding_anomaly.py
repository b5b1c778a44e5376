"""Vectors among peers: Ledoit-Wolf against scikit-learn, distances by brute force, planted faults, honest p-values."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.covariance import ledoit_wolf as sklearn_ledoit_wolf
from sklearn.neighbors import NearestNeighbors

from recsysops.statistics.conformal import conformal_p
from recsysops.statistics.embedding_anomaly import embedding_scores
from recsysops.statistics.ledoit_wolf import ledoit_wolf

Floats = npt.NDArray[np.float64]


@pytest.mark.parametrize(("n", "d"), [(50, 3), (30, 64), (400, 20), (2, 5), (60, 1)])
def test_shrunken_covariance_equals_scikit_learn(n: int, d: int) -> None:
    rng = np.random.default_rng(n + d)
    x = rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + 5
    found, (covariance, shrinkage) = ledoit_wolf(x), sklearn_ledoit_wolf(x)
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-8, atol=1e-10)
    assert found.shrinkage == pytest.approx(shrinkage, abs=1e-9)
    np.testing.assert_allclose(found.mean, x.mean(axis=0))


def test_shrinking_comes_nearer_to_the_truth() -> None:
    rng = np.random.default_rng(0)
    factor = rng.normal(size=(40, 40)) / 6
    truth = factor @ factor.T + np.eye(40)
    x = rng.multivariate_normal(np.zeros(40), truth, size=60)
    away = [np.linalg.norm(one - truth) for one in (ledoit_wolf(x).covariance, np.cov(x.T))]
    assert away[0] < 0.8 * away[1]


def _correlated(rng: np.random.Generator, n: int, d: int = 16) -> Floats:
    return np.asarray(rng.normal(size=(n, 3)) @ np.random.default_rng(1).normal(size=(3, d)) + rng.normal(size=(n, d)))


def test_distances_equal_brute_force() -> None:
    x = _correlated(np.random.default_rng(2), 41)
    found = embedding_scores(x)
    apart, _ = NearestNeighbors(n_neighbors=10).fit(x).kneighbors()
    np.testing.assert_allclose(found.neighbours, apart.mean(axis=1))
    covariance = sklearn_ledoit_wolf(x)[0]
    away = x - x.mean(axis=0)
    np.testing.assert_allclose(found.mahalanobis**2, np.einsum("ij,jk,ik->i", away, np.linalg.inv(covariance), away))
    norms = np.linalg.norm(x, axis=1)
    ratio = [norms[i] / np.median(np.delete(norms, i)) for i in range(41)]
    np.testing.assert_allclose(found.norm_ratio, ratio)
    np.testing.assert_allclose(found.norm, np.abs(np.log(ratio)))


def test_each_fault_is_found_by_its_own_test() -> None:
    peers = _correlated(np.random.default_rng(3), 200)
    against = np.linalg.svd(peers - peers.mean(axis=0))[2][-1]
    faults = {
        "neighbours": np.full(16, 4.0),
        "norm": 20 * peers[0],
        "mahalanobis": 6.0 * against,
        "zero": np.zeros(16),
        "n_copies": peers[17].copy(),
    }
    for name, vector in faults.items():
        scores = embedding_scores(np.vstack([vector, peers]))
        assert conformal_p(getattr(scores, name)) <= 2 / 201, name
    usual = embedding_scores(np.vstack([_correlated(np.random.default_rng(4), 1), peers]))
    for name in faults:
        assert conformal_p(getattr(usual, name)) > 0.05, name


def test_a_default_that_many_share_is_no_anomaly_of_one() -> None:
    peers = _correlated(np.random.default_rng(5), 100)
    peers[:40] = 0.0
    zero = embedding_scores(np.vstack([np.zeros(16), peers]))
    assert conformal_p(zero.zero) > 0.4
    assert not zero.n_copies.any()
    peers[:40] = 1.0
    copy = embedding_scores(np.vstack([np.ones(16), peers]))
    assert copy.n_copies[0] == 40
    assert conformal_p(copy.n_copies) > 0.4


@pytest.mark.parametrize("name", ["neighbours", "norm", "mahalanobis", "zero", "n_copies"])
def test_p_values_of_a_peer_are_not_too_small(name: str) -> None:
    rng = np.random.default_rng(6)
    p = np.array([conformal_p(getattr(embedding_scores(_correlated(rng, 40)), name)) for _ in range(500)])
    for level in (0.05, 0.2):
        assert np.mean(p <= level) <= level + 3 * np.sqrt(level * (1 - level) / 500)


def test_without_peers_variation_or_sense() -> None:
    alone = embedding_scores([[1.0, 2.0]])
    assert np.isnan(alone.neighbours[0])
    assert alone.norm_ratio[0] == 1
    same = embedding_scores(np.ones((5, 3)))
    assert np.isnan(same.mahalanobis).all()
    assert (same.n_copies == 4).all()
    nothing = embedding_scores(np.zeros((3, 2)))
    assert np.isnan(nothing.norm_ratio).all()
    assert not nothing.norm.any()
    for vectors in (np.zeros(3), np.zeros((0, 3)), [[np.nan]]):
        for function in (embedding_scores, ledoit_wolf):
            with pytest.raises(ValueError, match="vectors: found shape"):
                function(vectors)
