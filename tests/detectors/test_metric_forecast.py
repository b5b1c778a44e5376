"""What `system.metric_forecast` finds in made-up days, and what it leaves to others."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from metric_days import FIRST, Days

from recsysops.detectors.metric_forecast import MetricForecast
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.statistics.forecasting.prophet_forecast import public_holidays
from recsysops.triage.findings import Finding, Looked, Skipped


def verdicts(days: Days, **params: object) -> list[Finding | Skipped | Looked]:
    return list(MetricForecast(MetricForecast.Params.model_validate(params)).judge(days.history()))


def found(days: Days, **params: object) -> list[Finding]:
    return [one for one in verdicts(days, **params) if isinstance(one, Finding)]


def whole(days: Days, **params: object) -> dict[str, Finding]:
    return {one.statistic: one for one in found(days, **params) if one.slice == EVERYTHING}


def test_healthy_days_give_no_alarm() -> None:
    assert [one.headline for seed in range(6) for one in found(Days(80, seed))] == []


@pytest.mark.parametrize("n_days", [5, 9, 13])
def test_a_small_shift_that_lasts_is_found(n_days: int) -> None:
    days = Days(90, seed=1)
    days.requests[-n_days:] = np.round(days.requests[-n_days:] * 0.93)
    finding = whole(days)["n_requests"]
    assert finding.table == "candidates"
    assert finding.value == pytest.approx(days.requests[-1])
    assert finding.value < (finding.reference_value or 0)
    assert abs(int(finding.headline.split("since about ")[1][8:10]) - (days.days[-n_days]).day) <= 3
    assert {"n_requests", "n_outcomes"} <= set(whole(days))


def test_a_shift_that_is_over_is_no_news() -> None:
    days = Days(90, seed=1)
    days.requests[-9:-1] = np.round(days.requests[-9:-1] * 0.93)
    days.requests[-1] = round(days.requests[-1] * 1.05)
    assert "n_requests" not in whole(days)
    days.requests[-1] = round(days.requests[-1] * 0.93 / 1.05)
    assert "below its course since about" in whole(days)["n_requests"].headline


def test_slices_that_follow_the_whole_say_nothing_new() -> None:
    days = Days(90, seed=1)
    days.requests[-8:] = np.round(days.requests[-8:] * 0.9)
    assert all(one.slice == EVERYTHING for one in found(days) if one.statistic == "n_requests")


def test_one_day_of_any_size_is_left_to_row_volume() -> None:
    for factor in (0.05, 0.5, 3.0):
        days = Days(90, seed=2)
        days.requests[-1] = round(days.requests[-1] * factor)
        assert not {"n_requests", "n_outcomes"} & set(whole(days))


def test_rates_and_ratios_may_jump() -> None:
    days = Days(90, seed=3)
    days.fallback[-1] = 0.03
    assert set(whole(days)) == {"fallback_rate"}
    days = Days(90, seed=3)
    days.outcome_rate[-1] *= 0.7
    assert set(whole(days)) == {"outcomes_per_request"}


def test_known_incidents_are_not_learnt() -> None:
    days = Days(90, seed=4)
    days.requests[40:75] = np.round(days.requests[40:75] * 0.7)  # taken for healthy, it hides what is small
    days.requests[-9:] = np.round(days.requests[-9:] * 0.93)
    assert "n_requests" not in whole(days)
    days.incidents = range(40, 75)
    assert "n_requests" in whole(days)


def test_a_shift_is_still_found_once_its_days_are_known() -> None:
    days = Days(90, seed=1)
    days.requests[-12:] = np.round(days.requests[-12:] * 0.93)
    days.incidents = range(82, 89)
    assert "n_requests" in whole(days)


def test_holes_are_no_zeros() -> None:
    days = Days(90, seed=5)
    days.requests[[30, 31, 62, 85]] = 0
    assert found(days) == []


def test_growth_is_expected() -> None:
    days = Days(110, seed=6, sd=0.01)
    days.requests = np.round(days.requests * np.exp(0.006 * np.arange(110)))
    assert "n_requests" not in whole(days)


def test_the_floor_is_kept() -> None:
    days = Days(90, seed=1)
    days.requests[-12:] = np.round(days.requests[-12:] * 0.93)
    assert whole(days, min_change=0.2) == {}


def test_short_histories_say_what_they_need() -> None:
    (skipped,) = verdicts(Days(28))
    assert isinstance(skipped, Skipped)
    assert skipped.kind == "too_little_data"
    assert "28 days" in skipped.reason
    assert any(isinstance(one, Looked) for one in verdicts(Days(29)))


def test_a_metric_that_is_always_the_same_may_not_change() -> None:
    days = Days(60, seed=7)
    days.fallback[:] = 0.0
    days.score[:] = 0.5
    assert found(days) == []
    days.score[-1] = 0.6
    assert "mean_score" in whole(days)


def test_small_slices_are_left_out() -> None:
    days = Days(60, seed=8, level=300)
    looked = next(one for one in verdicts(days) if isinstance(one, Looked))
    names = {one.slice for one in found(days)}
    assert Slice("market", "DK") not in names
    assert looked.n_series < Days(60).n_days * 8


def test_holidays_neither_alarm_nor_teach() -> None:
    days = Days(98, seed=9)  # 5 January to 12 April 2026: Easter is from 2 to 6 April
    free = [index for index, day in enumerate(days.days) if day in public_holidays("NO", 2026)]
    days.requests[free] = np.round(days.requests[free] * 0.6)
    days.outcome_rate[free] *= 0.6
    days.n_days = 92
    for name in ("requests", "outcome_rate", "fallback", "score"):
        setattr(days, name, getattr(days, name)[:92])
    assert days.days[-1] == FIRST + timedelta(days=91)
    assert days.days[-1] in public_holidays("NO", 2026)
    assert "outcomes_per_request" in whole(days)
    assert found(days, country="NO") == []


def test_an_unknown_country_is_said() -> None:
    (skipped,) = verdicts(Days(60), country="Norway")
    assert isinstance(skipped, Skipped)
    assert "'Norway'" in skipped.reason


def test_the_arithmetic_is_told() -> None:
    days = Days(90, seed=1)
    days.requests[-9:] = np.round(days.requests[-9:] * 0.9)
    terms = {term.name: term.value for term in whole(days)["n_requests"].arithmetic}
    assert terms["EWMA"] < -2
    assert min(terms["p of the EWMA"], terms["p of the CUSUM"]) < 1e-3
