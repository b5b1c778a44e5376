"""Floors keep enough of every stratum, with the probability they log."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from served_requests import NOON, request

from recsysops.serving import Floor, Rule, SamplingPlan, ServedRequest
from recsysops.serving import floors as floors_module
from recsysops.serving.hashing import hash64
from recsysops.serving.sampler import DAY_US, Sampler

NOW_US = int(NOON.timestamp()) * 1_000_000


def test_every_slice_and_day_has_its_floor() -> None:
    sampler = Sampler(SamplingPlan(floors=(Floor("market", 20, by=("market", "device")),)), NOW_US)
    kept = Counter[tuple[str, int]]()
    for number in range(9000):
        where = "FO" if number % 500 == 0 else ("DK", "SE")[number % 2]
        day = number % 2
        one = request(number, context={"market": where, "device": "tv"})
        kept[where, day] += sampler.decide(one, NOW_US + day * DAY_US) is not None
    expected = 20 * (1 + math.log(4491 / 20))
    assert kept["FO", 0] == 18, "all, where there are fewer"
    assert 20 <= kept["DK", 0] < 1.5 * expected
    assert 20 <= kept["SE", 1] < 1.5 * expected


def test_launches_have_a_floor_each() -> None:
    floor = Floor("launches", 5, items=("i-7", "i-8", "never a candidate"))
    sampler = Sampler(SamplingPlan(floors=(floor,)), NOW_US)
    requests = [request(number) for number in range(2000)]
    kept = {one.request_id for one in requests if sampler.decide(one, NOW_US) is not None}
    assert all(set(one.item_id) & set(floor.items) for one in requests if one.request_id in kept), (
        "nothing else is kept"
    )
    for item in ("i-7", "i-8"):
        having = [one.request_id for one in requests if item in one.item_id]
        smallest = sorted(having, key=lambda one: hash64(one, "sample"))[:5]
        assert kept.issuperset(smallest), "the bottom-k of the whole day are among them"
        assert 5 <= len(kept.intersection(having)) < 60


@pytest.mark.parametrize("items", [np.array(["i-7", "x"]), np.array(["i-7", "x"], object), ["i-7"], ("i-7",)])
def test_items_may_be_an_array(items: list[str]) -> None:
    plan = SamplingPlan(floors=(Floor("launches", 5, items=("i-7",)),))
    assert Sampler(plan, NOW_US).decide(ServedRequest("r", items), NOW_US) is not None


def test_items_may_be_numbers() -> None:
    plan = SamplingPlan(floors=(Floor("launches", 5, items=("7",)),))
    assert Sampler(plan, NOW_US).decide(ServedRequest("r", np.array([6, 7])), NOW_US) is not None
    assert Sampler(plan, NOW_US).decide(ServedRequest("r", np.array([], int)), NOW_US) is None


def test_totals_over_the_logged_rate_are_unbiased() -> None:
    """300 salts: the mean of Σ y / π is Σ y, and the mean of the estimated variance is the variance."""
    values = np.random.default_rng(7).gamma(2, 3, 300)
    plan = SamplingPlan((Rule("base", 0.05),), (Floor("market", 12, by=("market",)),))
    estimates, variances = [], []
    for salt in range(300):
        sampler = Sampler(SamplingPlan(plan.rules, plan.floors, salt=f"s{salt}"), NOW_US)
        found = [sampler.decide(request(number), NOW_US) for number in range(300)]
        rate = np.array([np.nan if one is None else one.sampling_rate for one in found])
        is_kept = ~np.isnan(rate)
        estimates.append(np.sum(values[is_kept] / rate[is_kept]))
        variances.append(np.sum((1 - rate[is_kept]) * (values[is_kept] / rate[is_kept]) ** 2))
    error = np.std(estimates, ddof=1) / math.sqrt(300)
    assert abs(np.mean(estimates) - values.sum()) < 4 * error
    assert 0.75 < np.mean(variances) / np.var(estimates, ddof=1) < 1.35


def test_a_new_plan_goes_on_where_the_old_one_was() -> None:
    plan = SamplingPlan(floors=(Floor("market", 3, by=("market",)),))
    sampler = Sampler(plan, NOW_US)
    for number in range(3000):
        sampler.decide(request(number), NOW_US)
    renewed = sampler.renewed(SamplingPlan((Rule("base", 0.0),), plan.floors), NOW_US)
    assert sum(renewed.decide(request(number), NOW_US) is not None for number in range(3000, 3100)) < 10


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floors_module, "MOST_STRATA", 10)
    sampler = Sampler(SamplingPlan(floors=(Floor("market", 1, by=("market",)),)), NOW_US)

    def n_kept(day: int) -> int:
        one = [request(number, context={"market": f"{day} {number}"}) for number in range(30)]
        return sum(sampler.decide(each, NOW_US + day * DAY_US) is not None for each in one)

    assert [n_kept(0), n_kept(1), n_kept(2)] == [10, 0, 10], "what is older than yesterday is forgotten"
