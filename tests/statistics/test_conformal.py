"""Conformal p-values: counted by hand, uniform under the null for every score, and with power; judged with scipy's BH."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from recsysops.statistics.conformal import conformal_p, peers_needed, pooled_conformal_p
from recsysops.statistics.conformal_anomaly import evidence_times_impact, feature_anomalies
from recsysops.statistics.surprise import category_surprise, number_surprise, pair_surprise

Floats = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Floats]
SCORES = st.lists(st.integers(0, 6), min_size=1, max_size=20)


def _zero_inflated(rng: np.random.Generator, n: int) -> Floats:
    return np.where(rng.random(n) < 0.4, 0.0, rng.lognormal(size=n))


def _sometimes_missing(rng: np.random.Generator, n: int) -> Floats:
    return np.where(rng.random(n) < 0.04, np.nan, rng.normal(size=n))


SCORERS: dict[str, Draw] = {
    "normal": lambda rng, n: number_surprise(rng.normal(size=n)).scores,
    "lognormal": lambda rng, n: number_surprise(rng.lognormal(0, 1.5, n)).scores,
    "cauchy": lambda rng, n: number_surprise(rng.standard_cauchy(n)).scores,
    "counts": lambda rng, n: number_surprise(rng.poisson(0.7, n)).scores,
    "atom": lambda rng, n: number_surprise(_zero_inflated(rng, n)).scores,
    "missing": lambda rng, n: number_surprise(_sometimes_missing(rng, n)).scores,
    "category": lambda rng, n: category_surprise(rng.geometric(0.3, n)),
    "pair": lambda rng, n: pair_surprise(rng.integers(0, 4, n), rng.integers(0, 5, n)),
}


@settings(derandomize=True, deadline=None, max_examples=60)
@given(SCORES)
def test_p_value_is_the_rank(scores: list[int]) -> None:
    n_at_least = sum(peer >= scores[0] for peer in scores[1:])
    assert conformal_p(scores) == pytest.approx((1 + n_at_least) / len(scores))
    assert conformal_p(scores, np.full(len(scores) - 1, 0.3)) == pytest.approx((1 + n_at_least) / len(scores))
    assert pooled_conformal_p(np.array(scores)[:, None])[0] == pytest.approx((1 + n_at_least) / len(scores))


@pytest.mark.parametrize("weights", [None, np.linspace(0.05, 1, 99)], ids=["alike", "weighted"])
@pytest.mark.parametrize("name", SCORERS)
def test_p_values_of_a_peer_are_not_too_small(name: str, weights: Floats | None) -> None:
    rng = np.random.default_rng(11)
    p = np.array([conformal_p(SCORERS[name](rng, 100), weights) for _ in range(800)])
    for level in (0.02, 0.1, 0.5):
        assert np.mean(p <= level) <= level + 3 * np.sqrt(level * (1 - level) / 800)
    if weights is None and name in {"normal", "lognormal", "cauchy"}:
        assert stats.kstest(p, stats.uniform(0, 1).cdf).statistic < 0.06


def test_pooled_p_values_are_uniform_on_average_over_features() -> None:
    rng = np.random.default_rng(12)
    bags = (np.stack([scorer(rng, 60) for scorer in SCORERS.values()], axis=1) for _ in range(400))
    p = np.stack([pooled_conformal_p(bag) for bag in bags])
    for level in (0.01, 0.1, 0.5):
        assert np.mean(p <= level) <= level + 3 * np.sqrt(level / 400 / len(SCORERS))


def test_pooling_finds_with_few_peers_what_ranks_alone_cannot() -> None:
    rng = np.random.default_rng(13)
    found, found_pooled, false_share = 0, 0, []
    for _ in range(60):
        bag = rng.normal(size=(51, 100))
        bag[0, 0] += 12.0
        scores = np.stack([number_surprise(one).scores for one in bag.T], axis=1)
        found += int(feature_anomalies(conformal_p(scores), np.ones(100)).is_anomalous.sum())
        pooled = feature_anomalies(pooled_conformal_p(scores), np.ones(100)).is_anomalous
        found_pooled += int(pooled[0])
        false_share.append(int(pooled[1:].sum()) / max(int(pooled.sum()), 1))
    assert found == 0  # 50 peers: no p-value below 1/51, and peers_needed(100) is 999
    assert found_pooled >= 0.9 * 60
    assert np.mean(false_share) <= 0.1 + 3 * np.std(false_share) / np.sqrt(60)


def test_planted_features_are_found_at_the_promised_share_of_false_ones() -> None:
    rng = np.random.default_rng(14)
    found, false_share = 0, []
    for _ in range(60):
        bag = rng.lognormal(size=(1_001, 40))
        bag[0, :4] = np.exp([6.0, -6.0, 5.0, 7.0])
        scores = np.stack([number_surprise(one).scores for one in bag.T], axis=1)
        flags = feature_anomalies(conformal_p(scores), np.ones(40)).is_anomalous
        found += int(flags[:4].sum())
        false_share.append(int(flags[4:].sum()) / max(int(flags.sum()), 1))
    assert found >= 0.95 * 240
    assert np.mean(false_share) <= 0.13


def test_the_heaviest_peers_decide() -> None:
    scores = np.array([2.0, *np.full(50, 3.0), *np.full(50, 1.0)])
    near_is_stranger = conformal_p(scores, np.append(np.ones(50), np.zeros(50)))
    assert near_is_stranger == 1
    assert conformal_p(scores, np.append(np.zeros(50), np.ones(50))) == pytest.approx(1 / 51)
    assert conformal_p(scores) == pytest.approx(51 / 101)


def test_scores_that_cannot_be_said_and_equal_up_to_rounding() -> None:
    assert np.isnan(conformal_p([np.nan, 1.0]))
    assert conformal_p([2.0, np.nan, 1.0]) == 0.5
    assert conformal_p([np.inf, np.inf, 1.0]) == pytest.approx(2 / 3)
    assert conformal_p([0.1 + 0.2, 0.3]) == 1
    assert conformal_p([5.0]) == 1
    pooled = pooled_conformal_p([[np.nan, np.inf], [1.0, np.inf], [np.nan, 2.0]])
    np.testing.assert_allclose(pooled, [np.nan, 0.5])
    for scores, weights, message in (
        ([], None, "found none"),
        ([1.0, 2.0], [1.0, 1.0], "expected 1 of the peers"),
        ([1.0, 2.0], [0.0], "one above 0"),
        ([1.0, 2.0], [-1.0], ">= 0"),
    ):
        with pytest.raises(ValueError, match=message):
            conformal_p(scores, weights)
    with pytest.raises(ValueError, match="1 dimensions"):
        pooled_conformal_p([1.0, 2.0])


@pytest.mark.parametrize(("n_features", "q", "n_anomalous"), [(300, 0.1, 1), (300, 0.1, 7), (10, 0.05, 3), (1, 0.9, 5)])
def test_peers_needed_is_the_fewest_that_can_pass(n_features: int, q: float, n_anomalous: int) -> None:
    k = peers_needed(n_features, q=q, n_anomalous=n_anomalous)
    for n_peers, can_pass in ((k, True), (k - 1, False)):
        if n_peers >= 0 and n_anomalous <= n_features:
            p = np.append(np.full(n_anomalous, 1 / (n_peers + 1)), np.ones(n_features - n_anomalous))
            assert bool((stats.false_discovery_control(p) <= q + 1e-12).any()) is can_pass
    with pytest.raises(ValueError, match="at least one feature"):
        peers_needed(0)


def test_features_are_judged_as_scipy_does_and_ranked_by_what_the_model_feels() -> None:
    p = np.array([1e-4, 2e-4, 0.9, 0.04, np.nan])
    found = feature_anomalies(p, [0.1, 3.0, -9.0, 0.0, 2.0])
    np.testing.assert_allclose(found.adjusted[:4], stats.false_discovery_control(p[:4]))
    assert found.is_anomalous.tolist() == [True, True, False, True, False]
    assert found.order.tolist() == [1, 0, 3, 2, 4]
    assert found.importance[1] == pytest.approx(-np.log10(2e-4) * 3 / 14.1)
    assert found.importance[4] == 0
    assert not evidence_times_impact([0.1, 0.2], [0.0, 0.0]).any()
    for p_values, contributions in (([1.1], [1.0]), ([0.1, 0.2], [1.0]), ([0.1], [np.nan])):
        with pytest.raises(ValueError, match="p-values in"):
            evidence_times_impact(p_values, contributions)
