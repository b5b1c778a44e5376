"""Own logs: the copy, the days played again, and faults planted in them; the originals are never touched."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from drill_logs import FIRST_DAY, ROLES, candidates, outcomes, write_items, write_log
from example_faults import Moths

from recsysops.drills.fault import FaultMeta, Moment, Planted
from recsysops.drills.own_logs.copying import day_path
from recsysops.drills.own_logs.own_logs import OwnLogs
from recsysops.drills.own_logs.own_run import run_own_drill
from recsysops.drills.own_logs.own_trial import onsets_for, preparation, why_not
from recsysops.drills.own_logs.replay import Replay
from recsysops.drills.rows import Rows
from recsysops.drills.scorecard.plan import DrillPlan
from recsysops.errors import NotEnoughDataError, StateError
from recsysops.workspace import Workspace

DAYS = [FIRST_DAY + timedelta(days=index) for index in range(6)]
FORMS = [("parquet", False), ("csv", False), ("jsonl", False), ("parquet", True), ("jsonl", True)]


def fingerprints(folder: Path) -> dict[str, str]:
    """What every file holds."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> OwnLogs:
    root = tmp_path_factory.mktemp("team")
    write_log(root)
    return OwnLogs.prepare(root, tmp_path_factory.mktemp("drill") / "copy")


@pytest.mark.parametrize(("form", "is_slates"), FORMS)
def test_a_copy_holds_the_same_values_under_the_same_names(tmp_path: Path, form: str, is_slates: bool) -> None:
    team = tmp_path / "team"
    team.mkdir()
    days = write_log(team, n_days=3, form=form, is_slates=is_slates)
    before = fingerprints(team)
    logs = OwnLogs.prepare(team, tmp_path / "copy")
    assert fingerprints(team) == before
    assert logs.days == tuple(days)
    for day, expected in days.items():
        found = pq.ParquetFile(day_path(logs.folder, "candidates", day)).read().to_pandas()
        for name in expected:
            _assert_equal(found[name], expected[name])


def _assert_equal(found: pd.Series[Any], expected: pd.Series[Any]) -> None:
    if expected.dtype.kind == "f" or str(expected.dtype) == "Int64":
        np.testing.assert_allclose(found.astype("float64"), expected.astype("float64"), rtol=1e-9)
    else:
        assert [*map(str, found.fillna("-"))] == [*map(str, expected.fillna("-"))]


def test_rows_are_in_the_file_of_their_day_and_nowhere_else(own: OwnLogs) -> None:
    every = pd.concat([outcomes(pd.concat([candidates(a), candidates(b)], ignore_index=True)) for a, b in _pairs()])
    by_day = every["t"].dt.date.value_counts()
    for day in own.days:
        found = pq.ParquetFile(day_path(own.folder, "outcomes", day)).read().to_pandas()
        assert set(found["t"].dt.date) == {day}
        assert len(found) == by_day[day]


def _pairs() -> list[tuple[date, date]]:
    return list(zip(DAYS[::2], DAYS[1::2], strict=True))


def test_only_the_last_days_are_copied_and_gaps_are_empty_days(tmp_path: Path) -> None:
    write_log(tmp_path / "team", n_days=40, n_requests=3, detect={"reference_days": 2})
    gone = tmp_path / "team" / "can'd" / "part-18.parquet"  # the 37th and 38th day
    gone.unlink()
    logs = OwnLogs.prepare(tmp_path / "team", tmp_path / "copy")
    assert len(logs.days) == 30
    assert logs.days[-1] == FIRST_DAY + timedelta(days=39)
    assert pq.ParquetFile(day_path(logs.folder, "candidates", logs.days[-3])).metadata.num_rows == 0
    assert Workspace(logs.folder).tables["candidates"].schema.column("f.row") is not None


def test_large_days_are_sampled_by_whole_requests_the_same_in_both_tables(tmp_path: Path) -> None:
    write_log(tmp_path / "team", n_days=2, n_requests=400)
    logs = OwnLogs.prepare(tmp_path / "team", tmp_path / "copy", max_day_rows=400)
    assert logs.copied.rate == 0.25
    rows = pq.ParquetFile(day_path(logs.folder, "candidates", logs.days[0])).read().to_pandas()
    sizes = rows.groupby(ROLES["request_id"]).size()
    assert set(sizes) == {4}
    assert len(sizes) == pytest.approx(100, abs=35)
    plays = pq.ParquetFile(day_path(logs.folder, "outcomes", logs.days[0])).read().to_pandas()
    assert set(plays["r"]) <= set(rows[ROLES["request_id"]])


def test_other_tables_are_read_where_they_are(tmp_path: Path) -> None:
    team = tmp_path / "te[a]m"
    team.mkdir()
    write_log(team, n_days=2)
    write_items(team, DAYS[1])
    logs = OwnLogs.prepare(team, tmp_path / "copy")
    assert logs.site.launched_ids == ("next", "new")
    assert not (logs.folder / "items.parquet").exists()


def test_features_chosen_by_a_glob_stay_those_they_were(own: OwnLogs) -> None:
    """Also where the copy's own folders would match: ``day=…`` is a column to whoever reads them."""
    assert [column.name for column in Workspace(own.folder).tables["candidates"].schema.features] == [
        "f.row", "f.member", "f.item", "génre"
    ]  # fmt: skip


