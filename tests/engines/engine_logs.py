"""Small hostile logs for tests of the engine, written as partitions in any format."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from recsysops.config.settings import WorkspaceSettings
from recsysops.engines.in_process import Engine
from recsysops.tables.open_tables import open_tables

Row = dict[str, Any]
FIRST_DAY = date(2026, 3, 1)
MARKETS = ["NO", "N'O", '🎬 "x"', "a\x1fb", "(null)", None]
ITEMS = ["i1", "'; DROP TABLE t; --", "🎬", "a\x1fb", "[red]x[/red]", None, *(f"item {n}" for n in range(8))]
SCHEMA = pa.schema(
    [
        ("request id", pa.string()),
        ("ts", pa.timestamp("us", "UTC")),
        ('it"em', pa.string()),
        ("position", pa.int32()),
        ("score", pa.float64()),
        ("feature.1", pa.float32()),
        ("filled", pa.bool_()),
        ("genre", pa.string()),
        ("market", pa.string()),
        ("tv", pa.bool_()),
    ]
)
OUTCOMES = pa.schema(
    [("ts", pa.timestamp("us", "UTC")), ("item", pa.string()), ("request", pa.string()), ("kind", pa.string())]
)
CANDIDATE_SETTINGS: dict[str, Any] = {
    "roles": {
        "request_id": "request id",
        "ts": "ts",
        "item_id": 'it"em',
        "position": "position",
        "score": "score",
    },
    "features": ["feature.1", "genre"],
    "slices": ["market", "tv"],
    "columns": {
        "score": {"default": -1.0},
        "feature.1": {"mask": "filled"},
        "genre": {"default": "unknown"},
    },
}
OUTCOME_SETTINGS: dict[str, Any] = {
    "roles": {"request_id": "request", "ts": "ts", "item_id": "item", "kind": "kind"},
    "label_window_days": 1,
}


def candidate_rows(seed: int, n_requests: int = 40, n_days: int = 3) -> list[Row]:
    """Requests of one to five rows on several days, some astride midnight, some rows without request, time or item."""
    rng = random.Random(seed)
    rows: list[Row] = []
    for number in range(n_requests):
        request = rng.choice([f"r{number}", f"r'{number}", f"🎬{number}", None])
        start = datetime.combine(FIRST_DAY, datetime.min.time(), UTC) + timedelta(
            seconds=rng.randrange(86_400 * n_days)
        )
        if rng.random() < 0.2:
            start = start.replace(hour=23, minute=59, second=59, microsecond=999_999)
        moments = [start + timedelta(microseconds=rng.choice([0, 1, 10**6])) for _ in range(rng.randint(1, 5))]
        rows.extend(_candidate(rng, request, moment, place) for place, moment in enumerate(moments))
    return rows + [dict(rng.choice(rows)) for _ in range(n_requests // 10)]


def _candidate(rng: random.Random, request: str | None, ts: datetime, place: int) -> Row:
    number = rng.choice([None, math.nan, math.inf, -math.inf, -1.0, 0.0, rng.gauss(0, 1), rng.gauss(0, 1), 2.5])
    return {
        "request id": request,
        "ts": None if rng.random() < 0.03 else ts,
        'it"em': rng.choice(ITEMS),
        "position": rng.choice([place + 1, place + 1, None]),
        "score": number,
        "feature.1": rng.choice([None, 0.5, 0.25, -3.0, float(rng.randint(0, 9)), math.nan]),
        "filled": rng.choice([True, False, False, None]),
        "genre": rng.choice(["drama", "comedy", "unknown", "a'b", None, f"rare {rng.randint(0, 70)}"]),
        "market": rng.choice(MARKETS),
        "tv": rng.choice([True, False, None]),
    }


def outcome_rows(seed: int, candidates: Sequence[Row]) -> list[Row]:
    """Outcomes up to three days after a candidate, before it, or after none at all."""
    rng = random.Random(seed)
    rows = []
    for row in candidates:
        if row["ts"] is None or rng.random() < 0.5:
            continue
        item, request = rng.choice([(row['it"em'], row["request id"]), (row['it"em'], "nobody's")])
        ts = row["ts"] + timedelta(seconds=rng.choice([0, 5, 7_200, 90_000, 170_000, 173_000, 250_000, -60]))
        rows.append({"ts": ts, "item": item or "?", "request": request, "kind": rng.choice(["click", "play", None])})
    return rows


def write_parquet(rows: Sequence[Row], path: Path, schema: pa.Schema = SCHEMA) -> None:
    """One partition, in small row groups."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), path, row_group_size=17)


def write_partitions(folder: Path, parts: Sequence[Sequence[Row]], schema: pa.Schema = SCHEMA) -> None:
    """One Parquet file per part, named in order."""
    for number, part in enumerate(parts):
        write_parquet(part, folder / f"part-{number:02d}.parquet", schema)


def open_engine(root: Path, state: Path, n_threads: int | None = 1, **tables: dict[str, Any]) -> Engine:
    """An engine over ``root/<table>``; keyword arguments are table settings without their source."""
    stated = {name: {"source": {"path": name}, **settings} for name, settings in tables.items()}
    settings = WorkspaceSettings.model_validate(json.loads(json.dumps({"tables": stated})))
    return Engine(open_tables(settings, root), state, n_threads=n_threads)


def candidates_engine(root: Path, state: Path, n_threads: int | None = 1, **changed: Any) -> Engine:
    """An engine over candidates alone."""
    return open_engine(root, state, n_threads, candidates={**CANDIDATE_SETTINGS, **changed})
