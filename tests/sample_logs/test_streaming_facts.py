"""The streaming sample is what its README says: files, story, replay and figures."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import lightgbm
import numpy as np
import pyarrow.parquet as pq
import pytest

from recsysops.cli.demo import WRONG_SINCE
from recsysops.sample_logs import path
from recsysops.sample_logs.streaming import rebuild, story

FOLDER = path("streaming")
README = (FOLDER / "README.md").read_text(encoding="utf-8")
PROSE = " ".join(README.split())
MAX_BYTES = 15_000_000


@pytest.fixture(scope="module")
def database() -> duckdb.DuckDBPyConnection:
    return connected(FOLDER)


def connected(folder: Path) -> duckdb.DuckDBPyConnection:
    """A view of every table of a workspace's logs, by its name."""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("SET TimeZone = 'UTC'")
    for table in sorted((folder / "logs").iterdir()):
        source = f"read_parquet('{table}/**/*.parquet', hive_partitioning = false)"
        connection.execute(f"CREATE VIEW {table.name} AS FROM {source}")
    return connection


def test_every_file_has_its_digest_and_there_is_no_other() -> None:
    lines = (FOLDER / rebuild.SUMS).read_text(encoding="ascii").splitlines()
    assert lines == [f"{digest}  {name}" for name, digest in rebuild.digests(FOLDER).items()]


def test_it_is_small_enough_for_a_repository() -> None:
    assert sum(file.stat().st_size for file in FOLDER.rglob("*") if file.is_file()) <= MAX_BYTES


def test_the_language_is_right_until_its_day_and_wrong_from_then_on(database: duckdb.DuckDBPyConnection) -> None:
    assert story.onset().isoformat() == WRONG_SINCE
    query = f"""
        SELECT original_language, country, min(as_of)::DATE::TEXT, max(as_of)::DATE::TEXT
        FROM items WHERE item_id = '{story.ITEM}' AND as_of >= launch_at GROUP BY ALL ORDER BY 3
    """
    assert database.execute(query).fetchall() == [
        ("nb", "NO", "2026-10-23", "2026-10-27"),
        (story.LANGUAGE, "NO", WRONG_SINCE, "2026-10-31"),
    ]
    logged = f"SELECT ts >= '{WRONG_SINCE} 03:00', item_language FROM candidates WHERE item_id = '{story.ITEM}'"
    assert set(database.execute(logged).fetchall()) == {(False, "nb"), (True, story.LANGUAGE)}


def test_all_its_requests_of_the_last_week_are_logged(database: duckdb.DuckDBPyConnection) -> None:
    query = f"""
        SELECT ts >= '2026-10-25', list(DISTINCT sampling_rate ORDER BY sampling_rate)
        FROM candidates WHERE item_id = '{story.ITEM}' GROUP BY ALL ORDER BY 1
    """
    assert database.execute(query).fetchall() == [(False, [0.125, 1.0]), (True, [1.0])]


def test_it_has_peers_of_its_age_and_launches_are_coming(database: duckdb.DuckDBPyConnection) -> None:
    query = f"""
        WITH today AS (FROM items WHERE as_of = (SELECT max(as_of) FROM items)),
        told AS (SELECT launch_at AS told_at FROM today WHERE item_id = '{story.ITEM}')
        SELECT count(*) FILTER (abs(date_diff('hour', told_at, launch_at)) <= 240 AND launch_at < '2026-11-01') - 1,
               count(*) FILTER (launch_at >= '2026-11-01' AND launch_at < '2026-11-15'),
               count(*) FILTER (launch_at >= '2026-11-01' AND launch_at < '2026-11-15'
                                AND (price IS NULL OR runtime_minutes IS NULL OR maturity_rating IS NULL OR artwork_variants IS NULL))
        FROM today, told
    """
    ((n_peers, n_coming, n_partly),) = database.execute(query).fetchall()
    assert n_peers >= 30
    assert n_coming >= 10
    assert 0 < n_partly < n_coming
    assert f"{n_peers} other titles" in PROSE
    assert f"{n_coming} launches" in PROSE
    assert f"{n_partly} of them" in PROSE


