"""Small logs with odd names for drills: any format, with slates, without outcomes, with masks and every face of missing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

FIRST_DAY = date(2026, 3, 1)
ROLES = {
    "request_id": 'req "id"',
    "ts": "when it was",
    "item_id": "it'em",
    "member_id": "who",
    "position": "place",
    "score": "p(click)",
    "price": "score",
}
SETTINGS: dict[str, Any] = {
    "roles": ROLES,
    "features": ["f.*", "génre"],
    "slices": ["market; DROP", "is tv"],
    "columns": {"f.row": {"mask": "f.row?"}, "génre": {"default": "unknown"}},
}
OUTCOMES: dict[str, Any] = {
    "roles": {"request_id": "r", "ts": "t", "item_id": "i", "ingested_at": "in"},
    "label_window_days": 2,
}


def candidates(day: date, *, n_requests: int = 60, slate: int = 4, seed: int = 0) -> pd.DataFrame:
    """One day of candidates; a price called ``score``, a score called ``p(click)``."""
    rng = np.random.default_rng((seed, day.toordinal()))
    n = n_requests * slate
    request = np.repeat(np.arange(n_requests), slate)
    member = rng.integers(0, 40, n_requests)[request]
    item = rng.integers(0, 25, n)
    seconds = np.sort(rng.integers(0, 86_400, n_requests))[request]
    f_row = rng.normal(size=n)
    f_row[rng.random(n) < 0.05] = np.nan
    genres = np.array(["drama", 'it\'s "new"', "kids", "unknown"], object)
    return pd.DataFrame(
        {
            ROLES["request_id"]: [f"r'{day.day}-{one}" for one in request],
            ROLES["ts"]: pd.Timestamp(day, tz="UTC") + pd.to_timedelta(seconds, unit="s"),
            ROLES["item_id"]: [f"i{one}" for one in item],
            ROLES["member_id"]: [f"m{one}" for one in member],
            ROLES["position"]: np.tile(np.arange(1, slate + 1), n_requests),
            ROLES["score"]: 1 / (1 + np.exp(-f_row - rng.normal(size=n))),
            ROLES["price"]: 100 + item * 5,
            "f.row": f_row,
            "f.row?": rng.random(n) < 0.1,
            "f.member": np.sin(member),
            "f.item": pd.array([None if one == 3 else int(one) * 10 for one in item], dtype="Int64"),
            "génre": [None if one < 0 else genres[one] for one in rng.integers(-1, 4, n)],
            "market; DROP": np.array(["NO", "D'K"], object)[(request % 5 == 0).astype(int)],
            "is tv": request % 2 == 0,
        }
    )


def outcomes(frame: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """A play of about every fifth candidate, seen by the log some hours later."""
    rng = np.random.default_rng(seed)
    played = frame[rng.random(len(frame)) < 0.2]
    ts = played[ROLES["ts"]]
    return pd.DataFrame(
        {
            "r": played[ROLES["request_id"]],
            "t": ts.dt.floor("s"),
            "i": played[ROLES["item_id"]],
            "in": ts + pd.to_timedelta(rng.exponential(7200, len(played)).round(), unit="s"),
        }
    ).reset_index(drop=True)


def write_log(
    root: Path,
    n_days: int = 6,
    *,
    form: str = "parquet",
    with_outcomes: bool = True,
    is_slates: bool = False,
    settings: Mapping[str, Any] | None = None,
    detect: Mapping[str, Any] | None = None,
    **shape: int,
) -> dict[date, pd.DataFrame]:
    """A workspace in ``root`` with two days per file; gives the candidates of each day."""
    days = {day: candidates(day, **shape) for day in (FIRST_DAY + timedelta(days=index) for index in range(n_days))}
    stated = {**SETTINGS, **(settings or {}), "source": {"path": "can'd"}}
    if is_slates:
        own = (ROLES["request_id"], ROLES["ts"], ROLES["member_id"], "market; DROP", "is tv")
        stated["unnest"] = [name for name in next(iter(days.values())) if name not in own]
    tables = {"candidates": stated}
    pairs = [list(days.values())[start : start + 2] for start in range(0, n_days, 2)]
    for number, pair in enumerate(pairs):
        frame = pd.concat(pair, ignore_index=True)
        write_table(_slates(frame, stated["unnest"]) if is_slates else _arrow(frame), root / "can'd", number, form)
        if with_outcomes:
            tables["outcomes"] = {**OUTCOMES, "source": {"path": "plays"}}
            write_table(_arrow(outcomes(frame)), root / "plays", number, form)
    said = {"version": 1, "name": "odd", "clock": "archive", "tables": tables, "detect": dict(detect or {})}
    (root / "recsysops.yaml").write_text(json.dumps(said), encoding="utf-8")
    return days


def write_table(table: pa.Table, folder: Path, number: int, form: str) -> None:
    """One file of a table."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"part-{number}.{form}"
    if form == "parquet":
        pq.write_table(table, path)
    elif form == "csv":
        table.to_pandas().to_csv(path, index=False, date_format="%Y-%m-%dT%H:%M:%SZ")
    else:
        table.to_pandas().to_json(
            path, orient="records", lines=True, date_format="iso", date_unit="us", double_precision=15
        )


def write_items(root: Path, last_day: date) -> None:
    """A catalogue of launches 40, 3 and -2 days ago beside the settings."""
    moment = datetime(last_day.year, last_day.month, last_day.day, tzinfo=UTC)
    launches = [moment - timedelta(days=ago) for ago in (40, 3, -2)]
    pq.write_table(pa.table({"item": ["old", "new", "next"], "at": launches}), root / "items.parquet")
    path = root / "recsysops.yaml"
    said = json.loads(path.read_text(encoding="utf-8"))
    said["tables"]["items"] = {
        "source": {"path": "items.parquet"},
        "roles": {"item_id": "item", "launch_at": "at"},
    }
    path.write_text(json.dumps(said), encoding="utf-8")


def _arrow(frame: pd.DataFrame) -> pa.Table:
    """NaN stays NaN beside NULL."""
    return pa.table({str(name): pa.array(frame[name], from_pandas=frame[name].dtype == object) for name in frame})


def _slates(frame: pd.DataFrame, arrays: list[str]) -> pa.Table:
    grouped = frame.groupby(ROLES["request_id"], sort=False)
    first = grouped.first().reset_index()
    columns: dict[str, Any] = {}
    table = _arrow(frame)
    sizes = grouped.size().to_numpy()
    offsets = pa.array(np.concatenate([[0], np.cumsum(sizes)]), pa.int32())
    for name in frame:
        if name in arrays:
            columns[str(name)] = pa.ListArray.from_arrays(offsets, table.column(str(name)).combine_chunks())
        else:
            columns[str(name)] = pa.array(first[name])
    return pa.table(columns)
