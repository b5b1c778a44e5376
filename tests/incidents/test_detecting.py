"""A run over days with a fake engine: judged once, again with the same result, and completed after any kill."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from fake_engine import FakeEngine

from recsysops.config.settings import WorkspaceSettings
from recsysops.engines.progress import SILENT
from recsysops.errors import NotEnoughDataError
from recsysops.incidents import detecting
from recsysops.incidents.calendar import complete_days
from recsysops.incidents.detecting import Detection, Request, detect
from recsysops.incidents.judging import Judge
from recsysops.incidents.state import State
from recsysops.profiles.history import History
from recsysops.profiles.measures import Measure
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Verdict
from recsysops.triage.findings import Finding, Looked, Subject

DAY = date(2026, 11, 1)
N_DAYS = 12
SETTINGS = WorkspaceSettings.model_validate({"clock": "archive", "tables": {}, "detect": {"reference_days": 5}})
NOW = datetime(2027, 1, 1, tzinfo=UTC)
FAULTS = {3: {"a"}, 4: {"a", "b"}, 9: {"a", "c"}, 10: {"c"}, 11: {"c"}}


class Faulty:
    """Says what ``FAULTS`` plants, with the reference days in the value, so that any change of them shows."""

    meta: ClassVar[DetectorMeta] = DetectorMeta("X1", "input.x", ("candidates",), "warning", "feature")
    Params: ClassVar[type[Parameters]] = Parameters

    def __init__(self, params: Parameters | None = None) -> None:
        self.params = params

    def measures(self, schema: Schema) -> Iterable[Measure]:
        return ()

    def judge(self, history: History) -> Iterator[Verdict]:
        (day,) = history.context.current_days
        number = (day - DAY).days
        for column in sorted(FAULTS.get(number, ())):
            # the jumps differ between columns, else they would be one cause
            value = 10.0 ** (ord(column) - ord("a")) + sum((one - DAY).days for one in history.context.reference_days)
            p_value = 0.02 if (number, column) == (10, "c") else 1e-9
            yield Finding(
                "X1", "input.x", "candidates", Subject("column", column), "psi", value, None, 0.01, "warning",
                "feature", f"{column} moved", day, column=column, p_value=p_value,
            )  # fmt: skip
        yield Looked("input.x", 10, "columns")


def run(root: Path, request: Request | None = None, engine: FakeEngine | None = None) -> Detection:
    judge = Judge(engine or FakeEngine(DAY, N_DAYS), [Faulty()], ("candidates",), SETTINGS.budget)
    with State(root) as state:
        return detect(request or Request(), judge, SETTINGS, state, now=NOW, progress=SILENT)


def contents(root: Path) -> dict[str, list[tuple[Any, ...]]]:
    with closing(sqlite3.connect(root / "state.db")) as connection:
        queries = {
            "days": "SELECT day, detectors, data FROM judged_days ORDER BY day",
            "findings": "SELECT * FROM findings ORDER BY id",
            "finding_days": "SELECT * FROM finding_days ORDER BY finding, day",
            "incidents": "SELECT * FROM incidents ORDER BY id",
        }
        return {name: connection.execute(query).fetchall() for name, query in queries.items()}


def test_all_days_are_judged_once_and_then_nothing_is_due(tmp_path: Path) -> None:
    first = run(tmp_path)
    assert [one.judged.day for one in first.judgements] == [DAY + timedelta(number) for number in range(N_DAYS)]
    assert [(one.id, one.entity, one.status) for one in first.incidents] == [
        (1, "candidates.a", "open"),
        (2, "candidates.b", "resolved"),
        (3, "candidates.c", "open"),
    ]
    assert [one.onset for one in first.incidents] == [DAY + timedelta(number) for number in (3, 4, 9)]
    second = run(tmp_path)
    assert second.judgements == ()
    assert [one.id for one in second.incidents] == [1, 3]


def test_judging_everything_again_changes_nothing(tmp_path: Path) -> None:
    run(tmp_path)
    before = contents(tmp_path)
    run(tmp_path, Request(since="365d"))
    assert contents(tmp_path) == before
    run(tmp_path, Request(date=(DAY + timedelta(5)).isoformat()))
    assert contents(tmp_path) == before


@pytest.mark.parametrize("n_before", [0, 1, 5, 11])
@pytest.mark.parametrize("is_written", [False, True])
def test_a_kill_between_days_is_completed_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_before: int, is_written: bool
) -> None:
    original, left = State.write_day, [n_before]

    def write_day(self: State, number: int, judged: Any) -> None:
        if not left[0]:
            if is_written:
                original(self, number, judged)
            raise KeyboardInterrupt
        left[0] -= 1
        original(self, number, judged)

    with monkeypatch.context() as patched:
        patched.setattr(State, "write_day", write_day)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "killed")
    rest = run(tmp_path / "killed")
    assert len(rest.judgements) == N_DAYS - n_before - is_written
    run(tmp_path / "calm")
    assert contents(tmp_path / "killed") == contents(tmp_path / "calm")


def test_new_days_and_late_rows(tmp_path: Path) -> None:
    run(tmp_path, engine=FakeEngine(DAY, 4))
    engine = FakeEngine(DAY, 6)
    engine.days[DAY] += 7
    later = run(tmp_path, engine=engine)
    assert [one.judged.day for one in later.judgements] == [DAY + timedelta(4), DAY + timedelta(5)]
    assert later.changed_days == (DAY,)


def test_days_on_which_something_was_found_are_no_reference(tmp_path: Path) -> None:
    judgements = {one.judged.day: one.reference for one in run(tmp_path).judgements}
    assert [(day - DAY).days for day in judgements[DAY + timedelta(6)]] == [1, 2, 5]
    assert [(day - DAY).days for day in judgements[DAY + timedelta(8)]] == [5, 6, 7]


def test_an_empty_log_and_a_day_outside_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotEnoughDataError, match="no rows with a time"):
        run(tmp_path, engine=FakeEngine(DAY, 0))
    with pytest.raises(NotEnoughDataError, match="expected a day from 2026-11-01 to 2026-11-12"):
        run(tmp_path, Request(date="2026-10-31"))


def test_a_run_that_was_interrupted_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: Any, **words: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(detecting, "judge_day", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path)
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection:
        assert connection.execute("SELECT verb, outcome FROM runs").fetchall() == [("detect", "interrupted")]


def test_an_archive_with_a_row_of_the_far_future_ends_where_its_days_end() -> None:
    days = {DAY, DAY + timedelta(1), DAY.replace(year=2999)}
    assert max(complete_days(days, clock="archive", now=NOW, grace_hours=0)) == DAY + timedelta(1)
    simulated = {day.replace(year=2999) for day in days}
    assert max(complete_days(simulated, clock="archive", now=NOW, grace_hours=0)).year == 2999
