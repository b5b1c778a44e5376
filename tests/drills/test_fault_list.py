"""``drill list``: what is read of a fault without importing it."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from recsysops import registry
from recsysops.cli import main
from recsysops.drills.views.fault_list import META, fault_list_lines, listed_faults
from recsysops.reporting.plain import cells

Captured = pytest.CaptureFixture[str]
SOURCE = '''
import a_module_that_is_not_there

class Gremlin:
    """A gremlin sits in the feature store.

    More about it.
    """

    meta = FaultMeta(
        "gremlin", "feature", "input", "a \\x1b[31mnumeric[/] feature", "share of gremlins", target=0.5, symptom="s", cure="c"
    )

    def item_features(self, rows, moment): ...


class Goblin(Gremlin):
    """Goblins write the log."""

    meta = FaultMeta(name="goblin", stage=STAGE, cause="serving", is_fault=False)
    {own}
'''


@pytest.fixture(params=["def own_outcomes(self, rows, moment): ...", "own_candidates = Gremlin.item_features"])
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    (tmp_path / "small_devils.py").write_text(SOURCE.replace("{own}", request.param), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    points = [EntryPoint(name.lower(), f"small_devils:{name}", "recsysops.faults") for name in ("Goblin", "Gremlin")]
    monkeypatch.setattr(registry, "entry_points", lambda group: points if group == "recsysops.faults" else [])
    registry._source_of.cache_clear()


@pytest.mark.usefixtures("shelf")
def test_what_the_source_says_is_listed_and_nothing_is_run() -> None:
    goblin, gremlin = listed_faults()[-2:]
    assert (gremlin.name, gremlin.stage, gremlin.cause, gremlin.own_logs) == ("gremlin", "feature", "input", False)
    assert gremlin.summary == "A gremlin sits in the feature store."
    assert (gremlin.knob, gremlin.target, gremlin.is_fault) == ("share of gremlins", 0.5, True)
    assert (goblin.stage, goblin.cause, goblin.own_logs, goblin.is_fault) == ("", "serving", True, False)
    assert "small_devils" not in sys.modules


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize("width", [40, 80, 100])
def test_the_list_fits_and_shows_text_as_text(width: int) -> None:
    lines = [line.text for line in fault_list_lines(listed_faults(), width)]
    assert all(cells(line) <= width for line in lines[:-2])
    assert not any("\x1b" in line for line in lines)
    assert any(line.startswith("  gremlin") and ("A gremlin" in line or width == 40) for line in lines)


def test_the_order_of_the_arguments_is_that_of_the_contract() -> None:
    from dataclasses import fields

    from recsysops.drills.fault import FaultMeta

    assert tuple(field.name for field in fields(FaultMeta))[: len(META)] == META


def test_the_built_in_faults_say_everything_in_plain_words(capsys: Captured) -> None:
    assert main(["drill", "list", "--json"]) == 0
    capsys.readouterr()
    for row in listed_faults():
        if row.origin == "recsysops":
            assert row.stage, row.name
            assert row.cause, row.name
            assert row.entity, row.name
            assert row.target is not None, row.name
            assert row.summary.endswith("."), row.name


def test_the_list_agrees_with_the_loaded_faults() -> None:
    from recsysops.drills.fault import acts_on_own_logs

    for row, entry in zip(listed_faults(), registry.plugins("faults"), strict=True):
        fault = entry.load()
        assert row.name == fault.meta.name
        assert row.own_logs is acts_on_own_logs(fault), row.name
        assert (row.stage, row.cause, row.entity) == (fault.meta.stage, fault.meta.cause, fault.meta.entity)
        assert (row.target, row.is_fault) == (fault.meta.target, fault.meta.is_fault)
