"""docs/drills.md says what is so: the seams and their columns, the commands, and a fault that works as printed."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from importlib.metadata import EntryPoint
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from tiny_world import TinyWorld

from recsysops import registry
from recsysops.cli import main
from recsysops.drills.fault import SEAMS
from recsysops.testing.check_fault import check_fault

PAGE = Path(__file__).parents[2] / "docs" / "drills.md"
Captured = pytest.CaptureFixture[str]
pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the docs are in a checkout only")


def test_seams_and_benign_events_are_those_of_the_service() -> None:
    spec = spec_from_file_location("docs_tables", PAGE.parent / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    tables = module_from_spec(spec)
    spec.loader.exec_module(tables)
    text = PAGE.read_text("utf-8")
    assert text.count("\n| `") >= len(SEAMS)
    assert tables.with_lists(text) == text, "`make docs` writes the lists anew"


def test_the_commands_exist(capsys: Captured) -> None:
    assert main(["drill", "run", "--help"]) == 0
    known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) | {"--json"}
    commands = re.findall(r"recsysops drill (list|run)([^`#\n]*)", PAGE.read_text("utf-8"))
    assert len(commands) >= 5
    for _, words in commands:
        assert set(re.findall(r"--[a-z-]+", words)) <= known


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page's files and its entry point, as if installed."""
    text = PAGE.read_text("utf-8")
    for name, code in re.findall(r"<!-- example: (\S+) -->\n```python\n(.*?)```", text, re.DOTALL):
        (tmp_path / name).write_text(code, encoding="utf-8")
    declared = re.search(r"\[project\.entry-points\.\"(\S+)\"\]\n\"(\S+)\" = \"(\S+)\"", text)
    assert declared is not None
    group, name, target = declared.groups()
    monkeypatch.syspath_prepend(str(tmp_path))
    points = [EntryPoint(name, target, group)]
    monkeypatch.setattr(registry, "entry_points", lambda group: points if group == "recsysops.faults" else [])
    monkeypatch.delitem(sys.modules, "runtime_in_seconds", raising=False)
    return tmp_path


@pytest.mark.usefixtures("package")
def test_a_new_fault_is_one_file_and_one_row(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert main(["drill", "list"]) == 0
    assert "Runtimes of some items arrive in seconds" in capsys.readouterr().out
    assert "runtime_in_seconds" not in sys.modules
    check_fault(registry.plugin("faults", "runtime_in_seconds").load())


@pytest.mark.usefixtures("package")
def test_the_printed_fault_reaches_the_features_and_the_clean_world_has_none_of_it(tiny_world: TinyWorld) -> None:
    fault = import_module("runtime_in_seconds").RuntimeInSeconds(0.3)
    clean, faulted = tiny_world.clean().table("candidates"), tiny_world.faulted(fault).table("candidates")
    assert clean["item_runtime_minutes"].max() < 60 * clean["item_runtime_minutes"].median()
    share = (faulted["item_runtime_minutes"] > clean["item_runtime_minutes"].max()).mean()
    assert 0.1 < share < 0.6


def test_the_example_test_is_the_one_that_is_run_here() -> None:
    assert "check_fault(RuntimeInSeconds)" in PAGE.read_text("utf-8")
