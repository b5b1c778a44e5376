"""An audit runs every detector and lets a broken one silence only itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, ClassVar, cast

import pytest

from recsysops.profiles.history import Context, History
from recsysops.profiles.measures import Measure
from recsysops.tables.schema import Schema, TableSchema
from recsysops.triage.audit import audit
from recsysops.triage.detector import DetectorMeta, Parameters, Verdict
from recsysops.triage.findings import Finding, Looked, Skipped, Subject

DAY = date(2026, 11, 20)


@dataclass
class FakeHistory:
    context: Context


def history(*tables: str) -> History:
    schema = Schema({table: TableSchema(table, ()) for table in tables})
    context = Context(datetime(2026, 11, 21, tzinfo=UTC), "days", (), (DAY,), schema)
    return cast("History", FakeHistory(context))


def found(item: str, effect: float = 1.0) -> Finding:
    return Finding(
        "X1", "input.x", "candidates", Subject("item", item), "null_rate", 0.1, 0.0, 0.01, "warning", "feature",
        "x", DAY, effect=effect,
    )  # fmt: skip


class Says:
    meta: ClassVar[DetectorMeta] = DetectorMeta("X1", "input.x", ("candidates",), "warning", "feature")
    Params: ClassVar[type[Parameters]] = Parameters

    def __init__(self, *verdicts: Any) -> None:
        self.verdicts = verdicts

    def measures(self, schema: Schema) -> Iterable[Measure]:
        return ()

    def judge(self, history: History) -> Iterator[Verdict]:
        for verdict in self.verdicts:
            if isinstance(verdict, Exception):
                raise verdict
            yield verdict


def test_everything_said_is_collected() -> None:
    looked = Looked("input.x", 7, "columns")
    result = audit(history("candidates"), [Says(found("a"), looked), Says(found("b"), looked)])
    assert [finding.subject.id for finding in result.findings] == ["a", "b"]
    assert result.n_series == 14


@pytest.mark.parametrize("error", [ValueError("no edges"), ZeroDivisionError("x"), KeyError("gone")])
def test_a_detector_that_raises_is_skipped_and_the_others_run(error: Exception) -> None:
    result = audit(history("candidates"), [Says(found("a"), error, found("c")), Says(found("b"))])
    assert [finding.subject.id for finding in result.findings] == ["a", "b"]
    assert result.skipped == (Skipped("input.x", "failed", f"{type(error).__name__}: {error}"),)


def test_a_detector_without_its_tables_is_not_applicable() -> None:
    result = audit(history("items"), [Says(found("a"))])
    assert result.findings == ()
    assert [(skipped.kind, skipped.table) for skipped in result.skipped] == [("not_applicable", "candidates")]


def test_of_two_findings_with_one_id_the_larger_effect_stays() -> None:
    result = audit(history("candidates"), [Says(found("a", 2.0), found("a", 5.0), found("a", 3.0))])
    assert [finding.effect for finding in result.findings] == [5.0]
