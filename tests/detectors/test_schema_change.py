"""Columns that go, come or change their type, told from the facts of partitions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from recsysops.detectors.schema_change import SchemaChange
from recsysops.profiles.history import PartitionFacts
from recsysops.profiles.measures import Facts
from recsysops.testing.example_log import FIRST_DAY, SCHEMA
from recsysops.testing.histories import ArrayHistory, context_of
from recsysops.triage.findings import Finding, Skipped

USUAL = {
    "request_id": "string",
    "ts": "timestamp[us, tz=UTC]",
    "item_id": "int64",
    "feature_0": "double",
    "stray": "string",
}
DAYS = [FIRST_DAY + timedelta(days=index) for index in range(8)]


def judged(*columns: dict[str, str]) -> tuple[list[Finding], list[Skipped]]:
    """What is said of the last of these partitions; the days before the first have the usual columns."""
    every = [USUAL] * (8 - len(columns)) + list(columns)
    now = datetime(2026, 3, 1, tzinfo=UTC)
    facts = tuple(
        PartitionFacts("candidates", f"day={day}", "f", 1, 1, now, now, now, tuple(one.items()), ((day, 1),))
        for day, one in zip(DAYS, every, strict=True)
    )
    history = ArrayHistory(context_of(SCHEMA, DAYS[:-1], DAYS[-1:]), partitions={Facts("candidates"): facts})
    verdicts = list(SchemaChange().judge(history))
    return [one for one in verdicts if isinstance(one, Finding)], [one for one in verdicts if isinstance(one, Skipped)]


def without(*names: str) -> dict[str, str]:
    return {name: type_ for name, type_ in USUAL.items() if name not in names}


def test_the_same_columns_in_another_order_say_nothing() -> None:
    assert judged(dict(reversed(USUAL.items()))) == ([], [])


@pytest.mark.parametrize(("name", "severity"), [("feature_0", "warning"), ("stray", "info")])
def test_a_column_is_gone(name: str, severity: str) -> None:
    ((found,), _) = judged(without(name))
    assert (found.statistic, found.column, found.severity) == ("column_removed", name, severity)


def test_a_column_is_renamed() -> None:
    (gone, new), _ = judged({**without("feature_0"), "feature_zero": "double"})
    assert (gone.statistic, new.statistic, new.severity) == ("column_removed", "column_added", "info")
    assert "feature_zero is new" in gone.headline


@pytest.mark.parametrize("n_days", [1, 3])
def test_a_number_becomes_text_and_stays_it(n_days: int) -> None:
    (found,), (skipped,) = judged(*[{**USUAL, "feature_0": "string"}] * n_days)
    assert (found.statistic, found.severity) == ("column_type_changed", "warning")
    assert found.headline == "feature_0 is string, before double"
    assert f"day={DAYS[-1]}" in skipped.reason


@pytest.mark.parametrize("type_", ["float", "int64", "null", "decimal128(9, 2)"])
def test_another_width_or_all_null_is_no_change(type_: str) -> None:
    assert judged({**USUAL, "feature_0": type_}) == ([], [])


def test_a_column_that_differs_anyway_says_nothing() -> None:
    other = {**USUAL, "feature_0": "string"}
    assert judged(other, USUAL, other, USUAL, other, USUAL, other) == ([], [])


def test_two_partitions_of_a_day_are_both_looked_at() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    usual = PartitionFacts("candidates", "a", "f", 1, 1, now, now, now, tuple(USUAL.items()), ((DAYS[0], 1),))
    good = replace(usual, key="b", days=((DAYS[-1], 1),))
    bad = replace(good, key="c", columns=tuple(without("item_id").items()))
    history = ArrayHistory(
        context_of(SCHEMA, DAYS[:-1], DAYS[-1:]), partitions={Facts("candidates"): (usual, good, bad)}
    )
    (found,) = [one for one in SchemaChange().judge(history) if isinstance(one, Finding)]
    assert (found.column, found.statistic) == ("item_id", "column_removed")
