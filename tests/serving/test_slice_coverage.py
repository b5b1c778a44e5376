"""Coverage counts every slice and pair, and says what chance can and cannot do."""

from __future__ import annotations

import numpy as np
import pytest
from served_requests import NOON, request

from recsysops.serving import Rule, SamplingPlan, coverage
from recsysops.serving.estimation import Clusters
from recsysops.serving.sampler import Sampler
from recsysops.serving.slice_coverage import Cell, Coverage

NOW_US = int(NOON.timestamp()) * 1_000_000
MARKET = ["DK", "DK", "SE", "SE", "SE", None]
DEVICE = ["tv", "web", "tv", "tv", "web", "web"]
RATES = np.array([0.5, 0.25, 1.0, 0.5, 0.2, 0.1])


def cell(found: Coverage, *values: str) -> Cell:
    return next(one for one in found.cells if tuple(value for _, value in one.slice) == values)


def test_the_numbers_of_a_cell() -> None:
    found = coverage({"market": MARKET, "device": DEVICE}, RATES, is_logged=[1, 0, 1, 1, 0, 0], n_min=2)
    assert len(found.cells) == 3 + 2 + 5
    swedish = cell(found, "SE")
    assert swedish.slice == (("market", "SE"),)
    assert (swedish.n_requests, swedish.n_logged) == (3, 2)
    assert swedish.expected == pytest.approx(1.7)
    assert swedish.p_empty == 0
    assert swedish.cv == pytest.approx(np.sqrt(1 + 4) / 3)
    assert swedish.n_eff == pytest.approx(9 / 5)
    assert swedish.z == pytest.approx((3 - 3) / np.sqrt(5))
    danish = cell(found, "DK")
    assert danish.p_empty == pytest.approx(0.5 * 0.75)
    assert danish.z == pytest.approx((2 - 2) / 2)
    pair = cell(found, "DK", "web")
    assert pair.slice == (("market", "DK"), ("device", "web"))
    assert (pair.n_logged, pair.n_eff) == (0, 0)
    assert pair.z == pytest.approx(-1 / np.sqrt(3))
    assert cell(found, "", "web").n_requests == 1
    assert cell(found, "SE") in found.short
    assert cell(found, "SE", "tv") in found.short
    assert cell(found, "DK", "tv") in found.short


def test_a_cell_that_is_logged_whole_is_not_short() -> None:
    found = coverage({"market": ["FO"] * 3 + ["DK"] * 600}, [1.0] * 3 + [0.5] * 600)
    assert found.short == ()
    assert cell(found, "DK").n_logged is None
    assert cell(found, "DK").z is None


def test_an_earlier_sample_stands_for_all_requests() -> None:
    by_weight = coverage({"market": ["DK", "SE"]}, [0.1, 0.02], weights=[50.0, 10.0])
    in_full = coverage({"market": ["DK"] * 50 + ["SE"] * 10}, [0.1] * 50 + [0.02] * 10)
    for one, other in zip(by_weight.cells, in_full.cells, strict=True):
        assert (one.slice, one.n_requests) == (other.slice, other.n_requests)
        np.testing.assert_allclose([one.expected, one.p_empty, one.cv], [other.expected, other.p_empty, other.cv])


def test_what_is_never_logged() -> None:
    found = coverage({"market": ["DK", "DK"]}, [0.0, 0.5], is_logged=[False, True])
    assert np.isinf(found.cells[0].cv)
    assert found.cells[0].z is None
    assert found.cells[0].p_empty == 0.5


def test_a_sound_sampler_is_not_called_broken_and_a_lossy_log_is() -> None:
    """With slice rates and members' days; z has its nominal spread over 200 salts."""
    n = 1200
    day = np.arange(n) // 5
    plan = SamplingPlan((Rule("base", 0.1), Rule("denmark", 0.3, when={"market": ["DK"]})), member_day_rate=0.1)
    requests = [request(number) for number in range(n)]
    dimensions = {"market": [one.context["market"] for one in requests]}
    own = np.where(np.arange(n) % 3 == 0, 0.3, 0.1)
    rates = 1 - (1 - own) * 0.9
    scores, naive = [], []
    for salt in range(200):
        sampler = Sampler(SamplingPlan(plan.rules, member_day_rate=0.1, salt=f"salt {salt}"), NOW_US)
        kept = [sampler.decide(one, NOW_US, f"m-{day[number]}") is not None for number, one in enumerate(requests)]
        found = coverage(dimensions, rates, is_logged=kept, clusters=Clusters(day, 0.1))
        assert found.broken == ()
        scores += [one.z for one in found.cells if one.z is not None]
        naive += [one.z for one in coverage(dimensions, rates, is_logged=kept).cells if one.z is not None]
    assert np.std(scores) == pytest.approx(1, abs=0.1)
    assert np.std(naive) > np.std(scores)
    lossy = np.array(kept) & ~((np.arange(n) % 3 == 1) & (np.arange(n) > 100))
    assert [one.slice for one in coverage(dimensions, rates, is_logged=lossy, clusters=Clusters(day, 0.1)).broken] == [
        (("market", "SE"),)
    ]
    everything = coverage(dimensions, np.ones(n), is_logged=np.arange(n) > 0)
    assert [one.z for one in everything.broken] == [-np.inf]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"rates": [0.5]}, "market: found 2 values"),
        ({"rates": [0.5, 1.5]}, "rates: found 1.5"),
        ({"is_logged": [True]}, "is_logged"),
        ({"is_logged": [True, True], "weights": 2.0}, "is_logged"),
    ],
)
def test_refuses(changed: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        coverage(**({"dimensions": {"market": ["DK", "SE"]}, "rates": [0.5, 0.5]} | changed))  # type: ignore[arg-type]
