"""A small sound log to damage: three days of candidates, their clicks and a catalogue, with every role the judges use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

START = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = tuple(f"2026-03-0{number}" for number in (1, 2, 3))
N_REQUESTS, N_SHOWN = 40, 4
Columns = dict[str, Any]
Change = Callable[[Columns], Columns]

YAML = """\
version: 1
name: small
clock: archive
tables:
  candidates:
    source: {path: candidates}
    roles: {request_id: request_id, ts: ts, item_id: item_id, position: position, score: score}
    features: [recency]
    slices: [arm]
  outcomes:
    source: {path: outcomes}
    roles: {request_id: request_id, ts: ts, item_id: item_id, kind: kind}
  items:
    source: {path: items.parquet}
    roles: {item_id: item_id}
    features: [price]
"""


def day_columns(number: int) -> Columns:
    """The columns of one day's candidates, as plain lists."""
    rows = [(request, place) for request in range(N_REQUESTS) for place in range(N_SHOWN)]
    begin = START + timedelta(days=number)
    return {
        "request_id": [f"r{number}-{request}" for request, _ in rows],
        "ts": [begin + timedelta(minutes=30 * request) for request, _ in rows],
        "item_id": [f"i{(7 * request + 3 * place + number) % 25}" for request, place in rows],
        "position": [place + 1 for _, place in rows],
        "score": [1.0 - 0.2 * place + 0.001 * request for request, place in rows],
        "recency": [float((5 * request + place) % 17) for request, place in rows],
        "arm": ["ab"[request % 2] for request, _ in rows],
    }


def clicks_of(columns: Mapping[str, Any]) -> pa.Table:
    """A click on every ninth candidate."""
    kept = range(0, len(columns["request_id"]), 9)
    picked = {name: [columns[name][index] for index in kept] for name in ("request_id", "ts", "item_id")}
    return pa.table({**picked, "kind": ["click"] * len(kept)})


def candidates_path(root: Path, number: int) -> Path:
    """The file of one day of candidates."""
    return root / "candidates" / f"day={DAYS[number]}" / "part-0.parquet"


def write_day(root: Path, number: int, table: pa.Table) -> Path:
    """One day of candidates as a file."""
    path = candidates_path(root, number)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
    return path


def write_small_log(
    root: Path, change: Change = lambda columns: columns, *, changed_days: tuple[int, ...] = (2,)
) -> None:
    """The log in ``root`` with its settings; ``change`` is laid over the candidates of the days that are named."""
    root.mkdir(parents=True, exist_ok=True)
    for number in range(len(DAYS)):
        columns = day_columns(number)
        write_day(root, number, pa.table(change(dict(columns)) if number in changed_days else columns))
        clicks = root / "outcomes" / f"day={DAYS[number]}" / "part-0.parquet"
        clicks.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(clicks_of(columns), clicks)
    items = [f"i{number}" for number in range(25)]
    pq.write_table(pa.table({"item_id": items, "price": [float(len(name)) for name in items]}), root / "items.parquet")
    (root / "recsysops.yaml").write_text(YAML)
