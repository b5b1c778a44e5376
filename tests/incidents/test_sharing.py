"""Days and hours of one log share the alarm budget, and a tier that rests leaves its half to the other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from recsysops.config.settings import BudgetSettings
from recsysops.incidents.judged_day import JudgedDay
from recsysops.incidents.ledgers import DAYS, HOURS
from recsysops.incidents.location import StateLocation
from recsysops.incidents.sharing import SHARING_DAYS, share_beside
from recsysops.incidents.state import State
from recsysops.triage.budget import part_of
from recsysops.triage.limits import day_limits

DAY = date(2026, 11, 20)
BUDGET = BudgetSettings(page_per_30_days=1, digest_per_week=2)


@pytest.fixture
def state(place: StateLocation) -> Iterator[State]:
    with State(place) as opened:
        yield opened


def judge(state: State, day: date, hour: int | None = None) -> None:
    state.write_day(state.begin_run("detect"), JudgedDay(day, "d1", "data", (), (), hour))


def test_one_tier_alone_has_all_of_it(state: State) -> None:
    judge(state, DAY - timedelta(1))
    assert share_beside(HOURS, state, DAY) == 1.0
    judge(state, DAY + timedelta(1), 0)  # of a later day: nothing that this day was judged beside
    assert share_beside(HOURS, state, DAY) == 1.0


@pytest.mark.parametrize(("ago", "share"), [(0, 0.5), (SHARING_DAYS - 1, 0.5), (SHARING_DAYS, 1.0)])
def test_both_tiers_have_half_of_it_each_for_a_week(state: State, ago: int, share: float) -> None:
    judge(state, DAY - timedelta(ago), 23)
    assert share_beside(HOURS, state, DAY) == share
    judge(state, DAY - timedelta(ago))
    assert share_beside(DAYS, state, DAY) == share


def test_the_first_days_of_the_calendar(state: State) -> None:
    assert share_beside(HOURS, state, date.min) == 1.0


def test_expected_false_findings_of_both_tiers_keep_to_the_budget(state: State) -> None:
    """Every series of a day, and of each of its hours, alerts with a chance of its limit at most."""
    for hour in range(24):
        judge(state, DAY, hour)
    judge(state, DAY)
    of_day = part_of(BUDGET, share_beside(HOURS, state, DAY))
    of_hour = part_of(BUDGET, share_beside(DAYS, state, DAY) / 24)
    n_day, n_hour = (5_000, 120), (900, 40)
    expected = {"digest": 0.0, "page": 0.0}
    for budget, (n_series, n_whole), times in ((of_day, n_day, 1), (of_hour, n_hour, 24)):
        limits = day_limits(budget, n_series, n_whole)
        for name in expected:
            whole, parts = (getattr(one, name) for one in (limits.whole, limits.parts))
            expected[name] += times * (n_whole * whole + (n_series - n_whole) * parts)
    assert expected["digest"] == pytest.approx(2 / 7)
    assert expected["page"] == pytest.approx(1 / 30)
