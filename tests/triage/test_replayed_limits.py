"""Limits learnt from a workspace's own past."""

from __future__ import annotations

from datetime import date, timedelta

from recsysops.config.settings import BudgetSettings
from recsysops.triage.replayed_limits import Family, PastFinding, replayed_limits

DAYS = [date(2026, 9, 1) + timedelta(days=number) for number in range(40)]
NOISY: Family = ("input.distribution_shift", "candidates", False)
BUDGET = BudgetSettings(digest_per_week=2)


def past(days: list[int], p: float, entity: str = "column", *, is_real: bool = False) -> list[PastFinding]:
    return [PastFinding(DAYS[day], NOISY, f"{entity} {day}", p, is_real) for day in days]


def limit(found: list[PastFinding]) -> float:
    return replayed_limits(found, DAYS, BUDGET, 40).score(NOISY)


def test_a_family_that_was_loud_ten_times_has_to_be_louder() -> None:
    assert limit(past(list(range(0, 30, 3)), 1e-9)) > 12


def test_a_quiet_family_needs_nothing() -> None:
    assert limit([]) == 0.0
    assert limit(past([3, 17], 1e-3)) == 0.0


def test_what_people_called_real_does_not_count() -> None:
    assert limit(past(list(range(0, 30, 3)), 1e-9, is_real=True)) == 0.0


def test_what_still_goes_on_does_not_hush_itself() -> None:
    ongoing = [PastFinding(DAYS[day], NOISY, "the same", 1e-30) for day in range(30, 40)]
    assert limit(ongoing) == 0.0


def test_days_in_a_row_are_one_episode() -> None:
    run = [PastFinding(DAYS[day], NOISY, "the same", 1e-8) for day in range(5, 25)]
    apart = past(list(range(5, 25)), 1e-8)
    assert limit(run) < limit(apart)


def test_more_families_share_the_budget() -> None:
    found = past([2, 9, 16], 1e-7)
    few, many = (replayed_limits(found, DAYS, BUDGET, n).score(NOISY) for n in (4, 80))
    assert few < many
