"""Every bad log against every command: one line with exit 2, a reason why something was skipped, or an honest answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from honest_run import Ran, leftovers, run
from hostile_logs import LOGS

COHORTS = ("compare", "--reference", "arm=a", "--current", "arm=b")
REFUSED = (
    "no folder",
    "empty folder",
    "empty file",
    "truncated parquet",
    "text as parquet",
    "csv, broken row",
    "csv, not utf-8",
    "csv, empty",
    "csv, garbage late",
    "csv, open quote",
    "csv, a column twice",
    "hostile file names",
    "score as text everywhere",
    "score as bool",
    "position as text",
    "ts as bool",
    "item_id as bytes",
    "request_id as list",
    "slices as floats",
)
"""Logs that `detect` cannot begin with."""
OF_ANOTHER_TYPE = ("score as text", "score as number text", "score as list", "score as struct")
"""Part of the log has a column in another type: it is NULL where it cannot be read, and that is found."""
UNSOUND = (
    *REFUSED,
    *OF_ANOTHER_TYPE,
    "corrupt parquet",
    "role column missing",
    "required column missing",
    "slice column missing",
    "position as float",
    "position negative",
    "ts as garbage",
    "ts as garbage everywhere",
    "item_id as float",
    "request_id all null",
    "ts all null",
    "item_id all null",
    "year 1",
    "epoch zero",
)
"""Logs that `check` calls unusable."""
FOUND_OR_SAID = (
    *OF_ANOTHER_TYPE,
    "zero rows",
    "one row",
    "ts as garbage",
    "role column missing",
    "required column missing",
    "corrupt parquet",
)
FAST = (
    *REFUSED,
    *UNSOUND,
    *FOUND_OR_SAID,
    "hostile ids",
    "hostile slices",
    "hostile column names",
    "score huge",
    "NaT",
)


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A file that hostile names point at; whatever happens, it stays as it is."""
    path = tmp_path / "up"
    path.write_text("alive")
    return path


@pytest.mark.parametrize("name", list(dict.fromkeys(FAST)))
def test_detect_and_check_are_honest(tmp_path: Path, canary: Path, name: str) -> None:
    root = tmp_path / "a" / "b"
    LOGS[name](root)
    before = sorted(root.rglob("*"))
    checked = run("check", "-w", str(root), "--json")
    assert sorted(root.rglob("*")) == before
    assert (checked.code == 2) == (name in UNSOUND), checked.out
    assert all(problem["found"] for problem in checked.value["problems"])
    detected = run("detect", "-w", str(root), "--json")
    assert (detected.code == 2) == (name in REFUSED), detected
    assert detected.code == 1 or name not in FOUND_OR_SAID
    _names_the_place(detected, name)
    assert not leftovers(root)
    assert canary.read_text() == "alive"


@pytest.mark.slow
@pytest.mark.parametrize("name", LOGS)
def test_every_command_is_honest(tmp_path: Path, canary: Path, name: str) -> None:
    root = tmp_path / "a" / "b"
    LOGS[name](root)
    data = next(path for path in (root / "candidates", root / "candidates.csv", root) if path.exists())
    begun = run("init", str(data), "-w", str(root / "new"))
    assert (root / "new" / "recsysops.yaml").exists() == (begun.code == 0)
    for words in (("check",), ("detect", "--verbose"), ("detect", "--since", "1d", "--json"), COHORTS, ("snapshot",)):
        run(*words, "-w", str(root))
    run(*COHORTS, "-w", str(root), "--json")
    assert not leftovers(root)
    assert canary.read_text() == "alive"


@pytest.mark.parametrize("name", [name for name in REFUSED if "folder" not in name])
def test_init_writes_all_or_nothing(tmp_path: Path, name: str) -> None:
    LOGS[name](tmp_path / "logs")
    data = next(path for path in (tmp_path / "logs/candidates", tmp_path / "logs/candidates.csv") if path.exists())
    ran = run("init", str(data), "-w", str(tmp_path / "new"))
    assert (tmp_path / "new" / "recsysops.yaml").exists() == (ran.code == 0)
    assert not leftovers(tmp_path)


@pytest.mark.parametrize("name", ["hostile ids", "hostile slices", "hostile column names"])
def test_hostile_names_are_shown_literally(tmp_path: Path, name: str) -> None:
    root = tmp_path / "w"
    LOGS[name](root)
    for words in (("check",), ("detect", "--verbose"), COHORTS):
        run(*words, "-w", str(root))
    assert not leftovers(root)


def _names_the_place(ran: Ran, name: str) -> None:
    """An error says which table, file or column it is about."""
    if ran.err:
        assert "candidates" in ran.message, (name, ran.message)
