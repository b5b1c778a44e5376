"""A small log with a catalogue, sampled requests, search demand and two faults planted by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

START = datetime(2026, 3, 1, tzinfo=UTC)
N_DAYS, N_REQUESTS, N_ITEMS, SLATE = 12, 120, 30, 6
DAYS = [START.date() + timedelta(days=number) for number in range(N_DAYS)]
HIDDEN, WANTED = "i21", "i5"
"""An item launched on the fourth day that is hardly shown, and one that is sought but seldom shown."""
SETTINGS = """
version: 1
name: small
clock: archive
skip: [output.*, system.*]
tables:
  candidates:
    source: {path: candidates}
    roles: {request_id: request_id, ts: ts, item_id: item_id, position: position, shown: shown, score: score,
            sampling_rate: sampling_rate}
    features: [recency, genre]
    slices: [market]
  outcomes:
    source: {path: outcomes}
    roles: {request_id: request_id, ts: ts, item_id: item_id, kind: kind, origin: origin}
  items:
    source: {path: items}
    roles: {item_id: item_id, launch_at: launch_at, owner: owner, as_of: as_of}
"""


def times(day: int, rng: np.random.Generator, n: int) -> list[datetime]:
    """Moments of a day, ascending."""
    return [START + timedelta(days=day, seconds=float(one)) for one in np.sort(rng.uniform(0, 86_399, n))]


def candidates_of(day: int, rng: np.random.Generator) -> pa.Table:
    """Eight candidates a request, six of them shown; ``recency`` is lost in NO on the last day."""
    launched = [index for index in range(N_ITEMS) if launch_of(index) <= START + timedelta(days=day)]
    weight = np.array([{HIDDEN: 0.02, WANTED: 0.1}.get(f"i{index}", 1.0) for index in launched])
    weight /= weight.sum()
    items = np.array([rng.choice(launched, 8, replace=False, p=weight) for _ in range(N_REQUESTS)])
    n = items.size
    market = np.repeat(rng.choice(["NO", "SE"], N_REQUESTS, p=[0.6, 0.4]), 8)
    lost = (day == N_DAYS - 1) & (market == "NO") & (rng.random(n) < 0.4)
    position = np.tile(np.arange(1, 9), N_REQUESTS)
    rate = np.repeat(np.where(np.arange(N_REQUESTS) % 4 == 0, 1.0, 0.25), 8)
    return pa.table(
        {
            "request_id": np.repeat([f"r{day}-{number}" for number in range(N_REQUESTS)], 8),
            "ts": pa.array(np.repeat(np.array(times(day, rng, N_REQUESTS), object), 8), pa.timestamp("us", "UTC")),
            "item_id": [f"i{index}" for index in items.ravel()],
            "position": pa.array(position, mask=position > SLATE),
            "shown": position <= SLATE,
            "score": rng.normal(size=n),
            "sampling_rate": rate,
            "market": market,
            "recency": pa.array(rng.normal(3, 1, n), mask=lost),
            "genre": rng.choice(["drama", "comedy", "<b>x</b>"], n, p=[0.5, 0.3, 0.2]),
        }
    )


def outcomes_of(day: int, shown: pa.Table, rng: np.random.Generator) -> pa.Table:
    """A fifth of the impressions is played; members search, mostly for ``WANTED``."""
    rows = shown.filter(shown.column("shown"))
    played = np.flatnonzero(rng.random(rows.num_rows) < 0.2)
    sought = [WANTED if rng.random() < 0.5 else f"i{rng.integers(N_ITEMS)}" for _ in range(60)]
    from_slate = rows.take(pa.array(played)).select(["request_id", "ts", "item_id"])
    searched = pa.table(
        {
            "request_id": pa.nulls(60, pa.string()),
            "ts": pa.array(times(day, rng, 60), pa.timestamp("us", "UTC")),
            "item_id": sought,
        }
    )
    both = pa.concat_tables([from_slate, searched])
    origin = ["slate"] * len(played) + ["search"] * 60
    return both.append_column("kind", pa.array(["play"] * both.num_rows)).append_column("origin", pa.array(origin))


def launch_of(index: int) -> datetime:
    """Items 6 to 20 are launched on the first three days and item 21 on the fourth; the others are old."""
    if 6 <= index <= 21:
        return START + timedelta(days=3 if index == 21 else index % 3)
    return START - timedelta(days=100 + index)


def write_logs(folder: Path, *, seed: int = 5) -> Path:
    """Write logs and settings; the folder."""
    rng = np.random.default_rng(seed)
    for table in ("candidates", "outcomes", "items"):
        (folder / table).mkdir(parents=True)
    for number, day in enumerate(DAYS):
        candidates = candidates_of(number, rng)
        pq.write_table(candidates, folder / "candidates" / f"{day}.parquet")
        pq.write_table(outcomes_of(number, candidates, rng), folder / "outcomes" / f"{day}.parquet")
    items = {
        "item_id": [f"i{index}" for index in range(N_ITEMS)],
        "launch_at": pa.array([launch_of(index) for index in range(N_ITEMS)], pa.timestamp("us", "UTC")),
        "owner": ["=film" if index % 2 else "series" for index in range(N_ITEMS)],
        "as_of": pa.array([START] * N_ITEMS, pa.timestamp("us", "UTC")),
    }
    pq.write_table(pa.table(items), folder / "items" / "items.parquet")
    (folder / "recsysops.yaml").write_text(SETTINGS)
    return folder


def rows_of(folder: Path, table: str, day: date) -> pa.Table:
    """One day as written."""
    return pq.read_table(folder / table / f"{day}.parquet")
