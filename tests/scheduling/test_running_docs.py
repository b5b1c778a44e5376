"""What docs/running.md says is what the program does."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from recsysops.config.load import load_settings
from recsysops.notifications.metrics import exposition
from recsysops.notifications.run_note import RunNote

PAGE = Path(__file__).parents[2] / "docs" / "running.md"
pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the docs are in a checkout only")


def test_the_settings_of_the_page_are_accepted(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (tmp_path / "recsysops.yaml").write_text(text, encoding="utf-8")
    settings = load_settings(tmp_path / "recsysops.yaml", environ={})
    assert set(settings.notifications.targets) == {"oncall", "ops", "ranking"}
    assert settings.schedule.daily.ping_url == "${DAILY_PING_URL}"


def test_the_metrics_of_the_page_are_those_written() -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    note = RunNote("daily", 0, now, 1.0, now, date(2026, 11, 19), date(2026, 11, 19), 0, {"warning": 1})
    written = dict(re.findall(r"^(recsysops_\w+)\{workspace=\"x\",(\w+)=", exposition("x", [note], now), re.MULTILINE))
    told = dict(re.findall(r"^\| `(recsysops_\w+)` \| (\w+) \|", PAGE.read_text("utf-8"), re.MULTILINE))
    assert told == written
