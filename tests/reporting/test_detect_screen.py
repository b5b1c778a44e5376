"""The screen and the exit code of ``detect``, from values made by hand."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from recsysops.cli.options import Options
from recsysops.cli.output import print_json, print_lines
from recsysops.config.settings import BudgetSettings
from recsysops.incidents.incident import Incident
from recsysops.profiles.slices import Slice
from recsysops.reporting.detect_report import DetectReport
from recsysops.reporting.detect_view import detect_lines
from recsysops.reporting.lines import NARROW
from recsysops.reporting.picture import export_svg, recorded
from recsysops.reporting.plain import cells
from recsysops.triage.budget import budget_report
from recsysops.triage.findings import Finding, Looked, Skipped, Subject

DAY = date(2026, 11, 20)
HOSTILE = "la[red]ng\x1b[31m\u202e'; DROP TABLE x --" + "x" * 80
FINDING = Finding(
    "INP103", "input.missing_rate", "items", Subject("column", HOSTILE), "null_rate", 0.114, 0.002, 0.005, "critical",
    "upstream", f"{HOSTILE} is NULL in 11.4 % of rows, before 0.2 %", DAY, column=HOSTILE, slice=Slice("market", HOSTILE),
    low=0.109, high=float("nan"), p_value=1e-12, series=(0.002, 0.002, 0.114), query="SELECT 1", onset=date(2026, 11, 17),
)  # fmt: skip
INCIDENT = Incident(
    41, "critical", FINDING.headline, f"market={HOSTILE}", "upstream", "items.lang", date(2026, 11, 17), DAY,
    date(2026, 11, 17), "open", 0.031, (FINDING.id,),
)  # fmt: skip
FAILED = Skipped("output.score_shift", "failed", "IndexError: x\ny")
NOT_HERE = Skipped("output.invalid_scores", "not_applicable", "no scores", "candidates")
REPORT = DetectReport(
    "shop", (DAY,), DAY, (INCIDENT,), {FINDING.id: FINDING}, (NOT_HERE, FAILED), (Looked("input.missing_rate", 31, "x"),),
    (replace(FINDING, column="other", p_value=0.2),), budget_report(BudgetSettings(), ["critical"], 180),
    (date(2026, 11, 19),), {"items": 1234}, 10, "warning", (date(2026, 11, 18),), 1234, 38.0,
)  # fmt: skip
CLEAN = replace(REPORT, incidents=(), findings={}, skipped=(NOT_HERE,), changed_days=())


def text_of(report: DetectReport, width: int = 100, *, verbose: bool = False) -> str:
    return "\n".join(line.text for line in detect_lines(report, width, verbose=verbose)).replace(NARROW, " ")


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (REPORT, 1),
        (replace(REPORT, fail_on="critical"), 1),
        (replace(REPORT, incidents=(replace(INCIDENT, severity="warning"),), fail_on="critical"), 6),
        (replace(REPORT, incidents=(replace(INCIDENT, severity="info"),), skipped=()), 0),
        (CLEAN, 0),
        (replace(CLEAN, skipped=(FAILED,)), 6),
        (replace(REPORT, days=(), skipped=()), 0),
    ],
)
def test_exit_codes(report: DetectReport, code: int) -> None:
    assert report.exit_code == code


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("verbose", [False, True])
def test_hostile_names_are_shown_literally_and_numbers_whole(width: int, verbose: bool) -> None:
    text = text_of(REPORT, width, verbose=verbose)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "la[red]ng'; DROP TABLE x --" in text.replace("\n", " ")
    assert "null_rate 0.2 % → 11.4 %" in text
    assert "output.score_shift (failed: IndexError: x y)" in " ".join(text.split())


def test_the_first_line_is_the_answer_and_the_last_ones_are_commands() -> None:
    first, *_, last = text_of(REPORT).splitlines()
    assert first == "1 incident (1 critical) in 2026-11-20 · 9 detectors ran, 1 failed (below) · 38 s"
    assert re.fullmatch(r" {7}recsysops detect --explain f-[0-9a-f]{12}", last)
    assert "since 2026-11-17 (3 d)" in text_of(REPORT)
    assert "1 judged day got or lost rows since: 2026-11-18" in text_of(REPORT)


def test_nothing_found_says_what_was_looked_at() -> None:
    text = text_of(CLEAN)
    assert text.startswith("Nothing found in 2026-11-20 · 10 detectors ran")
    assert "Looked at: 31 series by 1 detector · 1,234 rows of items · against 1 day (2026-11-19)" in text
    assert text_of(replace(CLEAN, days=())).startswith(
        "Nothing new to judge: the last complete day, 2026-11-20, is judged"
    )


def test_json_holds_the_contract_and_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    print_json(REPORT.to_dict())
    value: dict[str, Any] = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert {"schema_version", "window", "incidents", "findings", "skipped", "budget"} <= set(value)
    assert {"id", "severity", "headline", "stage", "entity", "onset", "findings"} <= set(value["incidents"][0])
    keys = "id detector table subject column slice statistic value threshold severity onset"
    assert set(keys.split()) <= set(value["findings"][0])
    assert value["findings"][0]["high"] is None
    assert set(value["budget"]["page"]) >= {"allowed", "realised"}


def test_an_ascii_terminal_gets_twins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (tmp_path / "out").open("w+", encoding="ascii") as stream:
        monkeypatch.setattr("sys.stdout", stream)
        print_lines(detect_lines(replace(REPORT, skipped=()), 100), Options())
        stream.seek(0)
        text = stream.read()
    assert "! critical  #41" in text
    assert "null_rate 0.2 % -> 11.4 %" in text
    assert "__#" in text


def test_quiet_is_the_answer_alone(capsys: pytest.CaptureFixture[str]) -> None:
    print_lines(detect_lines(REPORT, 100), Options(quiet=True))
    assert capsys.readouterr().out.count("\n") == 1


def test_the_screen_can_be_exported_as_a_picture(tmp_path: Path) -> None:
    lines = list(detect_lines(CLEAN, 100))
    assert all(cells(line.text) <= 100 for line in lines)
    export_svg(recorded(lines), tmp_path / "detect.svg")
    picture = (tmp_path / "detect.svg").read_text()
    assert picture.startswith("<svg")
    assert "Nothing" in picture
    first = picture
    export_svg(recorded(lines), tmp_path / "detect.svg")
    assert (tmp_path / "detect.svg").read_text() == first
