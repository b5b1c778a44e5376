"""What is logged is what was served, column by column, in either format."""

from __future__ import annotations

import json
import math
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
import yaml
from served_requests import KEY, NOON, SCHEMA, files, logger, request, request_ids, rows, settings

from recsysops.config.load import load_settings
from recsysops.serving import LogSchema, Rule, SamplingPlan, ServedRequest, explore
from recsysops.serving.member_ids import keyed_id
from recsysops.tables.open_tables import open_tables


def test_a_row_is_a_candidate_as_it_was_served(tmp_path: Path) -> None:
    served = ServedRequest(
        "r-1",
        np.array(["i-1", "i-2", "i-3"], object),
        score=[0.5, np.nan, None],
        raw_score=np.array([0.1 + 0.2, 1e-300, 2.0]),
        position=[1, 0, np.nan],
        raw_rank=np.array([2, 1, 3], np.int16),
        final_rank=[1, 2, 3],
        propensity=explore("r-1", 3, share=0.0).propensity,
        candidate_source=["taste", None, "new"],
        filtered_by=[None, "age", None],
        features=np.array([[1.5, np.nan], [np.nan, 3.0], [0.0, 9.0]], np.float32),
        absent=np.array([[False, False], [True, False], [False, False]]),
        defaulted=np.array([[False, False], [False, False], [False, True]]),
        labels={"genre": ["drama", "", None]},
        ts=NOON + timedelta(microseconds=1),
        member_id="m-1",
        context={"market": "DK", "surface": "home"},
        model_id="m-1",
        override_generation=4,
        seed=2**62,
        consumer="rows",
        latency_ms=12.5,
        randomised=True,
    )
    with logger(tmp_path) as log:
        log.log(served)
    found = rows(tmp_path)
    assert found.column_names == [*SCHEMA.request_columns(), *SCHEMA.candidate_columns(is_full=True)]
    assert found.schema.field("ts").type == pa.timestamp("us", tz="UTC")
    assert found.schema.field("age").type == pa.float32()
    columns = found.to_pydict()
    same = {
        "request_id": "r-1", "ts": NOON + timedelta(microseconds=1), "member_id": keyed_id("m-1", KEY), "model_id": "m-1",
        "override_generation": 4, "sampling_rate": 1.0, "sampling_salt": "sample", "seed": 2**62, "feature_schema": "f-1", "host": "ranker-1",
        "client_version": None, "consumer": "rows", "experiment_arm": None, "fallback": False, "latency_ms": 12.5,
        "error": None, "overridden": False, "randomised": True, "promoted": False, "market": "DK", "device": None,
    }  # fmt: skip
    for name, value in same.items():
        assert columns[name] == [value] * 3, name
    assert columns["item_id"] == ["i-1", "i-2", "i-3"]
    assert columns["position"] == [1, None, None]
    assert columns["shown"] == [True, False, False]
    assert columns["raw_rank"] == [2, 1, 3]
    assert columns["raw_score"] == [0.1 + 0.2, 1e-300, 2.0]
    assert columns["propensity"] == [1.0, 1.0, 1.0]
    assert columns["candidate_source"] == ["taste", None, "new"]
    assert columns["filtered_by"] == [None, "age", None]
    assert columns["price"] == [None] * 3
    assert columns["genre"] == ["drama", "", None]
    assert str(columns["score"]) == "[0.5, nan, None]", "NaN and NULL stay apart"
    assert str(columns["age"]) == "[1.5, None, 0.0]"
    assert str(columns["taste"]) == "[nan, 3.0, 9.0]"
    assert columns["taste_is_default"] == [False, False, True]


def test_nobody_said_is_null(tmp_path: Path) -> None:
    with logger(tmp_path) as log:
        log.log(ServedRequest("r-1", ["i-1"], ts=NOON))
    [row] = rows(tmp_path).to_pylist()
    assert [row[name] for name in ("age", "taste", "taste_is_default", "genre", "score", "position")] == [None] * 6
    assert row["shown"] is False


@pytest.mark.parametrize("file_format", ["parquet", "jsonl"])
def test_a_workspace_maps_the_columns_as_they_are(tmp_path: Path, file_format: str) -> None:
    with logger(tmp_path / "log", settings=settings(file_format=file_format)) as log:
        for number in range(30):
            log.log(request(number, consumer="rows", features=np.full((3, 2), [number, np.nan], np.float32)))
    table = SCHEMA.workspace_table("log/candidates")
    if file_format == "jsonl":  # a column that is NULL throughout has no type there
        named = {"item_id", "request_id", "ts", "member_id", "score", "position", "model_id", "sampling_rate", "host"}
        table["roles"] = {name: column for name, column in table["roles"].items() if name in named}
    (tmp_path / "recsysops.yaml").write_text(yaml.safe_dump({"version": 1, "tables": {"candidates": table}}))
    opened = open_tables(load_settings(tmp_path / "recsysops.yaml", environ={}), tmp_path)["candidates"]
    assert opened.schema.slices == SCHEMA.dimensions
    assert {column.name for column in opened.schema.columns if column.is_feature} == {"age", "taste", "genre"}
    mask = next(column.mask for column in opened.schema.columns if column.name == "taste")
    assert mask == "taste_is_default"
    batches = [batch for part in opened.partitions() for batch in opened.batches(part, ["request_id", "taste", "ts"])]
    merged = pa.Table.from_batches(batches)
    assert merged.num_rows == 90
    assert merged["taste"].null_count == 0
    assert all(math.isnan(value) for value in merged["taste"].to_pylist())
    assert merged["ts"][0].as_py() == NOON