def test_a_folder_without_a_finished_copy_is_known(tmp_path: Path) -> None:
    with pytest.raises(StateError, match=r"no readable own_logs\.json"):
        _ = OwnLogs(tmp_path).days


def test_a_fault_changes_its_day_in_the_fork_alone(own: OwnLogs, tmp_path: Path) -> None:
    before = fingerprints(own.folder)
    replay = Replay.begin(tmp_path / "fork", own.folder, 0)
    planted = Planted(Moths(0.5, "f.member"), own.days[2], seed=1)
    for _ in own.days[:4]:
        replay.run_day([planted])
    assert fingerprints(own.folder) == before
    for number, day in enumerate(own.days[:4]):
        clean, there = (
            pq.ParquetFile(day_path(one, "candidates", day)).read() for one in (own.folder, tmp_path / "fork")
        )
        assert there.schema == clean.schema
        share = there.column("f.member").null_count / len(there)
        assert share == pytest.approx(0.5 if number >= 2 else 0.0, abs=0.1)
        for name in clean.column_names:
            if name != "f.member":
                assert repr(there.column(name).to_pylist()) == repr(clean.column(name).to_pylist())


def test_a_replay_goes_on_where_it_was_saved(own: OwnLogs, tmp_path: Path) -> None:
    replay = Replay.begin(tmp_path / "fork", own.folder, 0)
    replay.run_day()
    replay.save(tmp_path / "checkpoint")
    resumed = Replay.resume(tmp_path / "checkpoint", tmp_path / "fork")
    assert resumed.next_day == own.days[1]
    assert resumed.run_day() == own.days[1]
    assert Workspace(tmp_path / "fork").tables["candidates"].partitions()[-1].values == (("day", str(own.days[1])),)


@dataclass(frozen=True)
class Slow(Moths):
    """Moths that take their time."""

    meta: ClassVar[FaultMeta] = replace(Moths.meta, name="slow_moths", deadline_days=30)


@dataclass(frozen=True)
class Deep(Moths):
    """Moths in a place that no log shows."""

    meta: ClassVar[FaultMeta] = replace(Moths.meta, name="deep_moths")
    own_candidates = None  # type: ignore[assignment]

    def catalogue(self, rows: Rows, moment: Moment) -> Rows:
        return rows


@dataclass(frozen=True)
class Late(Moths):
    """Moths in what members did."""

    own_candidates = None  # type: ignore[assignment]

    def own_outcomes(self, rows: Rows, moment: Moment) -> Rows:
        return rows.with_null("item_id", moment.rng.random(len(rows)) < self.severity)


@dataclass(frozen=True)
class Shy(Moths):
    """Moths that eat what is not in the log."""

    meta: ClassVar[FaultMeta] = replace(Moths.meta, name="shy_moths")

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        return rows.with_columns(fallback=np.ones(len(rows), bool))


def test_what_cannot_be_planted_says_why(own: OwnLogs, tmp_path: Path) -> None:
    assert why_not(Moths, own) == why_not(Late, own) == ""
    assert why_not(Deep, own) == "acts inside the service (catalogue, features), not in its logs"
    write_log(tmp_path / "team", n_days=2, with_outcomes=False)
    assert (
        why_not(Late, OwnLogs.prepare(tmp_path / "team", tmp_path / "copy")) == "acts on outcomes, which your logs lack"
    )


def test_onsets_leave_room_for_the_deadline(own: OwnLogs) -> None:
    onsets = preparation(own, "x").onsets
    assert onsets == own.days[3:]
    assert onsets_for(Moths, onsets, own.days[-1]) == own.days[3:]
    two_days = type("TwoDays", (Moths,), {"meta": replace(Moths.meta, deadline_days=2)})
    assert onsets_for(two_days, onsets, own.days[-1]) == own.days[3:5]
    assert onsets_for(Slow, onsets, own.days[-1]) == ()


def test_a_drill_finds_what_is_gross_and_goes_on_where_it_was(tmp_path: Path) -> None:
    team = tmp_path / "team"
    team.mkdir()
    write_log(team, n_days=7, n_requests=120)
    before = fingerprints(team)
    plan = DrillPlan((Moths, Slow, Deep, Shy), None, (8.0, 16.0), (0, 1), 1)
    card = run_own_drill(plan, Workspace(team), tmp_path / "drill")
    assert fingerprints(team) == before
    assert card.cannot_look == ()
    assert card.what == "copy of the logs of odd, 7 days"
    assert card.clean.n_days == 4
    found, slow, deep, shy = card.faults
    assert found.points[-1].detected.value == 1.0
    assert found.points[-1].scope_overlap is not None
    assert "takes up to 30 days to show; your logs have 7" in slow.cannot
    assert deep.cannot.startswith("acts inside the service")
    assert shy.cannot == "changes nothing that your logs show"
    trials = fingerprints(tmp_path / "drill" / "trials")
    again = run_own_drill(plan, Workspace(team), tmp_path / "drill")
    assert json.dumps(again.to_dict()) == json.dumps(card.to_dict())
    assert fingerprints(tmp_path / "drill" / "trials") == trials


def test_two_days_are_too_few(tmp_path: Path) -> None:
    write_log(tmp_path / "team", n_days=2)
    with pytest.raises(NotEnoughDataError, match="found 2 complete days, expected at least 3"):
        run_own_drill(DrillPlan((Moths,), None), Workspace(tmp_path / "team"), tmp_path / "drill")
