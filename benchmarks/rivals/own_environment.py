"""How another tool's script is run: by ``uv run``, in an environment of its own that its first lines (PEP 723) ask for."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from benchmarks.measuring import ROOT

HERE = Path(__file__).resolve().parent
UV = (str(ROOT / ".venv-uv" / "bin" / "uv"), "run", "--quiet", "--no-project", "--python", sys.executable)


def script(name: str, *words: str) -> list[str]:
    """The command that runs a script of this folder."""
    return [*UV, str(HERE / name), *words]


def variables() -> dict[str, str]:
    """The environment variables of such a process: no other Python is fetched, nothing is reported to anybody."""
    return {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "DO_NOT_TRACK": "1"}