def test_json_lines_say_the_same(tmp_path: Path) -> None:
    for file_format in ("parquet", "jsonl"):
        with logger(tmp_path / file_format, settings=settings(file_format=file_format)) as log:
            for number in range(40):
                log.log(request(number, score=[1.0, np.nan, np.inf], absent=np.eye(3, 2) > 0))
    [path] = files(tmp_path / "jsonl")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    wanted = rows(tmp_path / "parquet").to_pylist()
    assert [list(line) for line in lines] == [list(row) for row in wanted]
    for line, row in zip(lines, wanted, strict=True):
        row["ts"] = row["ts"].isoformat()
        assert repr(line) == repr(row)
    query = "SELECT count(*), count(age), count(*) FILTER (isnan(score)) FROM read_json($path)"
    assert duckdb.execute(query, {"path": str(path)}).fetchone() == (120, 80, 40)


def test_without_pyarrow_it_is_json_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsysops.serving.log_formats.find_spec", lambda name: None)
    with logger(tmp_path) as log:
        log.log(request(1))
    assert [path.suffix for path in files(tmp_path)] == [".jsonl"]


def test_thin_and_full_are_samples_of_their_own(tmp_path: Path) -> None:
    plan = SamplingPlan((Rule("base", 0.1, thin_rate=0.4),))
    with logger(tmp_path, plan) as log:
        for number in range(1000):
            log.log(request(number, error="timeout" if number == 5 else None))
    full, thin = rows(tmp_path), rows(tmp_path, "thin")
    ids, thin_ids = set(request_ids(tmp_path)), set(request_ids(tmp_path, "thin"))
    assert ids < thin_ids
    assert "r-5" in ids
    assert log.counts.n_written == log.counts.n_accepted == len(thin_ids)
    assert thin.column_names == [
        name for name in full.column_names if name not in ("age", "taste", "genre", "taste_is_default")
    ]
    for table, n, rate in ((full, len(ids), 0.1), (thin, len(thin_ids), 0.4)):
        assert table.num_rows == 3 * n, "whole requests"
        weights = {row["request_id"]: 1 / row["sampling_rate"] for row in table.to_pylist()}
        assert weights["r-5"] == 1
        assert set(weights.values()) == {1.0, 1 / np.float64(rate)}
        assert abs(sum(weights.values()) - 1000) < 4 * math.sqrt(1000 * (1 - rate) / rate)


def test_a_day_has_its_folder(tmp_path: Path) -> None:
    with logger(tmp_path) as log:
        for number in range(6):
            log.log(request(number, ts=NOON + timedelta(hours=6 * number)))
    assert Counter(path.parent.name for path in files(tmp_path)) == {"day=2026-11-22": 1, "day=2026-11-23": 1}
    assert request_ids(tmp_path) == [f"r-{number}" for number in range(6)]


def test_members_are_named_by_the_key_alone(tmp_path: Path) -> None:
    with logger(tmp_path / "keyed") as log, logger(tmp_path / "plain", member_key=None) as plain:
        for number in (1, 11, 2):
            log.log(request(number))
            plain.log(request(number))
    assert rows(tmp_path / "plain")["member_id"].unique().to_pylist() == ["m-1", "m-2"]
    assert rows(tmp_path / "keyed")["member_id"].unique().to_pylist() == [keyed_id("m-1", KEY), keyed_id("m-2", KEY)]
    assert keyed_id("m-1", KEY) != keyed_id("m-1", KEY + b"!")
    for weak in (b"", b"short", b"k" * 65):
        with pytest.raises(ValueError, match="member key"):
            logger(tmp_path, member_key=weak)


@pytest.mark.parametrize(
    "given",
    [
        {"features": ("age", "age")},
        {"features": ("score",)},
        {"dimensions": ("",)},
        {"features": ("age", "age_is_default"), "may_be_defaulted": ("age",)},
        {"may_be_defaulted": ("age",)},
    ],
)
def test_a_schema_names_each_column_once(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="log schema"):
        LogSchema(**given)


def test_doubles_where_the_model_sees_doubles(tmp_path: Path) -> None:
    with logger(tmp_path, schema=LogSchema(features=("x",), is_double=True)) as log:
        log.log(ServedRequest("r-1", ["i"], features=np.array([[0.1]]), ts=NOON))
        log.log(ServedRequest("r-2", ["i"], features=np.array([[0.1]], np.float32), ts=NOON))
    assert rows(tmp_path)["x"].to_pylist() == [0.1, float(np.float32(0.1))]
