"""``detect --shakedown``: what history would have raised on one screen, marked with one command, and quiet from then on."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
import yaml

from recsysops.cli import main
from recsysops.workspace import Workspace

FIRST = date(2026, 3, 2)
N_DAYS = 12
PRICE_LOST, PLACES_DEARER = 5, 8
"""One day without half of the prices; from the other on, delivery costs twice as much."""
Captured = pytest.CaptureFixture[str]


def day_of_logs(number: int) -> pd.DataFrame:
    start = datetime.combine(FIRST + timedelta(days=number), datetime.min.time(), UTC)
    return pd.DataFrame(
        {
            "request_id": f"{number}-{request}",
            "ts": start + timedelta(minutes=3 * request),
            "item_id": f"i{request % 7}",
            "price": None if number == PRICE_LOST and request % 2 else float(10 + (request * 7 + number) % 5),
            "delivery": float(3 + (request * 5 + number) % 4) * (2 if number >= PLACES_DEARER else 1),
        }
        for request in range(400)
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shop")
    (root / "candidates").mkdir()
    for number in range(N_DAYS):
        day_of_logs(number).to_parquet(root / "candidates" / f"{number:02d}.parquet")
    roles = {name: name for name in ("request_id", "ts", "item_id", "price")}
    table = {"source": {"path": "candidates"}, "roles": roles, "features": ["delivery"]}
    content = {"clock": "archive", "tables": {"candidates": table}}
    (root / "recsysops.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    assert main(["-w", str(root), "--quiet", "detect", "--shakedown", "--since", str(FIRST)]) == 1
    return root


@pytest.fixture
def shop(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "shop"))


def test_one_screen_has_every_alarm_and_the_commands_to_mark_them(shop: Path, capsys: Captured) -> None:
    alarms = Workspace(shop).desk().incidents(everything=True).incidents
    assert {one.onset for one in alarms} == {FIRST + timedelta(PRICE_LOST), FIRST + timedelta(PLACES_DEARER)}
    assert main(["-w", str(shop), "detect", "--shakedown", "--since", str(FIRST)]) == 1
    text = capsys.readouterr().out
    assert text.startswith(f"{len(alarms)} alarms in ")
    assert re.findall(r"^ +#(\d+) ", text, re.MULTILINE) == [
        str(one.id) for one in sorted(alarms, key=lambda one: one.opened)
    ]
    assert "By detector: " in text
    for word in ("expected", "false-alarm", "fixed"):
        assert re.search(rf"incident resolve \d+( \d+)* --as {word}$", text, re.MULTILINE)


def test_nobody_is_told(shop: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a shakedown tells nobody")

    monkeypatch.setattr("recsysops.cli.detect.tell", refuse)
    assert main(["-w", str(shop), "--json", "detect", "--shakedown", "--since", str(FIRST)]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["schema_version"] == 1
    assert len(document["incidents"]) == 2
    assert "notifications" not in document


def test_what_was_marked_in_one_sitting_does_not_come_again(shop: Path, capsys: Captured) -> None:
    numbers = {one.onset: str(one.id) for one in Workspace(shop).desk().incidents(everything=True).incidents}
    lost, dearer = (numbers[FIRST + timedelta(day)] for day in (PRICE_LOST, PLACES_DEARER))
    assert main(["-w", str(shop), "incident", "resolve", lost, dearer, lost, "--as", "expected", "--by", "anna"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"#{one}: is resolved as expected" for one in (lost, dearer)]
    late = str(FIRST + timedelta(PLACES_DEARER + 1))
    assert main(["-w", str(shop), "detect", "--shakedown", "--since", late]) == 0
    assert capsys.readouterr().out.startswith("No alarm in ")


def test_several_as_one_document(shop: Path, capsys: Captured) -> None:
    assert main(["-w", str(shop), "--json", "incident", "resolve", "1", "2", "--as", "fixed"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [card["incident"]["id"] for card in document["incidents"]] == [1, 2]


def test_one_number_that_is_none_closes_nothing_after_it(shop: Path, capsys: Captured) -> None:
    assert main(["-w", str(shop), "incident", "resolve", "77", "1", "--as", "fixed"]) == 2
    assert "77" in capsys.readouterr().err
    assert not Workspace(shop).desk().show(1).incident.resolution


def test_how_far_back_has_to_be_said(shop: Path, capsys: Captured) -> None:
    assert main(["-w", str(shop), "detect", "--shakedown"]) == 2
    assert "--since 90d" in capsys.readouterr().err
