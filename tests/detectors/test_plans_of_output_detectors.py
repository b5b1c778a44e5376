"""What is recorded explains: roll-outs of models, rules about items, launches; what is beyond the record does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from recsysops import registry
from recsysops.profiles.catalogue import Catalogue
from recsysops.profiles.history import Change
from recsysops.testing.example_log import ExampleLog
from recsysops.testing.example_slates import example_slates
from recsysops.triage.detector import Detector
from recsysops.triage.findings import Finding

LOG = example_slates(n_days=7, requests_per_day=300)
NOON = datetime.combine(LOG.days[-1], datetime.min.time(), UTC) + timedelta(hours=12)


def _detector(name: str) -> Detector:
    (plugin,) = (one for one in registry.plugins("detectors") if one.name == name)
    detector: Detector = plugin.load()(plugin.load().Params())
    return detector


def _found(name: str, log: ExampleLog, *changes: Change, catalogue: Catalogue | None = None) -> list[Finding]:
    detector = _detector(name)
    history = log.history(detector)
    context = replace(history.context, changes=changes, catalogue=catalogue or Catalogue())
    return [one for one in detector.judge(replace(history, context=context)) if isinstance(one, Finding)]


def _deploy(description: str, rollout: float, days_ago: int = 0) -> Change:
    return Change(NOON - timedelta(days=days_ago), "deploy", "model", description, rollout)


HALF = LOG.set("candidates", "model_id", "m2", where="host == 'h2'")


def test_a_model_within_its_roll_out_is_no_finding() -> None:
    assert not _found("output.model_mix", HALF, _deploy("m2 at 50 %", 0.5))


@pytest.mark.parametrize(
    "changes",
    [(_deploy("m2 at 10 %", 0.1),), (_deploy("m1 at 100 %", 1.0, days_ago=6),), (_deploy("m3 at 100 %", 1.0),)],
    ids=["beyond its roll-out", "without one", "of another model"],
)
def test_a_model_beyond_what_was_rolled_out_is_a_warning(changes: tuple[Change, ...]) -> None:
    found = _found("output.model_mix", HALF, *changes)
    assert {(one.subject.id, one.severity) for one in found if one.reference_value == 0} == {("m2", "warning")}


PINNED = LOG.set("candidates", "raw_rank", 11, where="item_id == 'item_06' and shown")


@pytest.mark.parametrize(
    ("scope", "description", "severity"),
    [
        ("policy.pin-item_06-NO", "rule added", "info"),
        ("policy.pin-item_06-NO", "rule ended", "warning"),
        ("policy.pin-item_0-NO", "rule added", "warning"),
        ("market=NO item=item_06", "external traffic, pin", "info"),
    ],
)
def test_a_rule_on_record_makes_its_item_information(scope: str, description: str, severity: str) -> None:
    found = _found("output.policy_effect", PINNED, Change(NOON - timedelta(days=1), "config", scope, description))
    assert {one.severity for one in found if one.subject.id == "item_06"} == {severity}


def _with_launch(share: float) -> ExampleLog:
    """On the last day ``item_new`` takes a share of all impressions; ``item_40`` did so for two days at the start."""
    log = replace(LOG, n_current=7).set("candidates", "item_id", "item_40", rate=0.06, where="ts.dt.day <= 3")
    return replace(log, n_current=1, seed=1).set("candidates", "item_id", "item_new", rate=share)


def _launches(**days_ago: float) -> Catalogue:
    return Catalogue({item: NOON - timedelta(days=days) for item, days in days_ago.items()}, is_known=True)


def test_a_launch_is_held_against_what_launches_reach() -> None:
    catalogue = _launches(item_new=0.5, item_40=6.5)
    usual, boosted = _with_launch(0.06), _with_launch(0.3)
    told = [
        {one.subject.id for one in _found("output.item_domination", log, catalogue=catalogue)}
        for log in (usual, boosted)
    ]
    assert "item_new" not in told[0]
    assert "item_new" in told[1]


def test_without_a_launch_the_same_growth_is_told() -> None:
    assert "item_new" in {one.subject.id for one in _found("output.item_domination", _with_launch(0.06))}


def test_a_new_model_off_by_a_third_is_told_on_its_first_day_and_a_good_one_is_not() -> None:
    good = example_slates(n_days=7, requests_per_day=600).set("candidates", "model_id", "m2", where="host == 'h2'")
    bad = good.scale("candidates", "score", by=0.6, where="host == 'h2'")
    of_model = [
        [one.value for one in _found("output.calibration", log) if one.slice.value == "m2"] for log in (good, bad)
    ]
    assert not of_model[0]
    (value,) = of_model[1]
    assert value == pytest.approx(1 / 0.6, rel=0.15)
    assert np.isfinite(value)
