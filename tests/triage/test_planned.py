"""What a recorded plan explains, and what it does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from recsysops.profiles.history import Change
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.tables.schema import Column, Schema, TableSchema
from recsysops.triage.findings import Finding, Subject
from recsysops.triage.planned import with_plans

DAY = date(2026, 11, 10)
SCHEMA = Schema(
    {
        "candidates": TableSchema(
            "candidates", (Column("app", "categorical", "client_version"), Column("item_price", "numeric"))
        )
    }
)
YIELDING = {"input.distribution_shift"}


def finding(column: str = "item_price", slice_: Slice = EVERYTHING, subject: Subject | None = None) -> Finding:
    return Finding(
        "INP105", "input.distribution_shift", "candidates", subject or Subject("column", column), "psi", 0.4, 0.0, 0.05,
        "warning", "feature", "moved", DAY, column=column, slice=slice_, onset=DAY,
    )  # fmt: skip


def change(kind: str, scope: str, day: int = 10) -> Change:
    return Change(datetime(2026, 11, day, 8, tzinfo=UTC), kind, scope)


def is_explained(found: Finding, one: Change) -> bool:
    (told,) = with_plans([found], YIELDING, [one], SCHEMA)
    assert (told.severity == "info") == bool(told.follows)
    return bool(told.follows)


@pytest.mark.parametrize(
    ("found", "scope"),
    [
        (finding("item_price"), "prices"),
        (finding("app"), "client=web-9"),
        (finding("app"), "client_version"),
        (finding("item_price", Slice("market", "IS")), "market=IS"),
        (finding("", subject=Subject("item", "121")), "market=SE item=121"),
    ],
)
def test_a_plan_explains_what_it_names(found: Finding, scope: str) -> None:
    assert is_explained(found, change("release", scope))


@pytest.mark.parametrize("scope", ["market=SE", "item=12", "catalogue", "experiment_arm", "=", "market="])
def test_it_explains_nothing_else(scope: str) -> None:
    assert not is_explained(finding("item_price", Slice("market", "IS")), change("campaign", scope))


def test_a_deploy_or_a_schema_change_is_a_cause_and_no_plan() -> None:
    assert not is_explained(finding(), change("deploy", "prices"))
    assert not is_explained(finding(), change("schema", "item_price"))


@pytest.mark.parametrize(("day", "explains"), [(6, False), (7, True), (10, True), (11, False)])
def test_it_must_have_taken_effect_shortly_before(day: int, explains: bool) -> None:
    assert is_explained(finding(), change("config", "prices", day)) is explains


def test_detectors_that_do_not_yield_are_told_as_ever() -> None:
    missing = replace(finding(), detector="input.missing_rate")
    (told,) = with_plans([missing], YIELDING, [change("config", "prices")], SCHEMA)
    assert told == missing
