"""The quick drill, whole: what the detectors found before, they find today. Run by ``make drill-quick`` and ``make test-slow``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from recsysops.cli import main
from recsysops.drills.views.tally import FOUND_SHARE

FOUND_BEFORE = Path(__file__).parent / "found_in_quick_drill.txt"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The quick card; ``RECSYSOPS_DRILL`` names a folder where it has been run already."""
    folder = Path(os.environ.get("RECSYSOPS_DRILL") or tmp_path_factory.mktemp("drill") / "quick")
    assert main(["drill", "run", "--quick", "--quiet", "--folder", str(folder)]) == 0
    return json.loads((folder / "scorecard.json").read_text("utf-8"))


def test_no_fault_found_before_is_lost(told: Any) -> None:
    """A fault that is found for the first time, or is lost for a good reason, changes the file: on purpose, in a commit."""
    found = {
        fault["name"]
        for fault in told["faults"]
        if any(one["detected_rate"] >= FOUND_SHARE for one in fault["severities"])
    }
    before = set(FOUND_BEFORE.read_text("utf-8").split())
    assert before - found == set()


def test_every_fault_was_tried(told: Any) -> None:
    assert [fault["name"] for fault in told["faults"] if not fault["severities"]] == []
    assert told["clean_days"] > 0
