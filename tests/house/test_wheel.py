"""The wheel, built from the tree and from the sdist, holds the whole package and nothing beside it."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow

EXPECTED = (
    "recsysops/py.typed",
    "recsysops/cli/__init__.py",
    "recsysops/detectors/missing_rate.py",
    "recsysops/predictors/__init__.py",
    "recsysops/diagnosis/__init__.py",
    "recsysops/hotfixes/__init__.py",
    "recsysops/sample_logs/open_bandit/README.md",
    "recsysops/sample_logs/open_bandit/candidates/day=2019-11-24/part-0.parquet",
    "recsysops/sample_logs/streaming/recsysops.yaml",
    "recsysops/sample_logs/streaming/models/m-2026-10-26.txt",
)


def build(source: Path, kind: str, out: Path) -> Path:
    command = [sys.executable, "-m", "build", "--no-isolation", f"--{kind}", "--outdir", str(out), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(out.iterdir())


def check_names(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {
        "recsysops",
        next(n for n in names if ".dist-info/" in n).split("/")[0],
    }
    for name in EXPECTED:
        assert name in names


def test_wheel_from_the_tree(tmp_path: Path) -> None:
    check_names(build(ROOT, "wheel", tmp_path))


def test_wheel_from_the_sdist(tmp_path: Path) -> None:
    archive = build(ROOT, "sdist", tmp_path / "sdist")
    with tarfile.open(archive) as unpacked:
        unpacked.extractall(tmp_path / "unpacked", filter="data")
    check_names(build(next((tmp_path / "unpacked").iterdir()), "wheel", tmp_path / "wheel"))


def test_a_plain_install_runs(tmp_path: Path) -> None:
    """`pip install .` into a fresh environment that borrows the dependencies of this one."""
    wheel = build(ROOT, "wheel", tmp_path / "dist")
    target = tmp_path / "site"
    with zipfile.ZipFile(wheel) as unpacked:
        unpacked.extractall(target)
    command = [
        sys.executable,
        "-P",
        "-c",
        "import sys; sys.path.insert(0, sys.argv.pop(1)); from recsysops.cli import main; main()",
    ]
    done = subprocess.run(
        [*command, str(target), "detectors", "list"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "input.missing_rate" in done.stdout
