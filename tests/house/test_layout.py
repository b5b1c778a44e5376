"""The house stands as drawn: links, guards, file sizes, and nothing of this machine in what is shipped."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHELVES = ("detectors", "predictors", "diagnosis", "hotfixes")
IS_CHECKOUT = (ROOT / "detectors").is_dir()

pytestmark = pytest.mark.skipif(not IS_CHECKOUT, reason="the shelves lie at the top level only in a checkout")


def python_files() -> list[Path]:
    return sorted(path for folder in ("recsysops", *SHELVES) for path in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("name", [*SHELVES, "sample_logs"])
def test_every_shelf_is_a_folder_inside_the_package(name: str) -> None:
    assert (ROOT / "recsysops" / name).is_dir(), "without the link a wheel silently lacks the shelf"


@pytest.mark.parametrize("name", SHELVES)
def test_a_bare_import_of_a_shelf_fails(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import {name}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "ImportError" in done.stderr


def test_files_are_small() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()}
    modules = [n for path, n in lengths.items() if path.name != "__init__.py"]
    assert max(modules) <= 500
    assert statistics.median(modules) <= 120


def test_nothing_names_a_machine_or_an_index_host() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    forbidden = re.compile(r"(^|[\s\"'(])/(root|home|work|opt)/\w|files\.pythonhosted|pypi\.org/simple")
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.suffix in {".parquet", ".svg"} or path.is_symlink() or path.name == Path(__file__).name:
            continue
        assert not forbidden.search(path.read_text(encoding="utf-8")), name


def test_no_lock_file_names_download_addresses() -> None:
    assert not (ROOT / "uv.lock").exists()
    assert "://" not in (ROOT / "requirements.lock").read_text(encoding="utf-8")
