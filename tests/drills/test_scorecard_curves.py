"""Shares, curves and clean alarms: against an oracle, and by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from recsysops.drills.fault import FaultMeta, Truth
from recsysops.drills.scorecard.clean_alarms import of_baselines, of_detectors
from recsysops.drills.scorecard.clean_run import CleanAlarm, CleanDay, CleanRun, read_clean_run, write_clean_run
from recsysops.drills.scorecard.curves import curve_point, fault_curve
from recsysops.drills.scorecard.daily_statistics import ColumnDay, DayStatistics
from recsysops.drills.scorecard.results import Found, TrialResult
from recsysops.drills.scorecard.shares import mean_count, rate_per_30_days, share
from recsysops.drills.scorecard.stored_statistics import LogStatistics
from recsysops.drills.scorecard.stored_trials import read_trial, write_trial
from recsysops.errors import StateError

DAY = date(2026, 10, 5)
META = FaultMeta("moths", "feature", "input", "a feature", "share of rows", 0.1, "NULLs", "camphor")
TRUTH = Truth(("candidates.age",), ("candidates.age",), {"market": "NO"}, ("7",), ("schema",))
TRIAL = TrialResult("moths", 1.0, 0.1, 0, DAY, TRUTH, Found(False), False, False, None, "")


def found(
    delay: int, n_alarms: int = 1, n_right: int = 1, overlap: float | None = 1.0, **others: object
) -> TrialResult:
    values = {"found": Found(True, delay, n_alarms, n_right), "scope_overlap": overlap, **others}
    return replace(TRIAL, **values)  # type: ignore[arg-type]


@settings(deadline=None, derandomize=True)
@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_intervals_of_shares_agree_with_statsmodels(counts: tuple[int, int]) -> None:
    k, n = counts
    low, high = proportion_confint(k, n, method="jeffreys")
    ours = share(k, n)
    assert ours.low == (0 if k == 0 else pytest.approx(low, abs=1e-9))
    assert ours.high == (1 if k == n else pytest.approx(high, abs=1e-9))
    assert ours.low <= ours.value <= ours.high


def test_a_share_of_nothing_is_refused() -> None:
    for n_successes, n in ((0, 0), (2, 1), (-1, 3)):
        with pytest.raises(ValueError, match="share"):
            share(n_successes, n)


def test_rates_are_per_thirty_days() -> None:
    assert rate_per_30_days(6, 180).value == pytest.approx(1.0)
    none = rate_per_30_days(0, 180)
    assert (none.value, none.low) == (0, 0)
    assert none.high == pytest.approx(-math.log(0.025) / 6, rel=1e-6)
    assert rate_per_30_days(0, 0).high == 30


def test_a_point_counts_over_its_trials() -> None:
    trials = [
        found(1, 4, 1, 0.5, is_top1=True, is_top3=True, baselines={"psi": Found(True, 1, 1, 1)}),
        found(3, 1, 1, None, is_top3=True, baselines={"psi": Found(False)}),
        replace(TRIAL, found=Found(False, None, 5, 0), baselines={"psi": Found(False)}),
    ]
    point = curve_point(2.0, trials)
    assert point.detected == share(2, 3)
    assert point.delay_runs == 2
    assert point.precision == pytest.approx(0.2)
    assert point.top1_rate == pytest.approx(1 / 3)
    assert point.top3_rate == pytest.approx(2 / 3)
    assert point.scope_overlap == 0.5
    assert point.baselines == {"psi": pytest.approx(1 / 3)}


def test_a_point_without_any_alarm_has_no_precision_and_no_delay() -> None:
    point = curve_point(2.0, [TRIAL])
    assert (point.precision, point.delay_runs, point.scope_overlap) == (None, None, None)


def test_a_curve_leaves_out_what_could_not_be_planted() -> None:
    trials = [
        replace(found(1), multiple=1.0, severity=0.2, visible=0.2),
        replace(TRIAL, multiple=1.0, severity=0.4, visible=0.4, seed=1),
        replace(TRIAL, cannot="no room", seed=2),
        replace(TRIAL, multiple=4.0, severity=0.8, visible=0.2),
    ]
    curve = fault_curve(META, trials, (4.0, 1.0, 8.0))
    assert [(point.multiple, point.n) for point in curve.points] == [(1.0, 2), (4.0, 1)]
    assert curve.points[0].severity == pytest.approx(0.3)
    assert curve.visible == curve.unit == pytest.approx(0.8 / 3)


def test_a_curve_of_nothing_says_why() -> None:
    assert fault_curve(META, [replace(TRIAL, cannot="no room")], (1.0,)).cannot == "no room"
    assert fault_curve(META, [], (1.0,)).cannot == "no trial was finished"


def test_what_is_there_or_not_stands_at_every_multiple() -> None:
    curve = fault_curve(replace(META, is_graded=False), [found(1)], (0.5, 8.0))
    assert [(point.multiple, point.n) for point in curve.points] == [(0.5, 1), (8.0, 1)]
    assert curve.unit == META.target


def clean_day(number: int, *alarms: CleanAlarm, benign: tuple[str, ...] = ()) -> CleanDay:
    return CleanDay(DAY + timedelta(number), frozenset({number}), frozenset({f"f-{number}"}), alarms, benign)


def clean_run(seed: int = 0) -> CleanRun:
    days = (
        clean_day(0, CleanAlarm(DAY, "in the burn-in", True)),
        clean_day(1, CleanAlarm(DAY + timedelta(1), "age is NULL", False), benign=("A holiday.",)),
        clean_day(2),
        clean_day(3, CleanAlarm(DAY + timedelta(3), "age is NULL", True, False)),
    )
    return CleanRun(seed, "code", days, (DAY + timedelta(2),), 1.5)


def test_clean_alarms_begin_after_the_burn_in() -> None:
    alarms = of_detectors([clean_run(0), clean_run(1)])
    assert (alarms.n_days, alarms.n_alarms, alarms.n_pages) == (6, 2, 2)
    assert alarms.per_30_days.value == pytest.approx(10)
    assert alarms.told == (
        "2026-10-06 alarm: age is NULL · meanwhile: A holiday. (seed 0)",
        "2026-10-08 page (grown worse): age is NULL (seed 0)",
        "2026-10-06 alarm: age is NULL · meanwhile: A holiday. (seed 1)",
        "2026-10-08 page (grown worse): age is NULL (seed 1)",
    )


def test_a_baseline_has_the_days_that_it_could_judge_and_one_alarm_a_day() -> None:
    first = DAY - timedelta(14)
    days = [
        DayStatistics(
            first + timedelta(n), 100, {name: ColumnDay(0.0, 1.0 + 0.01 * (n % 3), (50, 50, 0)) for name in "ab"}
        )
        for n in range(18)
    ]
    days[16] = replace(days[16], columns={name: ColumnDay(0.5, 9.0, (50, 0, 50)) for name in "ab"})
    alarms = of_baselines([clean_run()], [LogStatistics({}, tuple(days))])
    assert alarms["three_sigma"].n_days == 3
    assert alarms["three_sigma"].told == ("2026-10-07 candidates.a, candidates.b (seed 0)",)
    assert (alarms["static_psi"].n_days, alarms["largest_change"].n_days) == (0, 0)


def test_the_twin_is_what_was_told_from_the_onset_on() -> None:
    twin = clean_run().twin(DAY + timedelta(2), 5)
    assert twin.open_incidents == {2}
    assert twin.finding_ids == {DAY + timedelta(n): {f"f-{n}"} for n in (2, 3)}
    with pytest.raises(StateError, match="not judged"):
        clean_run().twin(DAY + timedelta(9), 1)


def test_clean_runs_and_trials_come_back_from_their_files(tmp_path: Path) -> None:
    run, path = clean_run(), tmp_path / "x.json"
    write_clean_run(run, path)
    assert read_clean_run(path) == run
    trial = found(2, overlap=None, baselines={"psi": Found(True, 1, 2, 1)}, cannot="", visible=0.25, seconds=1.5)
    write_trial(trial, path)
    assert read_trial(path) == trial
    for torn in ("", "{}", "[]", path.read_text(encoding="utf-8")[:-20]):
        path.write_text(torn, encoding="utf-8")
        assert read_trial(path) is None
        assert read_clean_run(path) is None
    assert read_trial(tmp_path / "nothing.json") is None


def test_the_mean_of_counts_has_students_interval() -> None:
    counts = [1, 1, 2, 1, 3, 1]
    found = mean_count(counts)
    assert found is not None
    oracle = stats.ttest_1samp(counts, 0.0).confidence_interval(0.95)
    assert (found.value, found.high) == pytest.approx((np.mean(counts), oracle.high))
    assert found.low == 1.0 > oracle.low  # no trial opened fewer
    assert mean_count([]) is None
    alike = mean_count([1, 1, 1])
    assert alike is not None
    assert (alike.low, alike.high) == (1, 1)
