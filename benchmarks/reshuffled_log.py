"""Open Bandit with its days shuffled: within each policy and campaign every row keeps its place in time, and what was
shown, to whom, and whether it was clicked changes places at random. Real values, real volumes, and no day unlike another.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from benchmarks.simulated_log import write_part
from recsysops.sample_logs import path as sample_path

SETTINGS = {
    "clock": "archive",
    "tables": {
        "candidates": {
            "source": {"path": "candidates"},
            "roles": {
                "request_id": "request_id", "ts": "ts", "item_id": "item_id", "position": "position",
                "propensity": "propensity",
            },
            "features": ["user_*"],
            "slices": ["policy", "campaign"],
        },
        "outcomes": {
            "source": {"path": "outcomes"},
            "roles": {
                "request_id": "request_id", "ts": "ts", "item_id": "item_id", "kind": "kind", "value": "value",
                "origin": "origin",
            },
        },
    },
}  # fmt: skip


def write_reshuffled(folder: Path, seed: int) -> None:
    """Candidates and outcomes of the sample log, shuffled; a hive partition a day."""
    logs = sample_path("open_bandit")
    candidates = ds.dataset(logs / "candidates").to_table()
    candidates = candidates.set_column(candidates.column_names.index("ts"), "ts", _shuffled_times(candidates, seed))
    times = candidates.select(["request_id", "ts"])
    outcomes = ds.dataset(logs / "outcomes").to_table().drop_columns(["ts"]).join(times, "request_id")
    for name, table in (("candidates", candidates), ("outcomes", outcomes)):
        table = table.sort_by([("ts", "ascending"), ("request_id", "ascending")])
        days = pc.cast(table["ts"], pa.date32())
        for day in pc.unique(days).to_pylist():
            write_part(folder / name, day, table.filter(pc.equal(days, day)))


def _shuffled_times(candidates: pa.Table, seed: int) -> pa.Array:
    rng = np.random.default_rng(seed)
    stratum = np.char.add(*(np.asarray(candidates[name].to_pylist(), np.str_) for name in ("policy", "campaign")))
    times = candidates["ts"].to_numpy().copy()
    for one in np.unique(stratum):
        rows = np.flatnonzero(stratum == one)
        times[rows] = times[rng.permutation(rows)]
    return pa.array(times, candidates.schema.field("ts").type)
