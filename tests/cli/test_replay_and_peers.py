"""The verbs ``replay`` and ``peers`` on the sample logs: answers, JSON, exit codes, errors in one line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsysops.cli import main

SAMPLE = Path(__file__).parents[2] / "sample_logs" / "streaming"
Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the last days of the sample in which one host serves running times in seconds on the last day."""
    folder = tmp_path_factory.mktemp("logs") / "streaming"
    days = [f"day=2026-10-{day}" for day in (26, 27, 28, 29, 30)]
    for table in ("candidates", "outcomes"):
        for day in days:
            shutil.copytree(SAMPLE / "logs" / table / day, folder / "logs" / table / day)
    for table in ("items", "item_features", "member_features", "availability", "models", "changes"):
        shutil.copytree(SAMPLE / "logs" / table, folder / "logs" / table)
    shutil.copytree(SAMPLE / "models", folder / "models")
    shutil.copyfile(SAMPLE / "recsysops.yaml", folder / "recsysops.yaml")
    path = folder / "logs/candidates" / days[-1] / "part-0.parquet"
    rows = pq.ParquetFile(path).read()
    is_it = np.array(rows["host"].to_pylist(), object) == "ranker-3"
    minutes = rows["item_runtime_minutes"].to_numpy()
    changed = pa.array(np.where(is_it, minutes * np.float32(60), minutes).astype(np.float32), from_pandas=True)
    place = rows.column_names.index("item_runtime_minutes")
    pq.write_table(rows.set_column(place, "item_runtime_minutes", changed), path)
    return folder


def _json(logs: Path, words: list[str], capsys: Captured) -> tuple[int, dict[str, Any]]:
    code = main(["-w", str(logs), "--json", *words])
    return code, json.loads(capsys.readouterr().out)


def test_a_healthy_day_replays_and_says_so(logs: Path, capsys: Captured) -> None:
    code, found = _json(logs, ["replay", "--day", "2026-10-29", "--requests", "60"], capsys)
    assert code == 0
    assert (found["n_requests"], found["match_rate"], found["divergences"]) == (60, 1.0, [])
    assert set(found["grades"]) == {"raw_score", "score"}
    assert main(["-w", str(logs), "replay", "--day", "2026-10-29", "--requests", "60"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("Replayed 60 requests")
    assert "all agree at every stage" in " ".join(text.split())


def test_a_host_with_another_unit_is_named_with_its_factor(logs: Path, capsys: Captured) -> None:
    code, found = _json(logs, ["replay"], capsys)
    assert code == 1
    assert found["day"] == "2026-10-30"
    assert {one["stage"] for one in found["divergences"]} == {"features"}
    (host,) = [one for one in found["divergences"] if one["dimension"] == "host"]
    assert (host["value"], host["rate"]) == ("ranker-3", 1.0)
    (feature,) = [one for one in found["features"] if one["main_class"] != "same"]
    assert (feature["column"], feature["main_class"]) == ("item_runtime_minutes", "scaled")
    assert feature["details"]["ratio"] == pytest.approx(60, rel=1e-5)
    assert main(["-w", str(logs), "replay"]) == 1
    text = capsys.readouterr().out
    assert "host ranker-3" in text
    assert "ratio 60" in text


def test_a_model_that_was_altered_is_told_and_is_exit_6(logs: Path, tmp_path: Path, capsys: Captured) -> None:
    folder = tmp_path / "streaming"
    shutil.copytree(logs, folder)
    path = folder / "models/m-2026-10-26.txt"
    path.write_text(path.read_text().replace("leaf_value=", "leaf_value=1", 1))
    code, found = _json(folder, ["replay", "--day", "2026-10-29", "--requests", "20"], capsys)
    assert code == 6
    assert any("m-2026-10-26" in reason and "sha256" in reason for reason in found["not_replayed"])


def test_peers_of_the_title_in_the_story(logs: Path, capsys: Captured) -> None:
    code, found = _json(logs, ["peers", "123", "--n", "20"], capsys)
    assert code == 0
    assert len(found["peers"]) == 20
    assert found["peers"][0]["distance"] <= found["peers"][-1]["distance"]
    assert sum(one["weight"] for one in found["peers"]) == pytest.approx(1)
    assert (found["balance"][0]["value"], found["balance"][0]["is_balanced"]) == ("fo", False)
    _, blind = _json(logs, ["peers", "123", "--without", "original_language", "--day", "2026-10-29"], capsys)
    assert "original_language" not in {one["attribute"] for one in blind["balance"]}
    assert main(["-w", str(logs), "peers", "123"]) == 0
    assert capsys.readouterr().out.startswith("Item 123 has ")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["replay", "--day", "2030-01-01"], "no candidates on 2030-01-01"),
        (["replay", "--day", "yesterday"], "expected a day"),
        (["peers", "nobody"], "nothing known of it"),
        (["peers", "123", "--day", "2020-01-01"], "nothing known of it"),
    ],
)
def test_errors_are_one_line(logs: Path, words: list[str], told: str, capsys: Captured) -> None:
    assert main(["-w", str(logs), *words]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
