"""The verbs on small logs with a fault planted by hand: init → check → detect → compare, and Python's equal."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsysops import Workspace
from recsysops.cli import main
from recsysops.incidents.lock import workspace_lock

START = datetime(2026, 3, 1, tzinfo=UTC)
N_DAYS, N_ROWS, FAULTY = 6, 3_000, 5
Captured = pytest.CaptureFixture[str]


def day_of_logs(number: int, rng: np.random.Generator) -> tuple[pa.Table, pa.Table]:
    """Ten candidates a request, one feature lost in a third of the rows on the faulty day; a tenth are clicked on."""
    requests = np.repeat([f"r{number}-{index}" for index in range(N_ROWS // 10)], 10)
    seconds = np.sort(rng.uniform(0, 86_399, N_ROWS // 10)).repeat(10)
    times = pa.array(
        [START + timedelta(days=number, seconds=float(value)) for value in seconds], pa.timestamp("us", "UTC")
    )
    recency = rng.normal(size=N_ROWS)
    lost = (rng.random(N_ROWS) < 0.3) & (number == FAULTY)
    items = np.concatenate([rng.permutation(40)[:10] for _ in range(N_ROWS // 10)])
    candidates = pa.table(
        {
            "request_id": requests,
            "ts": times,
            "item_id": [f"[red]i{item}\x1b[31m" for item in items],
            "position": np.tile(np.arange(1, 11), N_ROWS // 10),
            "score": rng.normal(size=N_ROWS),
            "arm": np.where(np.arange(N_ROWS) // 10 % 2 == 0, "a", "b"),
            "recency": pa.array(recency, mask=lost),
        }
    )
    clicked = np.flatnonzero(rng.random(N_ROWS) < 0.1)
    outcomes = pa.table(
        {
            "request_id": requests[clicked],
            "ts": times.take(pa.array(clicked)),
            "item_id": candidates.column("item_id").take(pa.array(clicked)),
            "kind": ["click"] * len(clicked),
        }
    )
    return candidates, outcomes


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A workspace whose days are all judged, and the report of that."""
    root = tmp_path_factory.mktemp("logs")
    rng = np.random.default_rng(3)
    for number in range(N_DAYS):
        for name, table in zip(("candidates", "outcomes"), day_of_logs(number, rng), strict=True):
            path = root / name / f"day={START.date() + timedelta(number)}" / "part-0.parquet"
            path.parent.mkdir(parents=True)
            pq.write_table(table, path)
    assert main(["init", str(root / "candidates"), str(root / "outcomes"), "-w", str(root), "--quiet"]) == 0
    yaml = root / "recsysops.yaml"
    yaml.write_text(yaml.read_text().replace("clock: wall", "clock: archive"))
    report = Workspace(root).detect(fail_on="critical")
    assert json.loads(json.dumps(report.to_dict()))
    return root, report.to_dict()


def strict(text: str) -> dict[str, Any]:
    """One JSON object and nothing else; NaN refused."""
    value = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} in JSON"))
    assert isinstance(value, dict)
    assert text.count("\n") == 1
    return value


def test_the_planted_fault_is_the_only_incident_of_its_day(judged: tuple[Path, dict[str, Any]]) -> None:
    _, report = judged
    assert report["window"]["end"] == "2026-03-06"
    assert len(report["window"]["days"]) == N_DAYS
    faulty = [incident for incident in report["incidents"] if incident["onset"] == "2026-03-06"]
    assert [incident["entity"] for incident in faulty] == ["candidates.recency"]
    rates = [one for one in report["findings"] if one["statistic"] == "null_rate" and not one["slice"]]
    assert rates[0]["value"] == pytest.approx(0.3, abs=0.03)
    assert set(report["budget"]) == {"page", "digest"}
    assert not [one for one in report["skipped"] if one["kind"] == "failed"]


def test_a_second_run_has_nothing_to_judge_and_says_so(judged: tuple[Path, dict[str, Any]], capsys: Captured) -> None:
    root, _ = judged
    assert main(["detect", "-w", str(root)]) == 0
    text = capsys.readouterr().out
    assert text.startswith("Nothing new to judge: the last complete day, 2026-03-06, is judged; 1 incident")
    assert f"next   recsysops --workspace {root} incident " in text
    assert f"recsysops --workspace {root} detect --date 2026-03-06 --verbose" in text
    assert main(["detect", "-w", str(root), "--json"]) == 0
    report = strict(capsys.readouterr().out)
    assert report["window"] == {"start": None, "end": None, "days": []}
    assert [incident["id"] for incident in report["incidents"]] == [1]


def test_judging_a_day_again_keeps_its_incident(judged: tuple[Path, dict[str, Any]], capsys: Captured) -> None:
    root, before = judged
    assert main(["detect", "--date", "2026-03-06", "-w", str(root), "--json"]) == 1
    report = strict(capsys.readouterr().out)
    assert report["incidents"] == before["incidents"]
    assert report["findings"] == before["findings"]
    assert main(["detect", "--since", "1d", "--fail-on", "critical", "-w", str(root), "--json"]) == 0
    assert strict(capsys.readouterr().out)["window"]["days"] == ["2026-03-06"]
    assert (
        main(["detect", "--date", "2026-03-06", "--reference", "2026-03-01..2026-03-03", "-w", str(root), "--json"])
        == 1
    )
    assert strict(capsys.readouterr().out)["reference"] == ["2026-03-01", "2026-03-02", "2026-03-03"]


