"""The demo on the streaming sample: its story shows in what detect says, and the commands are those printed."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from recsysops import Workspace
from recsysops.cli import main
from recsysops.cli.demo import WRONG_SINCE, Logs, commands, copy_sample
from recsysops.sample_logs.streaming import story

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "a folder"
    copy_sample(folder, force=False, logs=Logs.STREAMING)
    return folder


def test_the_copy_is_a_workspace_with_its_models(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} >= {"recsysops.yaml", "logs", "models", "README.md"}
    assert Workspace(folder).settings.name == "streaming"


def test_the_wrong_language_is_found_on_its_day(folder: Path) -> None:
    report = Workspace(folder).detect(date=WRONG_SINCE, only=["input.wrong_entity"])
    (found,) = report.findings.values()
    assert (found.table, found.column, found.day.isoformat()) == ("item_features", "language", WRONG_SINCE)
    assert found.headline.startswith("language of 1 of 419 items has changed")


@pytest.mark.slow
def test_the_demo_runs_the_commands_it_prints(tmp_path: Path, capsys: Captured) -> None:
    folder = tmp_path / "new"
    assert main(["demo", str(folder), "--logs", "streaming"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    for words in commands(folder, logs=Logs.STREAMING):
        assert f"$ {shlex.join(['recsysops', *words])}\n" in captured.out
    assert "original_language and country of items disagree in 1 of 416 rows" in " ".join(captured.out.split())
    assert f"On {WRONG_SINCE} the language of item {story.ITEM} was set wrongly" in captured.out


def test_another_sample_is_no_choice(tmp_path: Path, capsys: Captured) -> None:
    assert main(["demo", str(tmp_path / "new"), "--logs", "fashion"]) == 2
    message = capsys.readouterr().err
    assert "open_bandit" in message
    assert "streaming" in message
    assert not (tmp_path / "new").exists()
