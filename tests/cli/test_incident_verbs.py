"""``recsysops incident …`` on small logs with a fault planted by hand: each verb as screen, as JSON and as refusal."""

from __future__ import annotations

import csv
import json
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsysops import Workspace
from recsysops.cli import main
from recsysops.incidents.standing_check import read_check, replay

START = datetime(2026, 3, 1, tzinfo=UTC)
N_DAYS, N_REQUESTS, FAULTY = 6, 250, 5
Captured = pytest.CaptureFixture[str]


def day_of_logs(number: int, rng: np.random.Generator) -> pa.Table:
    """Ten candidates a request; on the faulty day a feature is lost for the items below 8, and there alone."""
    request = np.repeat(np.arange(N_REQUESTS), 10)
    seconds = np.sort(rng.uniform(0, 86_399, N_REQUESTS))[request]
    items = np.concatenate([rng.permutation(40)[:10] for _ in range(N_REQUESTS)])
    lost = (items < 8) & (number == FAULTY)
    return pa.table(
        {
            "request_id": [f"r{number}-{index}" for index in request],
            "ts": pa.array([START + timedelta(number, float(value)) for value in seconds], pa.timestamp("us", "UTC")),
            "item_id": [f"=i{item}" for item in items],
            "member_id": [f"member-{index % 90}" for index in request],
            "position": np.tile(np.arange(1, 11), N_REQUESTS),
            "recency": pa.array(rng.normal(size=len(items)), mask=lost),
        }
    )


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which one incident was found."""
    root = tmp_path_factory.mktemp("incidents")
    rng = np.random.default_rng(3)
    for number in range(N_DAYS):
        path = root / "candidates" / f"day={START.date() + timedelta(number)}" / "part-0.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(day_of_logs(number, rng), path)
    assert main(["init", str(root / "candidates"), "-w", str(root), "--quiet"]) == 0
    yaml = root / "recsysops.yaml"
    stated = yaml.read_text().replace("clock: wall", "clock: archive")
    yaml.write_text(
        stated.replace("    roles:", "    owner: ranking team\n    contact: ranking@example.com\n    roles:", 1)
    )
    (incident,) = Workspace(root).detect().incidents
    assert incident.entity == "candidates.recency"
    return root


@pytest.fixture
def root(judged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RECSYSOPS_USER", "anna")
    return Path(shutil.copytree(judged, tmp_path / "workspace"))


def screen(root: Path, captured: Captured, *words: str, code: int = 0) -> str:
    captured.readouterr()
    assert main(["incident", *words, "-w", str(root)]) == code
    return captured.readouterr().out


def data(root: Path, captured: Captured, *words: str) -> dict[str, Any]:
    found = json.loads(screen(root, captured, *words, "--json"), parse_constant=lambda word: pytest.fail(word))
    assert found["schema_version"] == 1
    assert isinstance(found, dict)
    return found


def refused(root: Path, captured: Captured, *words: str) -> str:
    captured.readouterr()
    assert main(["incident", *words, "-w", str(root)]) == 2
    error = captured.readouterr().err
    assert error.count("\n") == 1
    return error


def test_an_incident_from_list_to_retro(root: Path, capsys: Captured) -> None:
    text = screen(root, capsys, "list")
    first, *_, last = text.splitlines()
    assert ": 1 incident open (1 " in first
    assert "nobody has taken any on · judged through 2026-03-06" in " ".join(text.split())
    assert last.endswith("incident ack 1")
    assert "Incident 1 is acknowledged by anna: recency is NULL" in screen(root, capsys, "ack", "#1", "--note", "mine")
    assert "is diagnosed" in screen(root, capsys, "mark", "1", "diagnosed")
    assert "is mitigated" in screen(root, capsys, "mark", "1", "mitigated", "--by", "ben")
    assert "is resolved as fixed" in screen(root, capsys, "resolve", "1", "--as", "fixed")
    retro = data(root, capsys, "retro", "1")
    assert retro["incident"]["status"] == "retro"
    assert retro["check"]["expectation"].keys() == {"at_most"}
    assert retro["n_days_judged_again"] == N_DAYS
    check, fixture = read_check(root / retro["files"][0])
    assert replay(check, fixture) == (0, True)
    assert check.owner == "ranking team <ranking@example.com>"
    shown = data(root, capsys, "show", "1")
    assert [(entry["who"], entry["action"]) for entry in shown["trail"]] == [
        ("detect", "open"), ("anna", "acknowledge"), ("anna", "diagnose"), ("ben", "mitigate"), ("anna", "resolve"),
        ("anna", "retro"),
    ]  # fmt: skip
    assert shown["trail_broken_at"] is None
    assert shown["milestones"]["hours_from_onset"]["detected"] == 24
    first, *_ = screen(root, capsys, "list", "--all", "--summary").splitlines()
    assert "no incident is open, 1 in all" in first
    summary = data(root, capsys, "list", "--summary")["summary"]
    assert (summary["n_incidents"], summary["steps"][0]["median_hours"], summary["steps"][0]["high"]) == (1, 24.0, None)


def test_the_ticket_names_owner_items_and_query_and_never_a_member(root: Path, capsys: Captured) -> None:
    file = root / "items.csv"
    text = screen(root, capsys, "handoff", "1", "--csv", str(file))
    assert "- **To**: ranking team \\<ranking@example.com\\>" in text
    assert 'FILTER ("recency" IS NULL)' in text
    assert "expected about 0 %, found 19.5 % [" in text
    assert "in `items.csv`" in text
    assert "member" not in text + file.read_text()
    rows = list(csv.reader(file.read_text().splitlines()))
    logged = pq.read_table(root / "candidates" / "day=2026-03-06")
    counts = logged.filter(logged.column("recency").is_null()).column("item_id").value_counts().to_pylist()
    assert rows[0] == ["item_id", "n_rows"]
    assert {name.removeprefix("'"): int(n) for name, n in rows[1:]} == {one["values"]: one["counts"] for one in counts}
    assert all(name.startswith("'=i") for name, _ in rows[1:])  # no spreadsheet takes it for a formula
    ticket = data(root, capsys, "handoff", "1", "--to", "cleo")
    assert ticket["owner"] == {"name": "ranking team", "contact": "ranking@example.com", "of": "candidates"}
    assert ticket["affected"]["n_items"] == 8
    trail = data(root, capsys, "show", "1")["trail"]
    assert [entry["details"] for entry in trail[1:]] == [{"to": "ranking team <ranking@example.com>"}, {"to": "cleo"}]


def test_expected_from_a_day_on_has_no_standing_check(root: Path, capsys: Captured) -> None:
    text = screen(root, capsys, "resolve", "1", "--as", "expected", "--from", "2026-03-06")
    assert "Normal again for candidates.recency from 2026-03-06 on" in text
    (baseline,) = data(root, capsys, "show", "1")["rebaselines"]
    assert baseline["from"] == "2026-03-06"
    assert "No standing check: it was resolved as expected" in screen(root, capsys, "retro", "1")
    assert not (root / "checks").exists()
    assert data(root, capsys, "reopen", "1", "--note", "was not")["rebaselines"] == []


def test_a_muted_incident_is_listed_as_such(root: Path, capsys: Captured) -> None:
    assert "Muted until" in screen(root, capsys, "mute", "1", "--for", "7d")
    assert data(root, capsys, "list")["incidents"][0]["muted"] is True
    assert "open, muted" in screen(root, capsys, "list")
    assert data(root, capsys, "mute", "1", "--off")["incident"]["muted_until"] is None
    tomorrow = datetime.now(UTC).date() + timedelta(1)
    until = data(root, capsys, "mute", "1", "--until", str(tomorrow))["incident"]["muted_until"]
    assert until.startswith(str(tomorrow + timedelta(1)))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "7"), "incident 7: found none, expected a number from 1 to 1; `recsysops incident list` has them"),
        (("show", "x'; DROP"), "expected a number such as 41"),
        (("retro", "1"), "found status open, expected resolved or retro to be looked back on; resolve it first"),
        (("reopen", "1"), "found status open, expected resolved or retro to be reopened"),
        (("merge", "1", "--into", "1"), "incident 1: found itself, expected another, active incident"),
        (("mute", "1"), "expected one of --for, --until and --off"),
        (("mute", "1", "--for", "7w"), "expected a time such as 12h or 7d"),
        (("mute", "1", "--for", "9999d"), "expected at most a year"),
        (("mute", "1", "--until", "2020-01-01"), "expected a moment in the future"),
        (("resolve", "1"), "--as"),
        (("resolve", "1", "--as", "fixed", "--from", "2026-03-06"), "expected it with --as expected only"),
        (("resolve", "1", "--as", "expected", "--from", "2027-03-06"), "when it was last seen"),
        (("resolve", "1", "--as", "expected", "--from", "soon"), "expected a day such as"),
    ],
)
def test_what_cannot_be_done_is_one_line(root: Path, capsys: Captured, words: tuple[str, ...], said: str) -> None:
    assert said in refused(root, capsys, *words)
    assert data(root, capsys, "show", "1")["incident"]["status"] == "open"


def test_python_is_the_command_lines_equal(root: Path) -> None:
    desk = Workspace(root).desk("cleo")
    assert desk.acknowledge(1).incident.assignee == "cleo"
    assert desk.resolve(1, "expected", from_day=date(2026, 3, 6)).incident.resolution == "expected"
    assert desk.incidents(everything=True).to_pandas()["status"].tolist() == ["resolved"]


def test_a_workspace_without_days_has_no_incident(root: Path, capsys: Captured) -> None:
    shutil.rmtree(Workspace(root).state)
    text = screen(root, capsys, "list")
    first, *_, last = text.splitlines()
    assert "no incident is open · no day has been judged yet" in first
    assert last.endswith("detect")
    assert "expected a workspace with incidents" in refused(root, capsys, "ack", "1")
