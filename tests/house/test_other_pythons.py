"""The tests pass on every supported Python that this machine has, with the locked dependencies of each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VERSIONS = ("3.11", "3.12", "3.13")
RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"
UV = ROOT / ".venv-uv" / "bin" / "uv"

pytestmark = pytest.mark.slow


def interpreter(version: str) -> str | None:
    """A working interpreter of that version: on the path, or among pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which(f"python{version}"), *sorted(map(str, pyenv.glob(f"{version}.*/bin/python{version}")))]
    for candidate in candidates:
        if candidate and subprocess.run([candidate, "-c", ""], capture_output=True, check=False).returncode == 0:
            return candidate
    return None


def run(*command: str | Path) -> None:
    done = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}\n{done.stderr[-2000:]}"


@pytest.mark.parametrize("version", [version for version in VERSIONS if version != RUNNING])
def test_the_tests_pass_on(version: str, tmp_path: Path) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"this machine has no working Python {version}")
    if not UV.exists():
        pytest.skip("uv is set up by make; run this through `make test-slow`")
    home = tmp_path / "venv"
    run(UV, "venv", "--quiet", "--no-python-downloads", "--python", python, home)
    run(
        UV,
        "pip",
        "sync",
        "--quiet",
        "--compile-bytecode",
        "--python",
        home / "bin/python",
        "--require-hashes",
        "requirements.lock",
    )
    editable = ("--no-deps", "--no-build-isolation", "--editable", ".")
    run(UV, "pip", "install", "--quiet", "--python", home / "bin/python", *editable)
    run(home / "bin/python", "-m", "pytest", "-n", "2", "--dist", "loadfile", "-p", "no:cacheprovider", "tests")
