"""Requests to log, small and repeatable, and what the log then holds."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recsysops.serving import LoggerSettings, LogSchema, Rule, SamplingPlan, ServedRequest, ServingLogger

SCHEMA = LogSchema(
    ("market", "device"), features=("age", "taste"), labels=("genre",), may_be_defaulted=("taste",), version="f-1"
)
KEY = b"sixteen bytes or more"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ALL = SamplingPlan((Rule("base", 1.0),))


def settings(**changed: Any) -> LoggerSettings:
    """Files are written when a test asks for it."""
    return replace(LoggerSettings(rotate_seconds=3600, host="ranker-1"), **changed)


def logger(folder: Path, plan: SamplingPlan = ALL, schema: LogSchema = SCHEMA, **changed: Any) -> ServingLogger:
    """A logger that logs all requests below a folder."""
    given: dict[str, Any] = {"member_key": KEY, "settings": settings()} | changed
    return ServingLogger(folder, schema, plan, **given)


def request(number: int, n: int = 3, **given: Any) -> ServedRequest:
    """Request ``r-<number>`` of one of ten members with n candidates, of which the first two are shown."""
    items = [f"i-{(number + place) % 50}" for place in range(n)]
    filled: dict[str, Any] = {
        "score": np.linspace(0.9, 0.1, n),
        "raw_score": np.linspace(2.0, -2.0, n),
        "position": [place + 1 if place < 2 else None for place in range(n)],
        "final_rank": np.arange(1, n + 1),
        "features": np.full((n, 2), number, np.float32),
        "labels": {"genre": ["drama"] * n},
        "ts": NOON,
        "member_id": f"m-{number % 10}",
        "context": {"market": ("DK", "SE", "NO")[number % 3], "device": "tv"},
        "model_id": "m-1",
    }
    return ServedRequest(f"r-{number}", items, **(filled | given))


def files(folder: Path, table: str = "candidates") -> list[Path]:
    """Files of the log that a reader sees."""
    return sorted(path for path in (folder / table).glob("day=*/*") if not path.name.startswith("."))


def rows(folder: Path, table: str = "candidates") -> pa.Table:
    """All rows of the log, text as text."""
    parts = [_read(path) for path in files(folder, table)]
    merged = pa.concat_tables(parts, promote_options="permissive")
    plain = [
        pa.field(one.name, one.type.value_type if pa.types.is_dictionary(one.type) else one.type)
        for one in merged.schema
    ]
    return merged.cast(pa.schema(plain))


def _read(path: Path) -> pa.Table:
    if path.suffix == ".parquet":
        return pq.ParquetFile(path).read()
    return pa.Table.from_pylist([json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()])


def request_ids(folder: Path, table: str = "candidates") -> list[str]:
    """Ids of the logged requests, each as often as it is logged."""
    found = rows(folder, table).select(["request_id", "item_id"]).to_pylist()
    firsts = [
        row["request_id"]
        for place, row in enumerate(found)
        if not place or found[place - 1]["request_id"] != row["request_id"]
    ]
    return sorted(firsts)
