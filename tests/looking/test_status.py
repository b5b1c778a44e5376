"""Status: never run, after a run, with damage; it counts nothing and makes nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from looking_logs import DAYS, write_logs

from recsysops import Workspace
from recsysops.cli import main
from recsysops.errors import StateError
from recsysops.reporting.detect_report import DetectReport
from recsysops.reporting.status_view import status_lines

Judged = tuple[Path, DetectReport]


def screen(folder: Path, width: int = 100) -> str:
    return "\n".join(line.text for line in status_lines(Workspace(folder).status(), width)).replace("\u00a0", " ")


def test_never_run(tmp_path: Path) -> None:
    folder = write_logs(tmp_path / "logs")
    status = Workspace(folder).status()
    assert status.judged_through is None
    assert status.last_run is None
    assert [(one.table, one.n_files, one.n_uncounted) for one in status.horizons] == [
        ("candidates", len(DAYS), len(DAYS)),
        ("outcomes", len(DAYS), len(DAYS)),
        ("items", 1, 1),
    ]
    assert "no day has been judged yet" in screen(folder).splitlines()[0]
    assert not (folder / ".recsysops").exists()


def test_after_a_run(judged: Judged) -> None:
    folder, report = judged
    status = Workspace(folder).status()
    assert status.judged_through == DAYS[-1]
    assert status.n_judged == 3
    assert status.last_good is not None
    assert status.last_good == status.last_run
    assert {one.id for one in status.incidents} == {one.id for one in report.incidents if one.status == "open"}
    assert [(one.last_day, one.n_uncounted) for one in status.horizons[:2]] == [(DAYS[-1], 0)] * 2
    assert status.note is not None
    assert set(status.note.skipped) == set(report.skipped)
    assert status.note.exit_code == report.exit_code
    assert status.budget == report.budget
    shown = screen(folder)
    assert f"judged through {DAYS[-1]}" in shown
    assert "recency is NULL" in shown
    assert all(len(line) <= 80 for line in screen(folder, 80).splitlines() if not line.startswith(("next", "      ")))


def test_json_has_what_the_screen_has(judged: Judged, capsys: pytest.CaptureFixture[str]) -> None:
    folder, report = judged
    assert main(["-w", str(folder), "status", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["schema_version"] == 1
    assert told["judged_through"] == DAYS[-1].isoformat()
    assert told["tables"][0]["last_day"] == DAYS[-1].isoformat()
    assert told["last_run"]["is_good"]
    assert [one["detector"] for one in told["skipped"]] == [one.detector for one in report.skipped]


def test_new_and_rewritten_files_are_uncounted(judged: Judged, tmp_path: Path) -> None:
    folder = shutil.copytree(judged[0], tmp_path / "copy")
    newest = folder / "candidates" / f"{DAYS[-1]}.parquet"
    shutil.copy(folder / "candidates" / f"{DAYS[-2]}.parquet", newest)
    shutil.copy(newest, folder / "candidates" / "late.parquet")
    counted = {one.table: one for one in Workspace(folder).status().horizons}
    assert counted["candidates"].n_uncounted >= 2
    assert "recsysops detect" in screen(folder)


def test_a_table_without_files_says_so_and_the_rest_is_told(judged: Judged, tmp_path: Path) -> None:
    folder = shutil.copytree(judged[0], tmp_path / "copy")
    shutil.rmtree(folder / "outcomes")
    status = Workspace(folder).status()
    broken = {one.table: one.problem for one in status.horizons}
    assert "outcomes" in broken["outcomes"]
    assert not broken["candidates"]
    assert "outcomes cannot be read" in screen(folder).splitlines()[0].replace("\n", " ") + screen(folder)


@pytest.mark.parametrize("name", ["state.db", "last-run.json", "manifests"])
def test_damage_is_one_clear_line(
    judged: Judged, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    folder = shutil.copytree(judged[0], tmp_path / "copy")
    place = folder / ".recsysops" / name
    for path in [place] if place.is_file() else sorted(place.glob("candidates-*.json")):
        path.write_bytes(b"\x00 nothing of ours " * 400)
    for more in folder.glob(".recsysops/state.db-*"):
        more.unlink()
    with pytest.raises(StateError, match="expected"):
        Workspace(folder).status()
    assert main(["-w", str(folder), "status"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1


def test_a_run_that_failed_is_told(judged: Judged, tmp_path: Path) -> None:
    from recsysops.incidents.state import State

    folder = shutil.copytree(judged[0], tmp_path / "copy")
    with State(folder / ".recsysops") as state:
        state.finish_run(state.begin_run("detect"), "SourceError")
        state.begin_run("detect")
    status = Workspace(folder).status()
    assert status.last_run is not None
    assert status.last_good is not None
    assert status.last_good.id < status.last_run.id
    assert "did not finish" in screen(folder)
    assert "Last good run: 2" in screen(folder)
