"""Estimators recover the truth: over every possible sample exactly, and over samples that the sampler draws."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import numpy.typing as npt
import pytest
from served_requests import NOON, request

from recsysops.serving import Rule, SamplingPlan, hajek, horvitz_thompson
from recsysops.serving.estimation import Clusters, n_eff
from recsysops.serving.sampler import Sampler

NOW_US = int(NOON.timestamp()) * 1_000_000
Y = np.array([3.0, -1.0, 4.0, 1.0, 5.0, 9.0])
OWN = np.array([0.2, 0.5, 1.0, 0.35, 0.1, 0.8])
MEMBER_DAY = np.array([0, 1, 0, 0, -1, 1])
Flags = npt.NDArray[np.bool_]


def every_sample(
    own: npt.NDArray[np.float64], day: npt.NDArray[np.int64], rate: float
) -> Iterator[tuple[Flags, float]]:
    """All samples that requests' own draws and their members' days can give, each draw by itself, with probabilities."""
    for picked in product((False, True), repeat=int(day.max()) + 1):
        p_days = np.prod([rate if one else 1 - rate for one in picked])
        by_day = np.array([d >= 0 and picked[d] for d in day])
        for drawn in product((False, True), repeat=len(own)):
            p = p_days * np.prod([a if one else 1 - a for a, one in zip(own, drawn, strict=True)])
            if p > 0:
                yield by_day | np.array(drawn), float(p)


@pytest.mark.parametrize("rate", [0.0, 0.3])
def test_total_and_variance_are_unbiased_over_every_sample(rate: float) -> None:
    pi = np.where(MEMBER_DAY >= 0, 1 - (1 - OWN) * (1 - rate), OWN)
    found = []
    for kept, p in every_sample(OWN, MEMBER_DAY, rate):
        one = horvitz_thompson(Y[kept], pi[kept], Clusters(MEMBER_DAY[kept], rate))
        found.append((p, one.value, one.variance))
    p, value, variance = np.array(found).T
    assert p.sum() == pytest.approx(1)
    assert np.sum(p * value) == pytest.approx(Y.sum())
    assert np.sum(p * variance) == pytest.approx(np.sum(p * (value - Y.sum()) ** 2))


def test_without_clusters_a_member_day_rule_is_underestimated() -> None:
    rate, own = 0.3, np.full(6, 0.1)
    pi = np.where(MEMBER_DAY >= 0, 1 - (1 - own) * (1 - rate), own)
    y = np.abs(Y)
    with_, without = (
        sum(
            p * horvitz_thompson(y[kept], pi[kept], one(kept)).variance
            for kept, p in every_sample(own, MEMBER_DAY, rate)
        )
        for one in (lambda kept: Clusters(MEMBER_DAY[kept], rate), lambda _: None)
    )
    assert with_ > 1.1 * without


def test_samples_of_the_sampler() -> None:
    """400 salts: totals unbiased, means consistent, intervals cover, with rates by slice and whole members' days."""
    rng = np.random.default_rng(3)
    n = 400
    y = rng.gamma(2, 1, n) + (np.arange(n) % 3)
    day = np.arange(n) // 4
    plan = SamplingPlan((Rule("base", 0.1), Rule("denmark", 0.4, when={"market": ["DK"]})), member_day_rate=0.15)
    requests = [request(number) for number in range(n)]
    found = []
    for salt in range(400):
        sampler = Sampler(SamplingPlan(plan.rules, member_day_rate=0.15, salt=f"salt {salt}"), NOW_US)
        kept = [sampler.decide(one, NOW_US, f"m-{day[number]}") for number, one in enumerate(requests)]
        is_kept = np.array([one is not None for one in kept])
        pi = np.array([one.sampling_rate for one in kept if one is not None])
        clusters = Clusters(day[is_kept], 0.15)
        total, mean = horvitz_thompson(y[is_kept], pi, clusters), hajek(y[is_kept], pi, clusters)
        low, high = mean.interval()
        found.append((total.value, total.variance, mean.value, mean.variance, low <= y.mean() <= high))
    total, variance, mean, mean_variance, covers = np.array(found).T
    assert abs(total.mean() - y.sum()) < 4 * total.std() / 20
    assert variance.mean() == pytest.approx(total.var(), rel=0.25)
    assert abs(mean.mean() - y.mean()) < 4 * mean.std() / 20 + 0.01
    assert mean_variance.mean() == pytest.approx(mean.var(), rel=0.25)
    assert 0.9 < covers.mean() < 0.99


def test_a_full_log_is_exact() -> None:
    ones = np.ones(len(Y))
    assert horvitz_thompson(Y, ones).value == Y.sum()
    assert horvitz_thompson(Y, ones).variance == 0
    assert hajek(Y, ones).interval() == (Y.mean(), Y.mean())
    assert n_eff(ones) == len(Y)


def test_unequal_weights_count_less() -> None:
    assert n_eff([1.0, 0.1]) == pytest.approx(11**2 / 101)
    assert n_eff([]) == 0
    assert horvitz_thompson([], []).value == 0
    assert np.isnan(hajek([], []).value)


@pytest.mark.parametrize("rates", [[0.0, 1.0], [1.1, 1.0], [np.nan, 1.0], [1.0]])
def test_refuses_what_is_no_rate(rates: list[float]) -> None:
    with pytest.raises(ValueError, match="rates"):
        horvitz_thompson([1.0, 2.0], rates)
