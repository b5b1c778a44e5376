"""Concerns and checks from YAML to findings: every form and expectation, counted by the engine over several files."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from recsysops.errors import ConfigError, PluginError
from recsysops.reporting.detect_report import DetectReport
from recsysops.workspace import Workspace

FIRST = date(2026, 3, 2)
N_DAYS, N_REQUESTS = 6, 60


def day_rows(number: int) -> pd.DataFrame:
    """Two candidates a request; on the last day prices double, a tenth of scores is missing and item i1 is dear."""
    is_last = number == N_DAYS - 1
    start = datetime.combine(FIRST + timedelta(days=number), datetime.min.time(), UTC)
    rows = [
        {
            "request_id": f"{number}-{request}",
            "ts": start + timedelta(minutes=7 * request),
            "item_id": f"i{(request + place) % 3}",
            "position": place + 1,
            "score": None if is_last and request % 10 == 0 else 0.5 + 0.01 * (request % 7) * (-1) ** place,
            "price": (2.0 if is_last else 1.0) * (10 + request % 3) + (500 if is_last and request % 3 == 1 else 0),
            "market": "NO" if request % 3 else "DK",
        }
        for request in range(N_REQUESTS)
        for place in range(2)
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "candidates"
    folder.mkdir()
    for number in range(N_DAYS):
        rows = day_rows(number)
        for part in range(2):  # a day in two files: what is counted has to add up
            rows[rows.index // 2 % 2 == part].to_parquet(folder / f"{number}-{part}.parquet")
    return tmp_path


def write(root: Path, **sections: Any) -> Workspace:
    roles = {name: name for name in ("request_id", "ts", "item_id", "position", "score", "price")}
    table = {"source": {"path": "candidates"}, "roles": roles, "slices": ["market"]}
    content = {"clock": "archive", "tables": {"candidates": table}, **sections}
    (root / "recsysops.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return Workspace(root)


def told(report: DetectReport, name: str) -> list[dict[str, Any]]:
    return [one for one in report.to_dict()["findings"] if one["detector"] == name]


def judged(root: Path, **sections: Any) -> DetectReport:
    names = [f"check.{name}" for name in sections.get("checks", {})]
    names += [f"concern.{name}" for name in sections.get("concerns", {})]
    return write(root, **sections).detect(date=FIRST + timedelta(days=N_DAYS - 1), only=names)


EXPECTED_MEAN = day_rows(N_DAYS - 1)["price"].mean()


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ({"share": "score IS NULL", "at_most": 0.05}, 0.1),
        ({"mean": "price", "between": [9, 15]}, EXPECTED_MEAN),
        ({"total": "price", "at_most": 3000}, 120 * EXPECTED_MEAN),
        ({"numerator": "price", "denominator": "position", "at_most": 10}, EXPECTED_MEAN / 1.5),
        ({"mean": "price", "where": "position = 1", "no_change_beyond": 0.2}, EXPECTED_MEAN),
        ({"mean": "position", "unchanged": True}, None),
        ({"share": "score IS NULL", "unchanged": True}, 0.1),
        ({"mean": "price", "at_least": 5}, None),
        ({"metric": "rows_per_request", "at_least": 2.5}, 2.0),
        ({"mean": "position - 1.5", "no_change_beyond": 0.1}, None),
        ({"mean": "price - 300", "no_change_beyond": 0.1}, EXPECTED_MEAN - 300),
    ],
)
def test_forms_and_expectations(root: Path, declared: dict[str, Any], value: float | None) -> None:
    found = told(judged(root, checks={"mine": declared}), "check.mine")
    assert [one["value"] for one in found] == ([] if value is None else [pytest.approx(value)])


def test_each_slice_and_each_item_is_judged_by_itself(root: Path) -> None:
    report = judged(
        root,
        concerns={"dear": {"mean": "price", "per": ["market"], "no_change_beyond": 0.5, "owner": "pricing"}},
        checks={"item_price": {"mean": "price", "per": "item", "at_most": 300, "severity": "critical"}},
    )
    slices = {tuple(one["slice"].items()) for one in told(report, "concern.dear")}
    assert slices == {(), (("market", "NO"),), (("market", "DK"),)}
    items = told(report, "check.item_price")
    by_item = day_rows(N_DAYS - 1).groupby("item_id")["price"].mean()
    assert {one["subject"]["id"]: one["value"] for one in items} == pytest.approx(by_item[by_item > 300].to_dict())
    assert all(one["severity"] == "critical" and one["subject"]["kind"] == "item" for one in items)
    assert "asked for by pricing" in told(report, "concern.dear")[0]["headline"]


def test_their_queries_show_the_value_again(root: Path) -> None:
    import duckdb

    report = judged(root, checks={"nulls": {"share": "score IS NULL", "where": "position = 1", "at_most": 0.05}})
    (found,) = told(report, "check.nulls")
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"CREATE VIEW candidates AS FROM read_parquet('{root / 'candidates'}/*.parquet')")
        last = connection.execute(found["query"]).fetchall()[-1]
    assert last[1] == pytest.approx(found["value"])
    assert last[2] == N_REQUESTS


def test_few_rows_are_no_evidence(root: Path) -> None:
    report = judged(root, checks={"rare": {"share": "score IS NULL", "where": "price > 1e6", "at_most": 0.0}})
    assert told(report, "check.rare") == []
    assert any("rows that count" in one.reason for one in report.skipped if one.detector == "check.rare")


def test_an_expression_that_does_not_fit_its_types_is_said_and_stops_nobody(root: Path) -> None:
    report = judged(
        root, checks={"odd": {"mean": "market + price", "at_most": 1}, "good": {"mean": "price", "at_most": 1}}
    )
    assert len(told(report, "check.good")) == 1
    assert report.exit_code == 1
    failed = [one for one in report.skipped if one.detector == "check.odd"]
    assert [one.kind for one in failed] == ["failed"]


def test_files_beside_the_workspace_declare_too(root: Path) -> None:
    (root / "concerns").mkdir()
    (root / "concerns" / "growth.yaml").write_text(
        "concerns:\n  dear:\n    mean: price\n    at_most: 20\n", encoding="utf-8"
    )
    report = write(root).detect(date=str(FIRST + timedelta(days=N_DAYS - 1)), only=["concern.*"])
    assert len(told(report, "concern.dear")) == 1


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("checks:\n  a:\n    mean: price\n", 2, "exactly one of between"),
        ("checks:\n  a:\n    mean: price\n    share: price > 0\n    at_most: 1\n", 2, "exactly one of metric"),
        ("checks:\n  a:\n    mean: price\n    at_mst: 1\n", 4, "did you mean at_most"),
        ("checks:\n  a:\n    mean: price\n    at_most: much\n", 4, "number"),
        ("checks:\n  a:\n    mean: prize\n    at_most: 1\n", 3, "such as price"),
        ("checks:\n  a:\n    mean: (SELECT max(price) FROM read_csv('x'))\n    at_most: 1\n", 3, "a subquery"),
        ("checks:\n  a:\n    mean: price\n    per: [device]\n    at_most: 1\n", 4, "slices of candidates: market"),
        ("checks:\n  a:\n    table: outcomes\n    mean: price\n    at_most: 1\n", 3, "which the workspace has not"),
        ("checks:\n  'A b':\n    mean: price\n    at_most: 1\n", 2, "a name of lower-case letters"),
        ("checks:\n  mine:\n    mean: price\n    at_most: 1\n", 2, "declared before"),
    ],
)
def test_mistakes_are_placed(root: Path, text: str, line: int, said: str) -> None:
    (root / "concerns").mkdir()
    (root / "concerns" / "a.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        write(root, checks={"mine": {"mean": "price", "at_most": 99}}).detect(only=["check.*"])
    message = str(caught.value)
    assert "a.yaml" in message
    assert f":{line}:" in message or f"line {line}:" in message
    assert said in message
    assert "\n" not in message


def test_mistakes_in_the_workspace_file_are_placed_too(root: Path) -> None:
    with pytest.raises(ConfigError, match=r"line \d+: checks\.a\.at_most"):
        write(root, checks={"a": {"mean": "price", "at_most": "much"}}).detect()


def test_a_python_file_is_never_run(root: Path) -> None:
    (root / "concerns").mkdir()
    (root / "concerns" / "evil.py").write_text("raise SystemExit(99)\n", encoding="utf-8")
    (root / "checks.py").write_text("raise SystemExit(99)\n", encoding="utf-8")
    assert judged(root, checks={"a": {"mean": "price", "at_least": 1}}).exit_code == 0


def test_names_can_be_skipped_and_are_known(root: Path) -> None:
    workspace = write(root, checks={"a": {"mean": "price", "at_most": 1}}, skip=["check.a"])
    assert told(workspace.detect(only=["check.*", "input.row_volume"]), "check.a") == []
    with pytest.raises(PluginError, match=r"check\.b"):
        workspace.detect(only=["check.b"])
