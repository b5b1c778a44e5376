"""A small healthy log of requests that were scored again, for detectors of what a replay finds."""

from __future__ import annotations

import numpy as np

from recsysops.tables.contract import Kind
from recsysops.tables.schema import Column, Schema, TableSchema
from recsysops.tables.views.replayed import COLUMNS
from recsysops.testing.example_log import ExampleLog
from recsysops.testing.example_slates import SLATE_SCHEMA, example_slates

_ROLES = ("request_id", "ts", "member_id")
_MODELS: dict[str, Kind] = {"model_id": "categorical", "path": "categorical", "trained_at": "timestamp"}
REPLAY_SCHEMA = Schema(
    {
        "candidates": SLATE_SCHEMA.tables["candidates"],
        "models": TableSchema("models", tuple(Column(name, kind, name) for name, kind in _MODELS.items())),
        "replayed": TableSchema(
            "replayed",
            (
                *(Column(name, kind, name if name in _ROLES else None) for name, kind in COLUMNS.items()),
                Column("host", "categorical"),
            ),
            slices=("host",),
        ),
    }
)


def example_replays(n_days: int = 9, requests_per_day: int = 300, seed: int = 0) -> ExampleLog:
    """Requests whose scores the registered model gives again to the bit, beside the candidates they are of.

    Args:
        n_days: days, the last of which is judged.
        requests_per_day: sampled.
        seed: of everything.
    """
    log = example_slates(n_days, requests_per_day, seed=seed)
    candidates = log.tables["candidates"]
    first = candidates.drop_duplicates("request_id")[["request_id", "ts", "member_id", "host"]]
    replayed = first.assign(
        grade="L0",
        raw_differs=np.full(len(first), False, object),
        score_differs=np.full(len(first), False, object),
        outcome="replayed",
    ).reset_index(drop=True)
    return ExampleLog({"candidates": candidates, "replayed": replayed}, REPLAY_SCHEMA, log.days, seed)
