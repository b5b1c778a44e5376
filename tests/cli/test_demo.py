"""The demo on real logs says true things, and deletes nothing."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from recsysops import Workspace
from recsysops.cli import main
from recsysops.cli.demo import commands

Captured = pytest.CaptureFixture[str]


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "mine").write_text("precious")
    assert main(["demo", str(tmp_path)]) == 2
    assert "found a folder that is not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert main(["demo", str(tmp_path / "mine")]) == 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "a folder"


def test_the_demo_runs_the_commands_it_prints(folder: Path, capsys: Captured) -> None:
    assert main(["demo", str(folder)]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    for words in commands(folder):
        assert f"$ {shlex.join(['recsysops', *words])}\n" in captured.out
    assert "no difference in clicks that the data can carry" in " ".join(captured.out.split())
    assert (folder / "README.md").exists()
    assert main(["demo", str(folder)]) == 2


def test_the_exposure_shift_between_policies_is_found_and_no_click_difference_is_claimed(folder: Path) -> None:
    report = Workspace(folder).compare("policy=random", "policy=bts")
    assert report.exposure.is_different
    assert report.exposure.total_variation == pytest.approx(0.544, abs=0.001)  # checked by hand in SQL
    assert report.exposure.expected_by_chance < 0.05
    assert report.exposure.movers[0].item_id == "men-13"
    (clicks,) = report.outcomes
    assert (clicks.n_reference, clicks.n_current) == (84, 111)
    assert not clicks.is_different
    assert clicks.low < 0 < clicks.high
    assert report.exit_code == 1


def test_conditions_may_be_joined(folder: Path) -> None:
    reference, current = "policy=random,campaign=all", "policy=bts,campaign=all"
    report = Workspace(folder).compare(reference, current, only=["output.item_domination"])
    assert report.exposure.is_different
    (clicks,) = report.outcomes
    assert (clicks.n_reference, clicks.n_current, clicks.is_different) == (38, 42, False)
