"""The small log, judged once for all tests of this room."""

from __future__ import annotations

from pathlib import Path

import pytest
from looking_logs import write_logs

from recsysops import Workspace
from recsysops.reporting.detect_report import DetectReport


@pytest.fixture(scope="session")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DetectReport]:
    """A folder whose days are judged, and what was found; tests must not write there."""
    folder = write_logs(tmp_path_factory.mktemp("looking") / "logs")
    return folder, Workspace(folder).detect(since="3d")
