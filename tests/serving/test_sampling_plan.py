"""Plans: values that are checked when they are made, the same after a trip through JSON, and strict about it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsysops.serving import Floor, Rule, SamplingPlan, plan_text, read_plan
from recsysops.serving.plan import MARKS

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
NAMES = st.text(min_size=1, max_size=8)
RATES = st.floats(0, 1)
TIMES = st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
SLICES = st.dictionaries(NAMES, st.lists(st.text(max_size=5), min_size=1, max_size=3), max_size=3)
RULES = st.builds(Rule, NAMES, RATES, RATES, SLICES, TIMES, st.text(max_size=9))
TEXTS = st.lists(NAMES, min_size=1, max_size=3)
FLOORS = st.builds(Floor, NAMES, st.integers(1, 10_000), TEXTS, TEXTS, TIMES, st.text(max_size=9))
PLANS = st.builds(
    SamplingPlan,
    st.lists(RULES, max_size=4, unique_by=lambda rule: rule.name),
    st.lists(FLOORS, max_size=3, unique_by=lambda floor: floor.name),
    st.lists(st.sampled_from(MARKS), unique=True),
    RATES,
    st.integers(1, 1000),
    NAMES,
)


@settings(deadline=None, derandomize=True)
@given(PLANS)
def test_json_and_back(plan: SamplingPlan) -> None:
    assert read_plan(plan_text(plan)) == plan
    assert read_plan(plan_text(plan).encode()) == plan


BAD_PLANS: dict[str, Any] = {
    "no JSON": "{",
    "JSON document": "[1",
    "twice": '{"version": 1, "version": 1}',
    "number NaN": '{"version": 1, "member_day_rate": NaN}',
    "too deep": "[" * 100_000,
    "an object": [],
    "version: found None": {},
    "version: found True": {"version": True},
    "version: found 2": {"version": 2},
    "found 'rule'": {"version": 1, "rule": []},
    "rules: found {}": {"version": 1, "rules": {}},
    r"rules\[0\]: found 7": {"version": 1, "rules": [7]},
    "at least a name and a rate": {"version": 1, "rules": [{"name": "a"}]},
    "rate: found 1.5": {"version": 1, "rules": [{"name": "a", "rate": 1.5}]},
    "rate: found True": {"version": 1, "rules": [{"name": "a", "rate": True}]},
    "rate: found '0.5'": {"version": 1, "rules": [{"name": "a", "rate": "0.5"}]},
    "thin_rate: found -1": {"version": 1, "rules": [{"name": "a", "rate": 0, "thin_rate": -1}]},
    "when: found 'DK'": {"version": 1, "rules": [{"name": "a", "rate": 0, "when": "DK"}]},
    "when.market: found 'DK'": {"version": 1, "rules": [{"name": "a", "rate": 0, "when": {"market": "DK"}}]},
    "when.market: found .1.": {"version": 1, "rules": [{"name": "a", "rate": 0, "when": {"market": [1]}}]},
    "when: found 0 slices": {"version": 1, "rules": [{"name": "a", "rate": 0, "when": {"market": []}}]},
    "split the rule": {
        "version": 1,
        "rules": [{"name": "a", "rate": 0, "when": {d: [str(n) for n in range(101)] for d in "ab"}}],
    },
    "time with its zone": {"version": 1, "rules": [{"name": "a", "rate": 0, "expires_at": "2026-11-22T08:00:00"}]},
    "expires_at: found 'soon'": {"version": 1, "rules": [{"name": "a", "rate": 0, "expires_at": "soon"}]},
    "expires_at: found 5": {"version": 1, "rules": [{"name": "a", "rate": 0, "expires_at": 5}]},
    "why: found 5": {"version": 1, "rules": [{"name": "a", "rate": 0, "why": 5}]},
    "name ''": {"version": 1, "rules": [{"name": "", "rate": 0}]},
    "two rules named 'a'": {"version": 1, "rules": [{"name": "a", "rate": 0}, {"name": "a", "rate": 1}]},
    "n_requests: found 0": {"version": 1, "floors": [{"name": "a", "n_requests": 0, "by": ["market"]}]},
    "n_requests: found 10001": {"version": 1, "floors": [{"name": "a", "n_requests": 10001, "by": ["market"]}]},
    "neither by nor items": {"version": 1, "floors": [{"name": "a", "n_requests": 1}]},
    "by: found 'market'": {"version": 1, "floors": [{"name": "a", "n_requests": 1, "by": "market"}]},
    "always: found .'errors'": {"version": 1, "always": ["errors"]},
    "always: found ..1": {"version": 1, "always": [[1]]},
    "salt: found ''": {"version": 1, "salt": ""},
    "salt: found 5": {"version": 1, "salt": 5},
    "low_rank: found 0": {"version": 1, "low_rank": 0},
    "member_day_rate: found 2": {"version": 1, "member_day_rate": 2},
}


@pytest.mark.parametrize("message", BAD_PLANS)
def test_refuses(message: str) -> None:
    document = BAD_PLANS[message]
    with pytest.raises(ValueError, match=message):
        read_plan(document if isinstance(document, str) else json.dumps(document))


def test_refuses_what_is_no_text() -> None:
    with pytest.raises(ValueError, match="no JSON document"):
        read_plan(b"\xff\xfe{}")
    with pytest.raises(ValueError, match="at most"):
        read_plan(" " * 5_000_000)


def test_a_boost_ends() -> None:
    plan = SamplingPlan((Rule("base", 0.01),))
    with pytest.raises(ValueError, match="a time at which the boost ends"):
        plan.boosted(Rule("boost", 0.5))
    boosted = plan.boosted(Rule("boost", 0.5, expires_at=NOW + timedelta(hours=1)))
    again = boosted.boosted(Rule("boost", 0.9, expires_at=NOW + timedelta(hours=2)))
    assert [rule.rate for rule in again.rules] == [0.01, 0.9]
    assert boosted.next_expiry == NOW + timedelta(hours=1)
    assert boosted.live(NOW) == boosted
    assert boosted.live(NOW + timedelta(hours=1)) == plan
    assert plan.next_expiry is None
