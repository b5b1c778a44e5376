"""`system.sample_health` and `system.experiment_balance` beyond their cases: hash buckets, recorded changes, no members."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import pytest

from recsysops import registry
from recsysops.profiles.history import Change
from recsysops.tables.schema import Schema
from recsysops.testing.brute_force import Windows
from recsysops.testing.example_log import ExampleLog, example_log, findings
from recsysops.testing.example_slates import example_slates
from recsysops.triage.detector import Detector
from recsysops.triage.findings import Finding, Skipped


def made(name: str, **params: object) -> Detector:
    cls = registry.plugin("detectors", name).load()
    detector: Detector = cls(cls.Params(**params))
    return detector


SAMPLE, ARMS = made("system.sample_health"), made("system.experiment_balance")


@lru_cache(maxsize=1)
def slates() -> ExampleLog:
    return example_slates(n_days=6, requests_per_day=500, candidates=5)


def changed(log: ExampleLog, *changes: Change) -> list[Finding | Skipped]:
    history = log.history(ARMS)
    context = replace(history.context, changes=changes)
    said = ARMS.judge(replace(history, context=context))
    return [one for one in said if isinstance(one, (Finding, Skipped))]


def without_members(log: ExampleLog) -> ExampleLog:
    tables = dict(log.schema.tables)
    candidates = tables["candidates"]
    tables["candidates"] = replace(
        candidates, columns=tuple(one for one in candidates.columns if one.role != "member_id")
    )
    return replace(log, schema=Schema(tables))


def some_members_leave() -> ExampleLog:
    return slates().drop("candidates", where="experiment_arm == 'b' and member_id.str.match('.*[01356]$')")


def test_lost_buckets_are_found() -> None:
    log = example_log(n_days=4, requests_per_day=1_500, slate=2)
    windows = Windows(log.tables["candidates"], log.schema.tables["candidates"], log.days[:-1], log.days[-1:])
    lost = (windows.bucket < 3) & windows.within(log.days[-1:])
    thinned = replace(log, tables={**log.tables, "candidates": log.tables["candidates"][~lost].reset_index(drop=True)})
    (finding,) = findings(SAMPLE, thinned)
    assert finding.statistic == "bucket_imbalance"
    assert finding.value == pytest.approx((3 / 29) ** 0.5, abs=0.05)
    always = windows.bucket < 3
    ever = replace(log, tables={**log.tables, "candidates": log.tables["candidates"][~always].reset_index(drop=True)})
    assert findings(SAMPLE, ever) == []
    first_day = replace(ever, days=ever.days[-1:])
    assert [one.statistic for one in findings(SAMPLE, first_day)] == ["bucket_imbalance"]


def test_a_rate_that_the_rows_follow_is_told_once() -> None:
    halved = slates().drop("candidates", where="request_id.str.match('.*[02468]$')")
    found = findings(SAMPLE, halved.scale("candidates", "sampling_rate", by=0.5))
    assert [one.statistic for one in found] == ["sampling_rate"]


def test_fewer_rows_at_the_same_rate_are_a_matter_of_volume() -> None:
    assert findings(SAMPLE, slates().drop("candidates", where="request_id.str.match('.*[02468]$')")) == []


def test_a_lost_share_of_an_arm_is_found_by_members_and_by_rows() -> None:
    for log, unit in ((some_members_leave(), "members"), (without_members(some_members_leave()), "rows")):
        found = findings(ARMS, log)
        assert {one.statistic for one in found} == {"arm_share"}
        assert all(f"of {unit}" in one.headline for one in found)
        assert all(one.stage == "experiment" for one in found)


def test_a_recorded_experiment_starts_the_comparison_anew() -> None:
    log = some_members_leave()
    noon = datetime.combine(log.days[-1], datetime.min.time(), UTC) + timedelta(hours=12)
    (skipped,) = changed(log, Change(noon, "experiment", "arms"))
    assert isinstance(skipped, Skipped)
    assert skipped.kind == "too_little_data"
    assert str(log.days[-1]) in skipped.reason
    kept = changed(log, Change(noon - timedelta(days=3), "experiment", "arms"))
    assert [type(one) for one in kept] == [Finding]
    assert [type(one) for one in changed(log, Change(noon, "deploy", "ranker"))] == [Finding]


def test_a_change_late_in_the_day_explains_no_more_than_the_requests_after_it() -> None:
    log = slates().drop("candidates", where="experiment_arm == 'b' and member_id.str.match('.*[1357]$')")
    midnight = datetime.combine(log.days[-1], datetime.min.time(), UTC)
    last, first = (Change(midnight + timedelta(hours=hour), "experiment", "arms") for hour in (23, 0))
    (told,) = changed(log, last)
    assert isinstance(told, Finding)
    assert told.statistic == "arm_share"
    candidates = log.tables["candidates"]
    of_day = candidates[candidates["ts"].dt.date == log.days[-1]]
    late = of_day[of_day["ts"].dt.hour >= 23]["request_id"].nunique()
    n_members = len(of_day.drop_duplicates(["member_id", "experiment_arm"]))
    (movable,) = (term.value for term in told.arithmetic if term.name == "movable")
    assert movable == pytest.approx(late / n_members)
    (skipped,) = changed(log, first, last)
    assert isinstance(skipped, Skipped)
    assert "before most requests" in skipped.reason
    named = Change(midnight, "config", "experiment_arm")
    assert [type(one) for one in changed(log, named)] == [Skipped]
    assert changed(slates(), last) == []


def test_shares_that_cannot_be_are_said() -> None:
    for shares in ({"a": 0.5}, {"a": 0.5, "z": 0.5}, {"a": 1.5, "b": -0.5}):
        detector = made("system.experiment_balance", shares=shares)
        said = [one for one in detector.judge(slates().history(detector)) if isinstance(one, Skipped)]
        assert any("parameter shares" in one.reason for one in said)


def test_declared_shares_need_no_history() -> None:
    detector = made("system.experiment_balance", shares={"a": 0.7, "b": 0.3})
    first_day = replace(slates(), days=slates().days[-1:])
    assert [one.statistic for one in findings(detector, first_day)] == ["declared_arm_share"]
