"""A closed incident that comes back is found by its own check, whatever the budget lets pass."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from recsysops.cli import main
from recsysops.errors import ConfigError
from recsysops.reporting.detect_report import DetectReport
from recsysops.workspace import Workspace

FIRST = date(2026, 3, 2)
MISSING = {8: 0.5, 10: 0.4, 12: 0.1}
"""Share of rows without a price, by day; the check's limit lies between the last two."""
NO_BUDGET = {"page_per_30_days": 1e-290, "digest_per_week": 1e-290}


def write_day(root: Path, number: int) -> None:
    start = datetime.combine(FIRST + timedelta(days=number), datetime.min.time(), UTC)
    share = MISSING.get(number, 0.0)
    rows = [
        {
            "request_id": f"{number}-{request}",
            "ts": start + timedelta(minutes=3 * request),
            "item_id": f"i{request % 7}",
            "price": None if request % 10 < 10 * share else float(10 + (request * 7 + number) % 5),
        }
        for request in range(400)
    ]
    (root / "candidates").mkdir(exist_ok=True)
    pd.DataFrame(rows).to_parquet(root / "candidates" / f"{number:02d}.parquet")


def write_settings(root: Path, **sections: Any) -> Workspace:
    roles = {name: name for name in ("request_id", "ts", "item_id", "price")}
    content = {"clock": "archive", "tables": {"candidates": {"source": {"path": "candidates"}, "roles": roles}}}
    (root / "recsysops.yaml").write_text(yaml.safe_dump({**content, **sections}), encoding="utf-8")
    return Workspace(root)


@pytest.fixture(scope="module")
def shop_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine days; the last had missing prices, was fixed and looked back on."""
    root = tmp_path_factory.mktemp("shop")
    for number in range(9):
        write_day(root, number)
    workspace = write_settings(root)
    (incident,) = workspace.detect().incidents
    desk = workspace.desk("anna")
    desk.resolve(incident.id, "fixed")
    retro = desk.retro(incident.id)
    assert retro.check is not None
    assert (retro.check.name, retro.check.statistic) == (f"incident-{incident.id}", "null_rate")
    for number in range(9, 13):
        write_day(root, number)
    return root


@pytest.fixture
def shop(shop_once: Path, tmp_path: Path) -> Path:
    import shutil

    return Path(shutil.copytree(shop_once, tmp_path / "shop"))


def told(report: DetectReport, name: str) -> list[tuple[str, float]]:
    found = [one for one in report.to_dict()["findings"] if one["detector"] == name]
    return [(one["onset"], one["value"]) for one in found]


def on(number: int) -> str:
    return (FIRST + timedelta(days=number)).isoformat()


def test_it_comes_back_where_the_budget_lets_everything_pass(shop: Path) -> None:
    report = write_settings(shop, budget=NO_BUDGET).detect()
    assert [str(day) for day in report.days] == [on(number) for number in range(9, 13)]
    assert told(report, "check.incident-1") == [(on(10), 0.4)], "only what is beyond the check's own limit"
    assert told(report, "input.missing_rate") == []
    (incident,) = report.incidents
    assert incident.headline.startswith("as in incident 1: ")
    assert "its check expects at most 0.25" in incident.headline


def test_beside_its_detector_it_is_one_incident(shop: Path) -> None:
    report = write_settings(shop).detect(date=on(10))
    assert {one.finding_ids and report.findings[one.finding_ids[0]].column for one in report.incidents} == {"price"}
    assert len(report.incidents) == 1
    detectors = {finding.detector for finding in report.findings.values()}
    assert {"check.incident-1", "input.missing_rate"} <= detectors


def test_it_runs_where_its_detector_is_off_and_can_be_left_out_itself(shop: Path) -> None:
    off = write_settings(shop, skip=["input.missing_rate"])
    assert told(off.detect(date=on(10)), "check.incident-1") == [(on(10), 0.4)]
    assert told(off.detect(date=on(10), skip=["check.*"]), "check.incident-1") == []
    only = off.detect(date=on(10), only=["check.incident-1"])
    assert len(only.findings) == 1


def test_the_list_has_it(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_settings(shop, concerns={"dear": {"mean": "price", "at_most": 99, "severity": "info"}})
    assert main(["--json", "--workspace", str(shop), "detectors", "list"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["detectors"]}
    assert rows["check.incident-1"]["summary"] == "Incident 1 is back: null_rate of candidates.price."
    assert rows["check.incident-1"]["origin"] == "checks/incident-1.yaml"
    assert rows["concern.dear"]["severity"] == "info"
    assert [row.name for row in Workspace(shop).detectors()] == list(rows)


def test_a_check_of_a_check_asks_through(shop: Path) -> None:
    stated = yaml.safe_load((shop / "checks/incident-1.yaml").read_text("utf-8"))
    stated |= {"name": "incident-12", "incident": 12, "detector": "check.incident-1", "expectation": {"at_most": 0.3}}
    (shop / "checks/incident-12.yaml").write_text(yaml.safe_dump(stated), encoding="utf-8")
    (shop / "checks/incident-12.json").write_bytes((shop / "checks/incident-1.json").read_bytes())
    report = write_settings(shop).detect(date=on(10), only=["check.*"])
    assert told(report, "check.incident-12") == [(on(10), 0.4)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"detector": "input.gone"}, "'input.gone', expected an installed detector"),
        ({"severity": "loud"}, "severity 'loud'"),
        ({"slice": {"market": 3}}, "slice {'market': 3}"),
        ({"name": "incident-2"}, "name 'incident-2'"),
        ({"expectation": {"at_mst": 0.5}}, "expectation {'at_mst': 0.5}"),
        ({"table": None}, "table: None"),
        ({"more": 1}, "more"),
        ({"version": 7}, "another version"),
    ],
)
def test_bad_files_are_named(shop: Path, change: dict[str, Any], said: str) -> None:
    path = shop / "checks/incident-1.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text("utf-8")), **change}), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        Workspace(shop).detect(date=on(10))
    message = str(caught.value)
    assert "incident-1.yaml" in message
    assert said in message
    assert "expected" in message
    assert "\n" not in message


def test_a_lost_fixture_is_named(shop: Path) -> None:
    (shop / "checks/incident-1.json").unlink()
    with pytest.raises(ConfigError, match=r"incident-1\.json"):
        Workspace(shop).detect(date=on(10))
