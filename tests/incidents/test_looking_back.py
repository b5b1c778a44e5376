"""Where the time went, what a limit would have cost, and the check that an incident becomes."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from recsysops.errors import ConfigError, StateError
from recsysops.incidents.affected import Affected, affected_items, flagged_condition, is_about_members
from recsysops.incidents.incident import Incident
from recsysops.incidents.milestones import Milestones, milestones
from recsysops.incidents.response_times import response_times
from recsysops.incidents.retro import Heard, chances, signs
from recsysops.incidents.standing_check import check_of, expectation_of, read_check, replay, write_check
from recsysops.incidents.trail import Entry
from recsysops.profiles.history import Change
from recsysops.profiles.slices import Slice
from recsysops.triage.findings import Finding, Subject

DAY = date(2026, 11, 20)
BASE = Finding(
    "X1", "input.missing_rate", "items", Subject("column", "lang"), "null_rate", 0.114, 0.002, 0.005, "warning",
    "upstream", "lang is NULL", DAY, column="lang", slice=Slice("market", "NO"), p_value=1e-9,
    series=(0.002, float("nan"), 0.004, 0.114), query='SELECT count(*) FILTER ("lang" IS NULL) AS n_flagged FROM "items"',
)  # fmt: skip
INCIDENT = Incident(
    41, "warning", "lang is NULL", "market=NO", "upstream", "items.lang", DAY - timedelta(1), DAY, DAY, "resolved", 0.1,
    (BASE.id,),
)  # fmt: skip


def at(hour: int) -> datetime:
    return datetime(2026, 11, 21, tzinfo=UTC) + timedelta(hours=hour)


def entry(action: str, hour: int, before: str, after: str) -> Entry:
    return Entry("anna", action, at(hour), at(hour), 41, before, after)


def test_hours_add_up_and_a_reopened_incident_is_resolved_when_it_was_last() -> None:
    entries = [
        entry("open", 2, "", "open"), entry("acknowledge", 3, "open", "acknowledged"),
        entry("resolve", 5, "acknowledged", "resolved"), entry("reopen", 6, "resolved", "open"),
        entry("acknowledge", 7, "open", "acknowledged"), entry("mitigate", 8, "acknowledged", "mitigated"),
        entry("resolve", 12, "mitigated", "resolved"),
    ]  # fmt: skip
    steps = milestones(INCIDENT, entries)
    assert steps.spans() == (("detected", 50.0), ("acknowledged", 1.0), ("mitigated", 5.0), ("resolved", 4.0))
    assert sum(hours for _, hours in steps.spans()) == steps.hours_to("resolved") == 60
    active = milestones(replace(INCIDENT, status="open"), entries)
    assert active.hours_to("resolved") is None
    assert not active.in_hindsight
    assert milestones(INCIDENT, entries, DAY + timedelta(1)).in_hindsight
    assert milestones(INCIDENT, []).hours_to("detected") == 48


def test_medians_count_what_is_still_open_and_recover_the_truth() -> None:
    rng = np.random.default_rng(4)
    onset, now = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 11, tzinfo=UTC)
    lasts = rng.exponential(200, 800)
    everything = []
    for number, hours in enumerate(lasts):
        is_active = hours > 240
        reached = {"detected": onset + timedelta(hours=24)}
        if not is_active:
            reached["resolved"] = onset + timedelta(hours=float(hours))
        everything.append(Milestones(number, onset, reached, is_active, in_hindsight=False))
    times = response_times([*everything, replace(everything[0], in_hindsight=True)], now)
    by_step = {step.step: step for step in times.steps}
    assert (times.n_incidents, times.n_in_hindsight) == (800, 1)
    assert by_step["detected"].median.estimate == by_step["detected"].mean == 24
    resolved = by_step["resolved"].median
    assert resolved.low < 200 * math.log(2) < resolved.high
    assert resolved.n_open == sum(lasts > 240)
    assert by_step["acknowledged"].median.n == sum(lasts > 240)  # closed ones that skipped it say nothing


def heard(number: int, *below: Finding) -> Heard:
    return Heard(DAY + timedelta(number), (), below)


def test_an_earlier_limit_and_its_price() -> None:
    about = replace(BASE, p_value=0.01)
    other = replace(BASE, column="x", subject=Subject("column", "x"), headline="x", p_value=0.005)
    quiet = replace(other, p_value=0.2)
    days = [
        heard(-9, other), heard(-8), heard(-7, quiet), heard(-6, other), heard(-5, about), heard(-4),
        heard(-3, replace(about, p_value=0.1)), heard(-2, about, replace(about, slice=Slice("market", "SE"), p_value=0.02)),
        heard(-1, replace(about, p_value=0.001)), heard(0),
    ]  # fmt: skip
    found = chances(INCIDENT, days, {DAY - timedelta(6)})
    assert [(one.days_earlier, one.limit) for one in found] == [(3, 0.1), (2, 0.01), (1, 0.001)]
    # clean are days −9, −8, −7, −5, −4: two alarms at 0.1 and at 0.01 (x on −9, the same thing on −5), none at 0.001
    assert [one.n_clean_days for one in found] == [5, 5, 5]
    assert [one.alarms_per_30_days for one in found] == pytest.approx([12, 12, 0])
    assert all(one.low <= one.alarms_per_30_days <= one.high for one in found)
    assert chances(INCIDENT, days[:6], set()) == ()


def test_changes_near_the_onset_are_signs() -> None:
    onset = datetime(2026, 11, 19, tzinfo=UTC)
    near = Change(onset - timedelta(hours=20), "deploy", "items.lang")
    changes = [
        near,
        Change(onset - timedelta(hours=50), "deploy", "old"),
        Change(onset + timedelta(hours=25), "x", "late"),
    ]
    assert signs(INCIDENT, changes) == (near,)


@pytest.mark.parametrize(
    ("healthy", "faulty"),
    [((0.01, 0.02), 0.5), ((0.9, 0.8), 0.1), ((0.1, 0.9), 0.5), ((), 0.5), ((0.1,), float("nan")), ((0.0,), 0.0)],
)
def test_every_check_fires_on_its_fault_and_on_no_healthy_day(
    healthy: tuple[float, ...], faulty: float, tmp_path: Path
) -> None:
    series = (*healthy, faulty) if healthy else ()
    finding = replace(BASE, series=series, value=faulty, reference_value=None)
    check, fixture = check_of(INCIDENT, finding, "content")
    assert replay(check, fixture) == (0, True)
    path, beside = write_check(tmp_path, check, fixture)
    json.loads(beside.read_text(), parse_constant=lambda word: pytest.fail(word))
    again, stored = read_check(path)
    assert again.to_dict() == check.to_dict()
    assert replay(again, stored) == (0, True)


def test_a_check_that_its_fixture_does_not_bear_out_is_not_written(tmp_path: Path) -> None:
    check, fixture = check_of(INCIDENT, BASE, "")
    with pytest.raises(StateError, match="does not bear out"):
        write_check(tmp_path, replace(check, expectation={"at_most": 1.0}), fixture)
    assert not list(tmp_path.iterdir())
    assert expectation_of((0.002, 0.004), 0.114) == {"at_most": pytest.approx(0.059)}


@pytest.mark.parametrize(
    "text", ["", "a: [", "version: 1", "version: 2\n", "!!python/object:os.system {}", "expectation: {at_most: x}"]
)
def test_a_broken_check_is_refused_and_nothing_is_executed(tmp_path: Path, text: str) -> None:
    path, beside = write_check(tmp_path, *check_of(INCIDENT, BASE, ""))
    whole, fixture = path.read_text(), beside.read_text()
    path.write_text(text)
    with pytest.raises(ConfigError):
        read_check(path)
    path.write_text(whole.replace("at_most", "between"))
    with pytest.raises(ConfigError, match="as `incident retro` writes it"):
        read_check(path)
    path.write_text(whole)
    beside.write_text(fixture[:-9])
    with pytest.raises(ConfigError, match="as `incident retro` writes it"):
        read_check(path)


def test_nothing_about_members_is_handed_on() -> None:
    private = (
        replace(BASE, subject=Subject("member", "m1")), replace(BASE, table="member_features"),
        replace(BASE, column="member_id"), replace(BASE, slice=Slice("member_id", "m1")),
        replace(BASE, query='SELECT "member_id" FROM "candidates"'),
    )  # fmt: skip
    for finding in private:
        assert is_about_members(finding, None)
        assert affected_items(finding, None, DAY, DAY) == Affected(
            reason="it is about members, and member ids are never handed on"
        )
    assert not is_about_members(BASE, None)


def test_items_of_a_finding() -> None:
    assert affected_items(replace(BASE, subject=Subject("item", "7"), n_current=3), None, DAY, DAY).ids == (("7", 3),)
    assert affected_items(BASE, None, DAY, DAY).reason == "rows of items name no item"
    assert flagged_condition(BASE.query) == '"lang" IS NULL'
    assert flagged_condition("SELECT 1") == ""
    assert Affected((('=x"', 2), ("a,b", 1))).to_csv() == 'item_id,n_rows\n"\'=x""",2\n"a,b",1\n'
