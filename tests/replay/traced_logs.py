"""A small log beside its upstream table, in which a test plants one kind of difference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from recsysops.replay.candidates import Candidates
from recsysops.replay.tracing import Traced, trace
from recsysops.replay.upstream import Upstream
from recsysops.tables.schema import Column, TableSchema

N_ITEMS, N_DAYS, N_ROWS = 60, 8, 900
NAMES = ("plays", "rate", "minutes", "price", "genre")
DAY = np.datetime64("2026-11-01T00:00:00", "us")
_DAY = np.timedelta64(1, "D")


def upstream(seed: int = 0) -> Upstream:
    """A nightly snapshot of every item; most values change from day to day, prices and genres do not."""
    rng = np.random.default_rng(seed)
    n = N_ITEMS * N_DAYS
    day, item = np.divmod(np.arange(n), N_ITEMS)
    price = rng.choice([0.0, 19.0, 49.0, 99.0], N_ITEMS)[item]
    as_of = DAY + day * _DAY
    utc = pa.timestamp("us", "UTC")
    return Upstream(
        "item_features",
        pa.array([f"i{number}" for number in item]),
        pa.array(as_of, utc),
        pa.array(as_of + np.timedelta64(3, "h"), utc),
        {
            "plays": pa.array(rng.poisson(6, n).astype(np.float64)),
            "rate": pa.array(rng.beta(3, 12, n), mask=rng.random(n) < 0.05),
            "minutes": pa.array(np.round(rng.gamma(2, 300, n), 3)),
            "price": pa.array(price),
            "genre": pa.array(rng.choice(["drama", "crime", "sport"], N_ITEMS)[item]),
        },
    )


def log(source: Upstream, seed: int = 1, **stated: Any) -> tuple[dict[str, Any], TableSchema, np.ndarray[Any, Any]]:
    """Clean columns of candidates in the last days, float32 as logs keep them; their schema; the upstream row of each."""
    rng = np.random.default_rng(seed)
    request = np.repeat(np.arange(N_ROWS // 10), 10)
    seconds = rng.integers(0, 3 * 86_400, N_ROWS // 10)[request]
    ts = pa.array(DAY + 5 * _DAY + seconds * np.timedelta64(1, "s"), pa.timestamp("us", "UTC"))
    item = pa.array([f"i{number}" for number in rng.integers(0, N_ITEMS, N_ROWS)])
    rows = source.rows(item, ts)
    copied = {name: source.columns[name].take(pa.array(rows)) for name in NAMES}
    columns = {name: values if name == "genre" else values.cast(pa.float32()) for name, values in copied.items()}
    kinds = {name: "categorical" if name == "genre" else "numeric" for name in NAMES}
    schema = TableSchema(
        "candidates",
        (
            Column("request_id", "categorical", "request_id"),
            Column("ts", "timestamp", "ts"),
            Column("item_id", "categorical", "item_id"),
            *(Column(name, kinds[name], is_feature=True, **stated.get(name, {})) for name in NAMES),  # type: ignore[arg-type]
        ),
    )
    return columns | {"request_id": pa.array([f"r{one}" for one in request]), "ts": ts, "item_id": item}, schema, rows


def traced(columns: Mapping[str, Any], schema: TableSchema, source: Upstream) -> Traced:
    """The columns beside their sources."""
    return trace(Candidates(columns, schema), source, {name: name for name in NAMES})
