"""Weekly training on the service's own logs: impressions of two weeks, with the plays that were joined to them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np

from recsysops.drills.rows import Column, Rows
from recsysops.drills.world.features import CATEGORIES, MODEL_FEATURES
from recsysops.drills.world.files import ARCHIVE, LOGS
from recsysops.drills.world.vocabulary import PLAY_MINUTES

WINDOW_DAYS = 14
MATURITY_DAYS = 1
"""The newest day before training whose labels are waited for."""
HELD_OUT_DAYS = 3
TRAINER = {"n_trees": 80, "learning_rate": 0.08, "num_leaves": 31, "is_due": False}


def window(day: date) -> tuple[date, date]:
    """First and last day a model trained on ``day`` learns from."""
    last = day - timedelta(days=MATURITY_DAYS + 1)
    return last - timedelta(days=WINDOW_DAYS - 1), last


def trainer(day: date, *, is_due: bool) -> Rows:
    """The trainer's parameters of a day, one row."""
    return Rows({name: np.array([is_due if name == "is_due" else value]) for name, value in TRAINER.items()})


def training_rows(folder: Path, first: date, last: date) -> Rows:
    """Impressions of the window with ``label`` (a play of two minutes or more), ``day`` and ``weight`` (one over the sampling
    rate), in the order of request and item."""
    columns = ", ".join(f'any_value(c."{name}") AS "{name}"' for name in MODEL_FEATURES)
    query = f"""
        SELECT c.request_id, c.item_id, any_value(CAST(c.ts AS DATE)) AS day, any_value(1 / c.sampling_rate) AS weight,
               coalesce(max(o.value) >= {PLAY_MINUTES}, false)::INTEGER AS label, {columns}
        FROM read_parquet($candidates, hive_partitioning = false) c
        LEFT JOIN read_parquet($outcomes, hive_partitioning = false) o USING (request_id, item_id)
        WHERE c.shown GROUP BY c.request_id, c.item_id ORDER BY c.request_id, c.item_id
    """
    after = last + timedelta(days=MATURITY_DAYS)
    files = {
        "candidates": _files(folder, "candidates", first, last),
        "outcomes": _files(folder, "outcomes", first, after),
    }
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        table = connection.sql(query, params=files).to_arrow_table()
    return Rows({name: _column(name, table[name].combine_chunks()) for name in table.column_names})


def _files(folder: Path, table: str, first: date, last: date) -> list[str]:
    days = [first + timedelta(days=k) for k in range((last - first).days + 1)]
    roots = (folder / ARCHIVE / table, folder / LOGS / table)
    paths = [root / f"day={day.isoformat()}" / "part-0.parquet" for day in days for root in roots]
    return [str(path) for path in paths if path.exists()]


def _column(name: str, values: object) -> Column:
    if name in CATEGORIES or name in {"request_id", "item_id"}:
        return np.array(values.to_pylist(), object)  # type: ignore[attr-defined]
    found = values.to_numpy(zero_copy_only=False)  # type: ignore[attr-defined]
    return np.asarray(found.astype("datetime64[D]") if name == "day" else found)


def is_held_out(rows: Rows, last: date) -> Column:
    """Rows of the last days of the window."""
    return np.asarray(rows["day"] > np.datetime64(last - timedelta(days=HELD_OUT_DAYS)))
