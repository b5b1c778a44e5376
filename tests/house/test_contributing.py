"""The detector in CONTRIBUTING works as printed: installed by entry point, listed, and true to the contract."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "CONTRIBUTING.md"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The guide's files, installed as a distribution would be: modules beside a dist-info folder."""
    text = GUIDE.read_text(encoding="utf-8")
    blocks = re.findall(r"<!-- example: (\S+) -->\n```python\n(.*?)```", text, re.DOTALL)
    for name, code in blocks:
        (tmp_path / name).write_text(code, encoding="utf-8")
    entry_points = re.search(r"```toml\n\[project\.entry-points\.\"(\S+)\"\]\n\"(\S+)\" = \"(\S+)\"\n```", text)
    assert entry_points is not None
    group, name, target = entry_points.groups()
    info = tmp_path / "example_detectors-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: example-detectors\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {target}\n", encoding="utf-8")
    return tmp_path


def run(package: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(package)}
    return subprocess.run(
        [sys.executable, *words], cwd=package, env=environment, capture_output=True, text=True, check=False
    )


def test_the_detector_keeps_the_contract(package: Path) -> None:
    done = run(
        package,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--doctest-modules",
        "short_slate.py",
        "test_short_slate.py",
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_the_detector_is_listed(package: Path) -> None:
    done = run(package, "-m", "recsysops", "detectors", "list")
    assert done.returncode == 0, done.stderr
    assert "example.short_slate" in done.stdout
    assert "Slates have become shorter" in done.stdout
