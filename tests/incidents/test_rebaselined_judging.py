"""An expected change marked once never alarms again by itself; a further change does, a return to the old one too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import pandas as pd
import pytest
import yaml
from fake_engine import FakeEngine
from hypothesis import given, settings
from hypothesis import strategies as st

from recsysops.config.settings import WorkspaceSettings
from recsysops.engines.progress import SILENT
from recsysops.incidents import acts
from recsysops.incidents.detecting import Detection, Request, detect
from recsysops.incidents.judging import Judge
from recsysops.incidents.state import State
from recsysops.profiles.history import History
from recsysops.profiles.measures import Measure
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Verdict
from recsysops.triage.findings import Finding, Looked, Skipped, Subject
from recsysops.workspace import Workspace

DAY = date(2026, 11, 2)
SETTINGS = WorkspaceSettings.model_validate({"clock": "archive", "tables": {}, "detect": {"reference_days": 7}})
NOW = datetime(2027, 6, 1, tzinfo=UTC)


class OtherLevel:
    """A column's level is that of none of its reference days: so one healthy day of the new level hides a change."""

    meta: ClassVar[DetectorMeta] = DetectorMeta("X1", "input.x", ("candidates",), "warning", "feature")
    Params: ClassVar[type[Parameters]] = Parameters

    def __init__(self, levels: Mapping[str, Sequence[int]]) -> None:
        self.levels = levels

    def measures(self, schema: Schema) -> Iterable[Measure]:
        return ()

    def judge(self, history: History) -> Iterator[Verdict]:
        days = history.context.reference_days
        if not days:
            yield Skipped("input.x", "too_little_data", "no reference day")
            return
        (day,) = history.context.current_days
        for column, levels in self.levels.items():
            known = [levels[(one - DAY).days] for one in days]
            now = levels[(day - DAY).days]
            if now not in known:
                yield Finding(
                    "X1", "input.x", "candidates", Subject("column", column), "level", now, known[-1], 0.5, "warning",
                    "feature", f"{column} moved", day, column=column, p_value=1e-12, effect=abs(now - known[-1]) + 1.0,
                )  # fmt: skip
        yield Looked("input.x", 10, "columns", 10)


def run(root: Path, levels: Mapping[str, Sequence[int]], n_days: int, request: Request | None = None) -> Detection:
    judge = Judge(FakeEngine(DAY, n_days), (OtherLevel(levels),), ("candidates",), SETTINGS.budget)
    with State(root, clock="archive") as state:
        return detect(request or Request(), judge, SETTINGS, state, now=NOW, progress=SILENT)


def found(detection: Detection) -> list[tuple[int, str]]:
    return [
        ((one.judged.day - DAY).days, finding.column)
        for one in detection.judgements
        for group in one.judged.groups
        for finding in group.findings
    ]


def expect(root: Path, detection: Detection, from_day: int | None = None) -> None:
    """Mark every incident of the run as expected."""
    with State(root, clock="archive") as state:
        first = None if from_day is None else DAY + timedelta(from_day)
        actor = state.actor("anna")
        for incident in detection.incidents:
            with state.transaction() as connection:
                acts.resolve(connection, incident.id, "expected", actor, from_day=first)


def test_a_change_a_return_and_a_further_change(tmp_path: Path) -> None:
    levels = {"a": [1] * 4 + [5] * 4 + [1] * 2 + [9] * 2, "b": [3] * 12}
    first = run(tmp_path, levels, 5)
    assert found(first) == [(4, "a")]
    expect(tmp_path, first)
    assert found(run(tmp_path, levels, 8)) == []
    # days 0–3 with the level 1 are still among the seven reference days: only the new normal shows the return
    back = run(tmp_path, levels, 9)
    assert found(back) == [(8, "a")]
    expect(tmp_path, back)
    assert found(run(tmp_path, levels, 10)) == []
    assert found(run(tmp_path, levels, 11)) == [(10, "a")]


