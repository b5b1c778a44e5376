"""A large day of candidates: 40 float and 10 text features, 4 slice dimensions, keys, item, position and score."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

N_FLOATS, N_TEXTS = 40, 10
FEATURES = (*(f"f{one}" for one in range(N_FLOATS)), *(f"s{one}" for one in range(N_TEXTS)))
CHUNK = 500_000
SLICES = {"market": 30, "device": 5, "surface": 8, "policy": 3}
N_ITEMS = 20_000
FIRST_MICROS = 1_759_968_000_000_000
"""A midnight, UTC."""
SETTINGS = {
    "clock": "archive",
    "tables": {
        "candidates": {
            "source": {"path": "candidates"},
            "roles": {
                "request_id": "request_id",
                "ts": "ts",
                "item_id": "item_id",
                "position": "position",
                "score": "score",
            },
            "features": list(FEATURES),
            "slices": list(SLICES),
        }
    },
}


def batches(n_rows: int, rows_per_request: int = 50, seed: int = 0) -> Iterator[pa.RecordBatch]:
    """One day in the order of time, requests whole; ``seed`` is also the number of the day."""
    random = np.random.default_rng(seed)
    labels = {name: pa.array([f"{name}-{k}" for k in range(n)]) for name, n in SLICES.items()}
    labels["item_id"] = pa.array([f"item-{k:06d}" for k in range(N_ITEMS)])
    words = [pa.array([f"word {k} of {t}" for k in range(20 * (t + 1))]) for t in range(N_TEXTS)]
    for first in range(0, n_rows, CHUNK):
        n = min(CHUNK, n_rows - first)
        row = np.arange(first, first + n)
        request = row // rows_per_request
        start, n_requests = request[0], request[-1] - request[0] + 1
        names = pa.array([f"request-{seed}-{k:012d}" for k in range(start, start + n_requests)])
        micros = FIRST_MICROS + seed * 86_400_000_000 + request * (86_400_000_000 * rows_per_request // n_rows)
        columns: dict[str, pa.Array] = {
            "request_id": names.take(pa.array(request - start)),
            "ts": pa.array(micros, pa.timestamp("us", "UTC")),
            "item_id": _coded((N_ITEMS * random.random(n) ** 3).astype(np.int32), labels["item_id"]),
            "position": pa.array((row % rows_per_request + 1).astype(np.int16)),
            "score": pa.array(random.random(n, dtype=np.float32)),
        }
        for name, n_values in SLICES.items():
            columns[name] = _coded((random.zipf(1.5, n_requests) % n_values)[request - start], labels[name])
        for f in range(N_FLOATS):
            columns[f"f{f}"] = _float(random, f % 4, n)
        for t, word in enumerate(words):
            columns[f"s{t}"] = _coded(np.minimum(random.exponential(len(word) / 4, n), len(word) - 1), word)
        yield pa.record_batch(columns)


def _coded(codes: np.ndarray, words: pa.Array) -> pa.Array:
    return pa.DictionaryArray.from_arrays(codes.astype(np.int32), words)


def _float(random: np.random.Generator, kind: int, n: int) -> pa.Array:
    """Normal, log-normal, 30 % zeros, or 5 % missing."""
    values = random.standard_normal(n, dtype=np.float32)
    if kind == 1:
        values = np.exp(values)
    elif kind == 2:
        values[random.random(n) < 0.3] = 0.0
    return pa.array(values, mask=random.random(n) < 0.05 if kind == 3 else None)


def write(path: Path, n_rows: int, *, day: int = 0) -> None:
    """One day as one file of row groups of half a million rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = None
    for batch in batches(n_rows, seed=day):
        writer = writer or pq.ParquetWriter(path, batch.schema)
        writer.write_batch(batch, row_group_size=CHUNK)
    if writer is not None:
        writer.close()
