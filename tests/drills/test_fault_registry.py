"""The shelf of faults: names, what is read without importing, and faults from other packages."""

from __future__ import annotations

import re
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from drill_logs import write_log

from recsysops import registry
from recsysops.drills.own_logs.own_logs import OwnLogs
from recsysops.drills.scorecard.placing import place
from recsysops.drills.views.fault_list import listed_faults
from recsysops.errors import PluginError
from recsysops.testing.check_fault import check_fault

SOURCE = '''
class Gremlin:
    """A gremlin sits in the feature store."""

    meta = FaultMeta("gremlin", "feature", "input", "gremlins", target=1.0, symptom="giggles", cure="garlic")
'''


@pytest.fixture
def gremlin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> registry.Plugin:
    (tmp_path / "gremlin_faults.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    point = EntryPoint("gremlin", "gremlin_faults:Gremlin", "recsysops.faults")
    monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == "recsysops.faults" else [])
    return registry.plugin("faults", "gremlin")


def test_a_fault_of_somebody_else_stands_after_the_built_ins_and_is_described_unimported(
    gremlin: registry.Plugin,
) -> None:
    assert registry.plugins("faults")[-1] == gremlin
    assert gremlin.summary() == "A gremlin sits in the feature store."
    declared = gremlin.declared(("name", "stage", "cause", "knob"))
    assert declared["stage"] == "feature"
    assert declared["target"] == 1.0
    assert "gremlin_faults" not in sys.modules


def test_names_on_the_command_line_are_plain_words() -> None:
    for name, target in registry.BUILT_INS["faults"]:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name), name
        assert target.startswith("recsysops.drills.faults."), target


def test_an_unknown_fault_points_to_the_list() -> None:
    with pytest.raises(PluginError, match="`recsysops drill list` shows them"):
        registry.plugin("faults", "zzzzzz")


def test_a_new_fault_is_one_file_and_one_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Listed, held to the contract and planted without touching anything else."""
    source = (Path(__file__).parent / "example_faults.py").read_text(encoding="utf-8")
    (tmp_path / "moths_of_mine.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    row = ("moths", "moths_of_mine:Moths")
    monkeypatch.setitem(registry.BUILT_INS, "faults", (*registry.BUILT_INS["faults"], row))
    assert listed_faults()[-1].name == "moths"
    fault = registry.plugin("faults", "moths").load()
    check_fault(fault)
    write_log(tmp_path / "team", n_days=2)
    logs = OwnLogs.prepare(tmp_path / "team", tmp_path / "copy")
    placed = place(fault, 4.0, logs.site, seed=0)
    assert logs.shows(placed.planted(logs.days[1], 0), logs.days[1])