def test_the_first_day_of_the_new_normal_is_said_to_be_unjudged(tmp_path: Path) -> None:
    levels = {"a": [1, 1, 1, 5, 5], "b": [1, 1, 1, 1, 7]}
    expect(tmp_path, run(tmp_path, levels, 4))
    again = run(tmp_path, levels, 4, Request(date=(DAY + timedelta(3)).isoformat()))
    assert found(again) == []
    (skipped,) = again.judgements[0].audit.skipped
    assert (skipped.kind, skipped.table, skipped.column) == ("too_little_data", "candidates", "a")
    assert skipped.reason.startswith(f"new normal since {DAY + timedelta(3)}")
    assert found(run(tmp_path, levels, 5)) == [(4, "b")], "what was not marked is judged as before"


def test_days_before_the_new_normal_are_judged_as_they_were(tmp_path: Path) -> None:
    levels = {"a": [1, 1, 5, 1, 8, 8]}
    expect(tmp_path, run(tmp_path, levels, 5), from_day=4)
    again = run(tmp_path, levels, 6, Request(since=(DAY + timedelta(2)).isoformat()))
    assert found(again) == [(2, "a")]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(2, 9)), min_size=2, max_size=5),
    st.lists(st.integers(0, 1), min_size=40, max_size=40),
)
@settings(deadline=None, derandomize=True, max_examples=15)
def test_every_step_alarms_once_when_it_is_marked_at_once(steps: list[tuple[int, int]], other: list[int]) -> None:
    """Levels that stand for some days each: exactly the first day of another level alarms, whatever else happens."""
    stood = [level for level, n_days in steps for _ in range(n_days)]
    levels = {"a": stood, "b": [level + 10 for level in other[: len(stood)]]}
    expected = [day for day in range(1, len(stood)) if stood[day] != stood[day - 1]]
    alarms = []
    with TemporaryDirectory() as folder:
        for day in range(len(stood)):
            detection = run(Path(folder), levels, day + 1)
            alarms += [number for number, column in found(detection) if column == "a"]
            expect(Path(folder), detection)
    assert alarms == expected


N_DAYS = 14


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Prices that rise by a half on the tenth day; on the last day they are the old ones."""
    folder = tmp_path / "candidates"
    folder.mkdir()
    for number in range(N_DAYS):
        start = datetime.combine(DAY + timedelta(number), datetime.min.time(), UTC)
        rows = [
            {
                "request_id": f"{number}-{request}",
                "ts": start + timedelta(minutes=3 * request),
                "item_id": f"i{request % 7}",
                "price": (1.5 if 9 <= number < N_DAYS - 1 else 1.0) * (10 + (request * 7 + number) % 5),
            }
            for request in range(400)
        ]
        pd.DataFrame(rows).to_parquet(folder / f"{number:02d}.parquet")
    roles = {name: name for name in ("request_id", "ts", "item_id", "price")}
    content = {"clock": "archive", "tables": {"candidates": {"source": {"path": "candidates"}, "roles": roles}}}
    (tmp_path / "recsysops.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return tmp_path


def test_real_detectors_on_a_real_log(shop: Path) -> None:
    late = [path.rename(shop / path.name) for path in sorted((shop / "candidates").glob("*.parquet"))[10:]]
    first = Workspace(shop).detect()
    prices = [one for one in first.findings.values() if one.column == "price"]
    assert prices
    assert {one.onset for one in prices} == {DAY + timedelta(9)}
    for incident in first.incidents:
        Workspace(shop).desk("anna").resolve(incident.id, "expected")
    for path in late:
        path.rename(shop / "candidates" / path.name)
    then = Workspace(shop).detect()
    assert [one.isoformat() for one in then.days] == [str(DAY + timedelta(number)) for number in range(10, N_DAYS)]
    last = DAY + timedelta(N_DAYS - 1)
    assert {one.onset for one in then.findings.values()} == {last}
    assert "input.distribution_shift" in {one.detector for one in then.findings.values()}
