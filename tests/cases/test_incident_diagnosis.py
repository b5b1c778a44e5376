"""Findings are read as signs by the first rule that fits; what is upstream outweighs what it moved; plans excuse."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from recsysops.cases.diagnosis import Diagnosis
from recsysops.cases.evidence import Proof
from recsysops.cases.incident_case import IncidentCase
from recsysops.cases.incident_diagnosis import diagnose_incident
from recsysops.cases.incident_verdict import INCIDENT_TABLE, RULES, rule_of
from recsysops.cases.subject import Window
from recsysops.cases.verdict import Verdict
from recsysops.profiles.history import Change
from recsysops.registry import plugins
from recsysops.triage.findings import Finding, Subject

DAY = date(2026, 11, 20)
NULLS = Finding(
    "INP101", "input.missing_rate", "items", Subject("column", "language"), "null_rate", 0.4, 0.0, 0.01, "warning", "upstream",
    "language is NULL in 40 % of rows, before 0 %", DAY, column="language", low=0.35, high=0.45,
)  # fmt: skip
LOWER = replace(
    NULLS, detector="output.score_shift", table="candidates", subject=Subject("column", "score"), statistic="rank_shift",
    stage="ranking", headline="score moved", column="score", low=None, high=None,
)  # fmt: skip


def case(*findings: Finding, **changed: Any) -> IncidentCase:
    return IncidentCase(7, findings[0].headline, DAY, DAY, findings, (), {}, **changed)


def test_what_is_upstream_outweighs_what_it_moved() -> None:
    found = diagnose_incident(case(LOWER, NULLS))
    verdict = found.verdict
    assert (verdict.cause, verdict.stage, verdict.entity) == ("input", "upstream", "items.language")
    assert verdict.status == "suspected"
    assert [one.entity for one in verdict.hypotheses] == ["items.language", "candidates.score"]
    assert found.exit_code == 1


def test_an_item_that_proves_the_same_cause_confirms_it() -> None:
    proof = Proof("repair", 0.9, 0.7, 1.1, "closes 90 %")
    window = Window(datetime(2026, 11, 14, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC))
    said = Verdict("input", "upstream", "items.language", "confirmed", 0.9, proof, "closes 90 %", ())
    item = Diagnosis("item", "12", window, said, ())
    found = diagnose_incident(case(NULLS, items=(item,)))
    assert found.verdict.status == "confirmed"
    elsewhere = replace(item, verdict=replace(said, entity="items.price"))
    assert diagnose_incident(case(NULLS, items=(elsewhere,))).verdict.entity == "items.language"


def test_what_follows_a_recorded_plan_is_legitimate() -> None:
    found = diagnose_incident(case(replace(NULLS, follows="campaign items of 2026-11-20")))
    assert found.verdict.cause == "legitimate"
    assert "campaign items" in found.verdict.words
    assert found.exit_code == 0


def test_a_schema_change_needs_no_repair_to_be_proven() -> None:
    changed = replace(NULLS, detector="input.schema_change", statistic="column_gone", stage="schema")
    verdict = diagnose_incident(case(changed)).verdict
    assert (verdict.stage, verdict.status) == ("schema", "confirmed")
    assert verdict.proof is not None


def test_changes_just_before_are_told_and_accused_of_nothing() -> None:
    near = Change(datetime(2026, 11, 19, 12, tzinfo=UTC), "deploy", "candidates.score")
    far = Change(datetime(2026, 11, 1, tzinfo=UTC), "deploy", "model")
    told = diagnose_incident(replace(case(NULLS), changes=(near, far))).step("incident.changes")
    assert told is not None
    assert [row["scope"] for row in told.rows] == ["candidates.score"]
    assert not told.signs


def test_an_item_that_a_finding_is_about_is_what_to_look_at_next() -> None:
    about = replace(NULLS, detector="item.exposure_loss", subject=Subject("item", "a b"), column="")
    assert "diagnose item 'a b' --day 2026-11-20" in diagnose_incident(case(about)).next


@pytest.mark.parametrize("name", [entry.name for entry in plugins("detectors")])
def test_every_detector_has_a_sign_that_the_table_knows(name: str) -> None:
    rule = rule_of(replace(NULLS, detector=name))
    assert rule.sign in INCIDENT_TABLE
    assert rule.sign != "metric moved" or name.startswith(("system.", "member."))


def test_no_rule_is_idle() -> None:
    assert {rule.sign for rule in RULES} <= set(INCIDENT_TABLE)
    assert RULES[-1].detector == "*"
