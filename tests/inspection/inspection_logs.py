"""Small logs in many shapes, shared by the tests of this folder."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

START = datetime(2026, 3, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 5, tzinfo=UTC)
N_REQUESTS, N_CANDIDATES = 60, 5


def impressions(day: int = 0) -> dict[str, list[Any]]:
    """One day of 60 requests of 5 candidates, in the contract's own words."""
    rows = [(request, place) for request in range(N_REQUESTS) for place in range(N_CANDIDATES)]
    return {
        "request_id": [f"r{day}-{request}" for request, _ in rows],
        "ts": [START + timedelta(days=day, minutes=20 * request) for request, _ in rows],
        "item_id": [f"i{(request * 7 + place * 3) % 40}" for request, place in rows],
        "user_id": [f"u{request % 25}" for request, _ in rows],
        "position": [place + 1 for _, place in rows],
        "pscore": [(place + 1) / 10 for _, place in rows],
        "score": [1 / (1 + place) + request / 1000 for request, place in rows],
        "country": [("NO", "SE", "DK")[request % 3] for request, _ in rows],
        "device": [("tv", "phone")[request % 2] for request, _ in rows],
        "f_age": [float((request * 13 + place) % 50) for request, place in rows],
        "f_pop": [float((request + place * 11) % 37) / 37 for request, place in rows],
        "f_pop_is_missing": [(request + place) % 9 == 0 for request, place in rows],
    }


def write_parquet(path: Path, columns: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def flat_parquet(folder: Path) -> str:
    for day in range(3):
        write_parquet(folder / f"impressions-2026-03-0{day + 1}.parquet", impressions(day))
    return str(folder)


def hive_parquet(folder: Path) -> str:
    for day in range(3):
        write_parquet(folder / f"impressions/day=2026-03-0{day + 1}/part-0.parquet", impressions(day))
    return str(folder / "impressions")


def slates(folder: Path) -> str:
    """JSON lines with one request a line and arrays for its candidates; positions are the order of the arrays."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        {
            "reqid": f"r{request}",
            "servedAt": (START + timedelta(minutes=request)).isoformat(),
            "customerId": f"c{request % 7}",
            "movieIds": [f"i{(request + place) % 30}" for place in range(1 + request % 4)],
            "predScores": [place / 7 + request / 100 for place in range(1 + request % 4)],
            "market": ("NO", "SE")[request % 2],
        }
        for request in range(80)
    ]
    (folder / "recs.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
    return str(folder / "recs.jsonl")


ODD_NAMES = (
    'a "quoted"',
    "it's.dotted",
    "with space",
    "🎬",
    "x; DROP TABLE y; --",
    "[red]",
    "\x1b[31mred",
    "${HOME}",
    "no",
    "#1: a",
)


def odd_csv(folder: Path) -> str:
    """CSV whose file and feature names would hurt whoever trusts them."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = impressions()
    odd = {name: [float((row * (k + 2)) % 17) / 3 for row in range(300)] for k, name in enumerate(ODD_NAMES)}
    path = folder / "[red] 🎬 'recs' \"x\" ${LOGS}.csv"
    pc.write_csv(pa.table({**columns, **odd}), path)
    return str(path)


def epoch_parquet(folder: Path) -> str:
    columns = impressions()
    columns["eventTimestampMs"] = [int(moment.timestamp() * 1000) for moment in columns.pop("ts")]
    columns["rank"] = [place - 1 for place in columns.pop("position")]
    write_parquet(folder / "serving_log.parquet", columns)
    return str(folder / "serving_log.parquet")


def items(folder: Path) -> str:
    columns = {
        "movie_id": [f"i{n}" for n in range(40)],
        "title": [f"A film {n}" for n in range(40)],
        "release_date": [START + timedelta(days=n % 11) for n in range(40)],
        "genre": [("drama", "comedy")[n % 2] for n in range(40)],
        "runtime": [80.5 + n for n in range(40)],
        "snapshot_date": [START] * 40,
    }
    write_parquet(folder / "catalogue.parquet", columns)
    return str(folder / "catalogue.parquet")


def outcomes(folder: Path) -> str:
    columns = {
        "impression_id": [f"r0-{n}" for n in range(30)],
        "event_time": [START + timedelta(minutes=21 * n) for n in range(30)],
        "item": [f"i{(n * 7) % 40}" for n in range(30)],
        "event_type": [("click", "play")[n % 2] for n in range(30)],
    }
    write_parquet(folder / "events.parquet", columns)
    return str(folder / "events.parquet")


def sqlite_file(folder: Path) -> str:
    """A SQLite file with impressions, clicks and a table that is none of ours."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = impressions()
    columns["ts"] = [moment.isoformat() for moment in columns["ts"]]
    with closing(sqlite3.connect(folder / "logs.sqlite")) as connection:
        names = list(columns)
        connection.execute(f"CREATE TABLE impressions ({', '.join(names)})")
        marks = ", ".join("?" * len(names))
        connection.executemany(f"INSERT INTO impressions VALUES ({marks})", zip(*columns.values(), strict=True))
        connection.execute("CREATE TABLE clicks (request_id TEXT, timestamp TEXT, item_id TEXT, action TEXT)")
        rows = [(f"r0-{n}", columns["ts"][5 * n], f"i{n}", "click") for n in range(20)]
        connection.executemany("INSERT INTO clicks VALUES (?, ?, ?, ?)", rows)
        connection.execute("CREATE TABLE settings (name TEXT, content TEXT)")
        connection.execute("INSERT INTO settings VALUES ('a', 'b')")
        connection.commit()
    return str(folder / "logs.sqlite")