@pytest.mark.parametrize("day", ["2026-08-31", "2026-10-27", "2026-10-31"])
def test_logged_features_give_the_logged_margins_to_the_bit(day: str) -> None:
    """By LightGBM and the files beside the logs alone: nothing of the service's own code."""
    frame = pq.ParquetFile(FOLDER / "logs" / "candidates" / f"day={day}" / "part-0.parquet").read().to_pandas()
    frame = frame[~frame["fallback"]]
    assert frame["model_id"].nunique() == (1 if day == "2026-10-31" else 2)
    for model_id, rows in frame.groupby("model_id", observed=True):
        schema = json.loads((FOLDER / "models" / f"{model_id}.schema.json").read_text())
        columns = [_numbers(rows[name], schema["categories"].get(name)) for name in schema["features"]]
        booster = lightgbm.Booster(model_file=str(FOLDER / "models" / f"{model_id}.txt"))
        raw = np.asarray(booster.predict(np.column_stack(columns), raw_score=True, num_threads=1))
        assert np.array_equal(raw, rows["raw_score"].to_numpy())
        platt = json.loads((FOLDER / "models" / f"{model_id}.calibration.json").read_text())
        score = 1 / (1 + np.exp(-(platt["a"] * raw + platt["b"])))
        assert np.array_equal(score.astype(np.float32), rows["score"].to_numpy())


def test_every_model_in_the_log_is_there(database: duckdb.DuckDBPyConnection) -> None:
    logged = "SELECT DISTINCT model_id FROM candidates WHERE NOT fallback ORDER BY 1"
    kept = "SELECT model_id FROM models ORDER BY 1"
    assert database.execute(logged).fetchall() == database.execute(kept).fetchall()
    for name, digest in database.execute("SELECT path, sha256 FROM models").fetchall():
        assert rebuild.digests(FOLDER)[name] == digest


def _numbers(values: Any, vocabulary: list[str] | None) -> Any:
    if vocabulary is None:
        return values.to_numpy(np.float64, na_value=np.nan)
    return values.astype(str).map({word: float(code) for code, word in enumerate(vocabulary)}).to_numpy(np.float64)


def told() -> list[tuple[str, str]]:
    """The queries of the README, each with the table that follows it."""
    return re.findall(r"```sql\n(.*?)```\n+\|[^\n]*\n\|[-|]*\n((?:\|[^\n]*\n)+)", README, re.DOTALL)


def table_of(rows: list[tuple[Any, ...]]) -> str:
    return "".join(f"| {' | '.join(map(str, row))} |\n" for row in rows)


def test_the_tables_of_the_readme_are_the_data(database: duckdb.DuckDBPyConnection) -> None:
    assert len(told()) == 2
    (exposure, twin_table), (volume, table) = told()
    assert table_of(database.execute(volume).fetchall()) == table
    found = database.execute(exposure).fetchall()
    stated = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in twin_table.splitlines()]
    assert [tuple(map(str, row)) for row in found] == [row[: len(found[0])] for row in stated]


@pytest.mark.slow
def test_the_command_makes_the_same_bytes_again(tmp_path: Path) -> None:
    command = [sys.executable, "-m", rebuild.__name__, "--out", str(tmp_path / "again")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1_200, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    found = rebuild.digests(tmp_path / "again")
    first = min(name for name in found if name.startswith("models/") and name.endswith(".txt"))
    if found[first] != rebuild.digests(FOLDER)[first]:
        pytest.skip("not the machine that the sample was made on, or the service has changed since: then rebuild it")
    assert found == rebuild.digests(FOLDER)


@pytest.mark.slow
def test_the_twin_without_the_fault_is_as_the_readme_says(tmp_path: Path) -> None:
    rebuild.rebuild(tmp_path / "twin", is_clean=True)
    (exposure, twin_table), _ = told()
    found = connected(tmp_path / "twin").execute(exposure).fetchall()
    n = len(found[0])
    stated = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in twin_table.splitlines()]
    assert [tuple(map(str, row[1:])) for row in found] == [row[n:] for row in stated]
