"""Which requests are kept: nested in the rate, the greatest of all rules, whole members' days, as SQL finds them again."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, timedelta
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from served_requests import NOON, request

from recsysops.serving import Rule, SamplingPlan, ServedRequest
from recsysops.serving.hashing import WHOLE, hash64, threshold
from recsysops.serving.sampler import EPOCH, Decision, Sampler

NOW_US = int(NOON.timestamp()) * 1_000_000
MARKETS = st.sampled_from(["DK", "SE", "NO"])
SLICE_RULES = st.lists(
    st.builds(
        lambda number, rate, thin, markets: Rule(f"r{number}", rate, thin, {"market": markets} if markets else {}),
        st.integers(0, 10**6),
        st.floats(0, 1),
        st.floats(0, 1),
        st.lists(MARKETS, max_size=2),
    ),
    max_size=5,
    unique_by=lambda rule: rule.name,
)


def decide(plan: SamplingPlan, one: ServedRequest, member: str | None = None, **more: Any) -> Decision | None:
    return Sampler(plan, NOW_US).decide(one, NOW_US, member, **more)


def market(one: ServedRequest) -> str | None:
    return one.context["market"]


@settings(deadline=None, derandomize=True)
@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_what_a_lower_rate_keeps_a_higher_one_keeps(request_id: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    kept = [hash64(request_id, "sample") < threshold(rate) for rate in (low, high)]
    assert kept[0] <= kept[1]
    assert threshold(low) <= threshold(high)
    assert threshold(0.0) == 0
    assert threshold(1.0) == WHOLE


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_threshold_needs_a_rate(rate: float) -> None:
    with pytest.raises(ValueError, match="expected a number in"):
        threshold(rate)


@settings(deadline=None, derandomize=True)
@given(SLICE_RULES, st.integers(0, 10**9))
def test_the_greatest_rate_that_fits_is_granted(rules: list[Rule], number: int) -> None:
    one = request(number)
    fitting = [rule for rule in rules if not rule.when or market(one) in rule.when["market"]]
    rate = max((rule.rate for rule in fitting), default=0.0)
    thin_rate = max([rate, *(rule.thin_rate for rule in fitting)])
    hashed = hash64(one.request_id, "sample")
    found = decide(SamplingPlan(tuple(rules)), one)
    assert (found is not None) == (hashed < threshold(thin_rate))
    if found is not None:
        assert found.is_full == (hashed < threshold(rate))
        assert found.sampling_rate == threshold(rate) / WHOLE
        assert found.thin_rate == threshold(thin_rate) / WHOLE
        assert found.is_thin == any(rule.thin_rate for rule in rules)


@settings(deadline=None, derandomize=True)
@given(SLICE_RULES, st.floats(0, 1), st.integers(0, 10**9))
def test_a_boost_only_adds(rules: list[Rule], rate: float, number: int) -> None:
    plan = SamplingPlan(tuple(rules))
    boosted = plan.boosted(Rule("boost", rate, when={"market": ["DK"]}, expires_at=NOON + timedelta(hours=1)))
    before, after = decide(plan, request(number)), decide(boosted, request(number))
    if before is not None:
        assert after is not None
        assert after.sampling_rate >= before.sampling_rate
    later = Sampler(boosted, NOW_US + 3_600_000_000)
    assert later.decide(request(number), NOW_US) == before


def test_a_boost_ends_by_the_given_clock_to_the_microsecond() -> None:
    plan = SamplingPlan().boosted(Rule("boost", 1.0, expires_at=NOON))
    assert Sampler(plan, NOW_US - 1).decide(request(1), NOW_US) is not None
    assert Sampler(plan, NOW_US - 1).valid_until_us == NOW_US
    assert Sampler(plan, NOW_US).decide(request(1), NOW_US) is None
    assert Sampler(plan, NOW_US).valid_until_us is None


@pytest.mark.parametrize(
    "marked",
    [
        {"error": "timeout"},
        {"fallback": True},
        {"overridden": True},
        {"randomised": True},
        {"score": np.array([1, np.nan, 0], np.float32)},
        {"score": [1.0, None, 0.0]},
        {"score": np.array([1, np.inf, 0])},
    ],
    ids=str,
)
def test_marked_requests_are_always_kept(marked: dict[str, Any]) -> None:
    for number in range(20):
        assert decide(SamplingPlan(), request(number, **marked)) == Decision(True, False, 1.0, 1.0, False, "sample")
        assert decide(SamplingPlan(always=()), request(number, **marked)) is None
        assert decide(SamplingPlan(), request(number)) is None


@pytest.mark.parametrize(
    ("played", "given", "is_low"),
    [
        ("i-2", {"final_rank": [1, 2, 3]}, True),
        ("i-1", {"final_rank": [1, 2, 3]}, False),
        ("i-2", {"final_rank": None, "position": [1, 2, 0]}, True),
        ("i-2", {"final_rank": None, "position": [1, 2, None]}, True),
        ("i-2", {"final_rank": None, "position": np.array([1, 2, np.nan])}, True),
        ("i-1", {"final_rank": None, "position": None}, False),
        ("unheard of", {}, True),
    ],
)
def test_a_play_of_a_low_ranked_item_promotes(played: str, given: dict[str, Any], is_low: bool) -> None:
    plan = SamplingPlan(low_rank=2)
    found = decide(plan, request(0, **given), played=["i-0", played])
    assert (found is not None) == is_low
    assert found is None or found.is_promoted


def test_dimensions_of_the_request_itself() -> None:
    plan = SamplingPlan((Rule("canary", 1.0, when={"model_id": ["m-2"], "market": ["SE"]}),))
    kept = [
        (number, model)
        for number in range(3)
        for model in ("m-1", "m-2")
        if decide(plan, request(number, model_id=model))
    ]
    assert kept == [(1, "m-2")]


def test_logged_rates_are_frequencies() -> None:
    plan = SamplingPlan(
        (
            Rule("base", 0.1, 0.3),
            Rule("denmark", 0.35, when={"market": ["DK"]}),
            Rule("phones", 0.2, 0.6, when={"device": ["phone"]}),
        ),
        member_day_rate=0.15,
    )
    sampler = Sampler(plan, NOW_US)
    n_all, n_full, n_thin = Counter[str](), Counter[str](), Counter[str]()
    rates = {}
    for number in range(30_000):
        where = ("DK", "SE")[number % 2]
        one = request(number, context={"market": where, "device": "tv"})
        found = sampler.decide(one, NOW_US, f"m-{number}")
        n_all[where] += 1
        if found is not None:
            n_full[where] += found.is_full
            n_thin[where] += 1
            rates[where] = found.sampling_rate, found.thin_rate
    for where, n in n_all.items():
        for n_kept, rate in zip((n_full[where], n_thin[where]), rates[where], strict=True):
            assert abs(n_kept - n * rate) < 4 * (n * rate * (1 - rate)) ** 0.5
    assert rates["SE"] == pytest.approx((1 - 0.9 * 0.85, 1 - 0.7 * 0.85))


def test_a_picked_members_day_is_whole() -> None:
    sampler = Sampler(SamplingPlan(member_day_rate=0.2), NOW_US)
    kept: dict[tuple[str, int], set[bool]] = {}
    for number in range(4000):
        member, day = f"m-{number % 200}", number % 3
        found = sampler.decide(request(number), NOW_US + day * 86_400_000_000, member)
        kept.setdefault((member, day), set()).add(found is not None)
    assert all(len(one) == 1 for one in kept.values())
    picked = [{member for (member, on), one in kept.items() if on == day and True in one} for day in range(3)]
    assert all(20 < len(members) < 60 for members in picked)
    assert picked[0] != picked[1], "other members on another day"
    assert decide(SamplingPlan(member_day_rate=1.0), request(1)) is None, "without a member there is no member's day"


def test_sql_finds_the_same_requests() -> None:
    plan = SamplingPlan((Rule("base", 0.3),), member_day_rate=0.1, salt="é sample")
    sampler = Sampler(plan, NOW_US)
    when = [NOON + timedelta(hours=7 * number) for number in range(500)]
    ids, members = [f"r-{number} møte" for number in range(500)], [f"m-{number % 40}" for number in range(500)]
    kept = [
        sampler.decide(ServedRequest(one, ["i"]), (ts - EPOCH) // timedelta(microseconds=1), member) is not None
        for one, ts, member in zip(ids, when, members, strict=True)
    ]
    days = [f"{ts.astimezone(UTC):%Y-%m-%d}" for ts in when]
    query = """
        SELECT md5_number_lower($salt || id) < $rate OR md5_number_lower($salt || '/member-day/' || member || '|' || day) < $day_rate
        FROM (SELECT unnest($ids) AS id, unnest($members) AS member, unnest($days) AS day)
    """
    bound = {
        "salt": plan.salt,
        "ids": ids,
        "members": members,
        "days": days,
        "rate": threshold(0.3),
        "day_rate": threshold(0.1),
    }
    assert [row[0] for row in duckdb.execute(query, bound).fetchall()] == kept
    assert 100 < sum(kept) < 250
