"""The words of ``drill run``: what is refused, what is run, what is written, which exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, ClassVar

import pytest
from example_cards import card, curve, hostile, meta, usual

from recsysops import registry
from recsysops.cli import main
from recsysops.drills.fault import FaultMeta
from recsysops.drills.planning import MARKER, Request, drill_folder
from recsysops.drills.scorecard.results import Card
from recsysops.errors import ConfigError

Captured = pytest.CaptureFixture[str]


@dataclass(frozen=True)
class Imp:
    """An imp turns a feature upside down."""

    meta: ClassVar[FaultMeta] = meta("imp")


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [EntryPoint("imp", f"{__name__}:Imp", "recsysops.faults")]
    monkeypatch.setattr(registry, "entry_points", lambda group: points if group == "recsysops.faults" else [])


@pytest.fixture
def drilled(monkeypatch: pytest.MonkeyPatch) -> Callable[[Card], list[Any]]:
    """Run nothing: the card is given, and what was asked for is noted."""

    def give(value: Card) -> list[Any]:
        asked: list[Any] = []

        def run_drill(plan: Any, folder: Path, progress: Any) -> Card:
            asked.extend([plan, folder])
            return value

        monkeypatch.setattr("recsysops.drills.scorecard.run.run_drill", run_drill)
        return asked

    return give


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--fault", "imq"], "did you mean imp?"),
        (["--severity", "0"], "--severity: found 0, expected a multiple above 0"),
        (["--severity", "-1"], "--severity: found -1"),
        (["--severity", "nan"], "--severity: found nan"),
        (["--severity", "inf"], "--severity: found inf"),
        (["--severity", "much"], "'--severity'"),
        (["--seeds", "0"], "--seeds: found 0, expected at least 1"),
        (["--jobs", "0"], "--jobs: found 0, expected at least 1"),
        (["--folder", "mine"], "--folder: found mine, not empty and not made by a drill"),
        (["--folder", "mine/file"], "--folder: found mine/file, a file"),
    ],
)
def test_bad_words_are_one_line_and_nothing_is_touched(
    words: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("precious")
    assert main(["drill", "run", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert told in captured.err
    assert [path.name for path in tmp_path.rglob("*")] == ["mine", "file"]


@pytest.mark.usefixtures("shelf")
def test_the_screen_the_page_and_the_documents_are_written(
    drilled: Callable[[Card], list[Any]], tmp_path: Path, capsys: Captured
) -> None:
    plan, folder = drilled(replace(usual(), cannot_look=())), tmp_path / "drill"
    words = ["--html", str(tmp_path / "new" / "a.html"), "--markdown", str(tmp_path / "a.md"), "--fault", "imp"]
    assert main(["drill", "run", *words, "--folder", str(folder)]) == 0
    assert capsys.readouterr().out.startswith("Found in time: 3 of 6 faults")
    assert plan[1] == folder
    assert (folder / MARKER).exists()
    assert json.loads((folder / "scorecard.json").read_text("utf-8"))["clean_days"] == 184
    assert (tmp_path / "new" / "a.html").read_text("utf-8").startswith("<!doctype html>")
    assert (tmp_path / "a.md").read_text("utf-8").startswith("# Scorecard\n")


@pytest.mark.usefixtures("shelf")
def test_with_json_there_is_one_object_and_a_failed_trial_is_6(
    drilled: Callable[[Card], list[Any]], tmp_path: Path, capsys: Captured
) -> None:
    drilled(hostile())
    assert main(["drill", "run", "--json", "--folder", str(tmp_path)]) == 6
    captured = capsys.readouterr()
    assert json.loads(captured.out)["cannot_look"]
    assert captured.err == ""


@pytest.mark.usefixtures("shelf")
def test_own_logs_need_a_workspace_and_have_a_card_of_their_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Captured
) -> None:
    words = ["drill", "run", "--own-logs", "--folder", str(tmp_path / "drill")]
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert "recsysops.yaml" in capsys.readouterr().err
    assert not (tmp_path / "drill").exists()
    asked: list[Any] = []

    def run_own_drill(plan: Any, workspace: Any, folder: Path, progress: Any) -> Card:
        asked.extend([workspace.root, folder])
        return replace(usual(), is_own_logs=True, cannot_look=())

    monkeypatch.setattr("recsysops.drills.own_logs.own_run.run_own_drill", run_own_drill)
    monkeypatch.setattr("recsysops.workspace.Workspace.tables", {})
    assert main([*words, "-w", str(tmp_path)]) == 0
    assert asked == [tmp_path, tmp_path / "drill"]
    assert [path.name for path in (tmp_path / "drill").glob("*.json")] == ["own-logs-scorecard.json"]


@pytest.mark.usefixtures("shelf")
def test_a_found_fault_is_no_failure_and_neither_is_a_missed_one(
    drilled: Callable[[Card], list[Any]], tmp_path: Path
) -> None:
    drilled(card([curve(meta("imp"), (0, 0, 0, 0, 0))]))
    assert main(["drill", "run", "--folder", str(tmp_path / "a")]) == 0


@pytest.mark.usefixtures("shelf")
def test_what_was_not_said_has_the_usual_values() -> None:
    full, quick = Request(("imp",)).plan(), Request(is_quick=True).plan()
    assert [kind.__name__ for kind in full.faults] == ["Imp"]
    assert (full.multiples, full.seeds) == ((0.5, 1.0, 2.0, 4.0, 8.0), (0, 1, 2))
    assert full.n_clean_days >= 180
    assert (quick.multiples, quick.seeds) == ((4.0,), (0,))
    assert quick.days_per_seed == quick.size.n_days < full.days_per_seed
    said = Request(("imp",), (8.0, 2.0, 8.0), 2, is_quick=True).plan()
    assert (said.multiples, said.seeds) == ((2.0, 8.0), (0, 1))


@pytest.mark.usefixtures("shelf")
def test_more_seeds_have_the_same_clean_runs_as_fewer() -> None:
    one, three = Request(n_seeds=1).plan(), Request().plan()
    assert one.days_per_seed == three.days_per_seed


def test_no_fault_at_all_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsysops.drills.planning.plugins", lambda shelf: ())
    with pytest.raises(ConfigError, match="faults: found none installed"):
        Request().plan()


def test_a_folder_of_an_earlier_drill_is_taken_again(tmp_path: Path) -> None:
    folder = drill_folder(tmp_path / "one" / "two")
    (folder / "trials").mkdir()
    assert drill_folder(folder) == folder
