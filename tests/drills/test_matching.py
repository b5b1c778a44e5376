"""Which incidents are the fault's: what counts, and the near misses that must not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsysops.drills.fault import FaultMeta, Truth
from recsysops.drills.scorecard.matching import CleanTwin, Told, is_named, is_touched, match, overlaps, where_of
from recsysops.incidents.incident import Incident
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.triage.findings import Finding, Subject

DAY = date(2026, 10, 5)
META = FaultMeta("moths", "feature", "input", "a feature", "share of rows", 0.1, "NULLs", "camphor")
TRUTH = Truth(
    ("candidates.age", "height", "item 7"),
    ("candidates.age", "candidates.score", "outcomes.*"),
    {"market": "NO"},
    items=("7", "8"),
)


def finding(column: str = "age", table: str = "candidates", **others: object) -> Finding:
    subject = Subject("column", column) if column else Subject("table", table)
    values: dict[str, object] = {
        "code": "INP101", "detector": "input.missing_rate", "table": table, "subject": subject, "statistic": "null_rate",
        "value": 0.3, "reference_value": 0.1, "threshold": 0.01, "severity": "warning", "stage": "feature",
        "headline": "age is NULL", "day": DAY, "column": column, **others,
    }  # fmt: skip
    return Finding(**values)  # type: ignore[arg-type]


def incident(number: int, *findings: Finding, **others: object) -> Incident:
    values: dict[str, object] = {
        "id": number, "severity": "warning", "headline": "age is NULL", "where": "all rows", "stage": "feature",
        "entity": "candidates.age", "onset": DAY, "last_seen": DAY, "opened": DAY, "status": "open", "impact": 0.1,
        "finding_ids": tuple(one.id for one in findings), **others,
    }  # fmt: skip
    return Incident(**values)  # type: ignore[arg-type]


def told(*incidents: tuple[Incident, tuple[Finding, ...]]) -> Told:
    findings = {one.id: one for _, said in incidents for one in said}
    return Told(DAY, tuple(one for one, _ in incidents), findings)


def of(number: int, *findings: Finding, **others: object) -> tuple[Incident, tuple[Finding, ...]]:
    return incident(number, *findings, **others), findings


@pytest.mark.parametrize(
    "hit",
    [
        finding("age"),
        finding("score"),
        finding("age", slice=Slice("market", "NO")),
        finding("age", slice=Slice("device", "tv")),
        finding("", "outcomes"),
        finding("value", "outcomes"),
        finding("age", subject=Subject("item", "8")),
    ],
)
def test_what_lies_in_the_scope_counts(hit: Finding) -> None:
    assert overlaps(hit, TRUTH)
    assert match(told(of(3, hit)), CleanTwin(), META, TRUTH).right


@pytest.mark.parametrize(
    "miss",
    [
        finding("ageing"),
        finding("age", "items"),
        finding("Age"),
        finding("", "candidates"),
        finding("age", slice=Slice("market", "SE")),
        finding("age", slice=Slice("market", "")),
        finding("age", subject=Subject("item", "9")),
        finding("fame", subject=Subject("item", "7")),
    ],
)
def test_near_misses_do_not_count(miss: Finding) -> None:
    assert not overlaps(miss, TRUTH)
    seen = match(told(of(3, miss)), CleanTwin(), META, TRUTH)
    assert seen.fresh
    assert not seen.right
    assert not seen.is_top1  # though stage and entity are right: it was not found


def test_an_item_is_any_item_when_the_truth_names_none() -> None:
    assert overlaps(finding("age", subject=Subject("item", "9")), replace(TRUTH, items=()))


def test_what_was_open_before_is_not_found_again() -> None:
    old, new = finding("age"), finding("score")
    twin = CleanTwin(frozenset({3}), {DAY: frozenset({old.id})})
    seen = match(told(of(3, old, new)), twin, META, TRUTH)
    assert not seen.fresh
    assert not seen.right


def test_what_was_open_before_counts_when_people_read_something_else_of_it_today() -> None:
    old, new = finding("age"), finding("score")
    twin = CleanTwin(frozenset({3}), {DAY: frozenset({old.id})})
    assert match(told(of(3, new, old)), twin, META, TRUTH).right


def test_what_was_open_before_counts_when_it_would_have_been_quiet() -> None:
    twin = CleanTwin(frozenset({3}), {DAY - timedelta(1): frozenset({finding().id})})
    assert match(told(of(3, finding())), twin, META, TRUTH).right


def test_what_the_clean_twin_says_on_that_day_is_not_found_but_on_another_day_it_is() -> None:
    said = finding()
    at_once = CleanTwin(finding_ids={DAY: frozenset({said.id})})
    earlier = CleanTwin(finding_ids={DAY - timedelta(1): frozenset({said.id})})
    assert not match(told(of(3, said)), at_once, META, TRUTH).fresh
    assert match(told(of(3, said)), earlier, META, TRUTH).right


def test_an_incident_that_the_twin_has_too_is_right_only_by_what_it_says_in_addition() -> None:
    known, new, elsewhere = finding("age"), finding("score"), finding("fame")
    twin = CleanTwin(finding_ids={DAY: frozenset({known.id})})
    assert match(told(of(3, known, new)), twin, META, TRUTH).right
    other = match(told(of(3, known, elsewhere)), twin, META, TRUTH)
    assert other.fresh
    assert not other.right


def test_the_order_of_the_report_decides_who_is_first() -> None:
    wrong = [of(number, finding(f"c{number}"), entity=f"candidates.c{number}") for number in range(3)]
    right = of(9, finding())
    second = match(told(wrong[0], right), CleanTwin(), META, TRUTH)
    assert (second.is_top1, second.is_top3) == (False, True)
    fourth = match(told(*wrong, right), CleanTwin(), META, TRUTH)
    assert (fourth.is_top1, fourth.is_top3) == (False, False)
    assert fourth.right
    first = match(told(right, *wrong), CleanTwin(), META, TRUTH)
    assert (first.is_top1, first.is_top3) == (True, True)


def test_old_incidents_do_not_take_the_first_place() -> None:
    old, right = of(1, finding("fame")), of(2, finding())
    assert match(told(old, right), CleanTwin(frozenset({1})), META, TRUTH).is_top1


@pytest.mark.parametrize(
    ("entity", "stage", "is_right"),
    [
        ("candidates.age", "feature", True),
        ("candidates.height", "feature", True),
        ("items.height", "feature", True),
        ("age", "feature", False),
        ("item 7", "feature", True),
        ("item 77", "feature", False),
        ("items.age", "feature", False),
        ("candidates.score", "feature", False),
        ("candidates.age", "upstream", False),
        ("age.candidates", "feature", False),
    ],
)
def test_a_cause_is_named_by_stage_and_entity(entity: str, stage: str, *, is_right: bool) -> None:
    assert is_named(incident(1, entity=entity, stage=stage), META, TRUTH) is is_right


def test_a_dot_within_a_name_is_no_table() -> None:
    truth = Truth(("user.age",), ("candidates.user.age",))
    assert is_named(incident(1, entity="candidates.user.age"), META, truth)
    assert not is_named(incident(1, entity="candidates.age"), META, truth)


def test_a_role_is_known_by_its_name_in_the_logs_too() -> None:
    aliases = {"candidates.pred": "candidates.score"}
    truth = Truth(("score",), ("candidates.score",))
    said = finding("pred")
    assert not overlaps(said, truth)
    assert overlaps(said, truth, aliases)
    assert is_named(incident(1, entity="candidates.pred"), META, truth, aliases)


def test_patterns_are_globs_but_brackets_in_a_name_are_its_own() -> None:
    assert is_touched("candidates.emb_4", Truth((), ("candidates.emb_*",)))
    assert is_touched("candidates.emb[4]", Truth((), ("candidates.emb[4]",)))
    assert not is_touched("candidates.member_emb_4", Truth((), ("candidates.emb_*",)))
    assert not is_touched("candidates.*", Truth((), ("candidates.age",)))


@pytest.mark.parametrize(
    ("where", "expected"),
    [("all rows", EVERYTHING), ("market=NO", Slice("market", "NO")), ("q=a=b", Slice("q", "a=b"))],
)
def test_where(where: str, expected: Slice) -> None:
    assert where_of(incident(1, where=where)) == expected


@settings(deadline=None, derandomize=True, max_examples=200)
@given(
    st.lists(st.tuples(st.sampled_from(["age", "score", "fame", ""]), st.sampled_from(["NO", "SE"])), max_size=6),
    st.sets(st.integers(0, 5)),
)
def test_right_incidents_are_fresh_ones_and_first_is_among_the_first_three(
    said: list[tuple[str, str]], before: set[int]
) -> None:
    parts = [
        of(number, finding(column, slice=Slice("market", market)), entity=f"candidates.{column}")
        for number, (column, market) in enumerate(said)
    ]
    told_before = {name for one, _ in parts if one.id in before for name in one.finding_ids}
    twin = CleanTwin(frozenset(before), {DAY: frozenset(told_before)})
    seen = match(told(*parts), twin, META, TRUTH)
    assert set(seen.right) <= set(seen.fresh)
    assert before.isdisjoint(one.id for one in seen.fresh)
    assert seen.is_top3 or not seen.is_top1
    assert seen.right or not seen.is_top3