def test_looking_with_some_detectors_keeps_nothing(judged: tuple[Path, dict[str, Any]], capsys: Captured) -> None:
    root, before = judged
    words = ["detect", "--date", "2026-03-06", "-w", str(root), "--json"]
    assert main([*words, "--only", "input.row*"]) == 0
    report = strict(capsys.readouterr().out)
    assert (report["kept"], report["incidents"]) == (False, [])
    assert main([*words, "--skip", "output.*", "--skip", "input.f*"]) == 1
    assert strict(capsys.readouterr().out)["incidents"] == before["incidents"]
    assert main(["detect", "-w", str(root), "--json"]) == 0
    assert strict(capsys.readouterr().out)["incidents"] == before["incidents"]


@pytest.mark.parametrize("columns", ["60", "80", "100", "200"])
def test_the_screen_fits_and_is_literal(
    judged: tuple[Path, dict[str, Any]], capsys: Captured, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert main(["detect", "--date", "2026-03-06", "-w", str(judged[0])]) == 1
    text = capsys.readouterr().out
    assert "\x1b" not in text
    answer, *rest = text.splitlines()
    assert answer.startswith("1 incident (1 warning) in 2026-03-06")
    shown = [line for line in rest if not line.startswith(("next", "       recsysops"))]
    assert max(map(len, shown)) <= min(int(columns), 100)
    assert any("recency is NULL" in line for line in shown)
    assert len(rest) <= 40


@pytest.mark.parametrize(
    "words",
    [
        ["detect", "--date", "2026-13-01"],
        ["detect", "--date", "2020-01-01"],
        ["detect", "--since", "yesterday"],
        ["detect", "--date", "2026-03-06", "--since", "1d"],
        ["detect", "--date", "2026-03-06", "--reference", "2026-03-09..2026-03-01"],
        ["detect", "--only", "input.nothing"],
        ["compare", "--reference", "arm=a", "--current", "arm=z"],
        ["compare", "--reference", "arm", "--current", "arm=b"],
        ["compare", "--reference", "leg=a", "--current", "leg=b"],
        ["change", "record", "--kind", "", "--scope", "x"],
        ["change", "record", "--kind", "deploy", "--at", "yesterday"],
        ["change", "record", "--kind", "deploy", "--rollout", "7"],
        ["snapshot"],
    ],
    ids=" ".join,
)
def test_wrong_words_are_one_line(judged: tuple[Path, dict[str, Any]], capsys: Captured, words: list[str]) -> None:
    assert main([*words, "-w", str(judged[0])]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1


def test_a_locked_workspace_is_one_line(judged: tuple[Path, dict[str, Any]]) -> None:
    root, _ = judged
    with workspace_lock(Workspace(root).state, "detect"):
        command = [sys.executable, "-m", "recsysops", "detect", "-w", str(root)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "`detect` running as process" in done.stderr
    assert done.stderr.count("\n") == 1


def test_compare_finds_no_difference_between_equal_arms(judged: tuple[Path, dict[str, Any]], capsys: Captured) -> None:
    root, _ = judged
    code = main(["compare", "--reference", "arm=a", "--current", "arm=b", "-w", str(root), "--json"])
    report = strict(capsys.readouterr().out)
    assert code == 0
    assert not report["exposure"]["is_different"]
    (clicks,) = report["outcomes"]
    assert clicks["low"] < 0 < clicks["high"]
    assert clicks["reference"]["n"] + clicks["current"]["n"] == pytest.approx(0.1 * N_DAYS * N_ROWS, rel=0.1)
    assert report["reference"]["n_impressions"] == report["current"]["n_impressions"] == N_DAYS * N_ROWS // 2
    assert main(["compare", "--reference", "arm=a", "--current", "arm=b", "-w", str(root)]) == 0
    assert "no difference in clicks that the data can carry" in " ".join(capsys.readouterr().out.split())


def test_comparing_leaves_what_detect_knows_alone(judged: tuple[Path, dict[str, Any]], capsys: Captured) -> None:
    root, before = judged
    main(["compare", "--reference", "arm=a", "--current", "arm=b", "-w", str(root), "--quiet"])
    capsys.readouterr()
    main(["detect", "--date", "2026-03-06", "-w", str(root), "--json"])
    assert strict(capsys.readouterr().out)["findings"] == before["findings"]


def test_check_and_change_say_one_object(judged: tuple[Path, dict[str, Any]], capsys: Captured) -> None:
    root, _ = judged
    assert main(["check", "-w", str(root), "--json"]) == 0
    assert strict(capsys.readouterr().out)["is_usable"] is True
    assert (
        main(["change", "record", "--kind", "deploy", "--scope", "x", "--rollout", "0.05", "-w", str(root), "--json"])
        == 0
    )
    assert strict(capsys.readouterr().out)["change"]["rollout"] == 0.05


def test_python_is_the_command_lines_equal(judged: tuple[Path, dict[str, Any]]) -> None:
    root, before = judged
    report = Workspace(root).detect("2026-03-06")
    assert report.to_dict()["incidents"] == before["incidents"]
    frame = report.to_pandas()
    assert set(frame["incident"]) == {1}
    assert "recency is NULL" in report._repr_html_()
    assert "<pre" in Workspace(root).compare("arm=a", "arm=b")._repr_html_()
    assert Workspace(root).detectors()[0].name == "input.row_volume"
