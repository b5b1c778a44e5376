"""The service's files: a hive partition a day for every table of the contract, and the workspace file over them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from recsysops.drills.rows import Column, Rows
from recsysops.drills.world.feature_store import AFFINITIES, EMBEDDING, ITEM_COLUMNS, MEMBER_COLUMNS
from recsysops.drills.world.features import LANG_MATCH_MASK, MODEL_FEATURES, NAN_BY_NATURE
from recsysops.drills.world.serving_log import REQUEST_COLUMNS
from recsysops.tables.atomic import write_atomically

LOGS = "logs"
ARCHIVE = "archive"
"""Where the warm-up's partitions go: training reads them, the workspace does not."""
_CANDIDATE_ROLES = (
    "request_id", "ts", "item_id", "member_id", "position", "shown", "raw_score", "score", "raw_rank", "final_rank",
    "propensity", "model_id", "candidate_source", "filtered_by", "override_generation", "sampling_rate", "seed",
    "feature_schema", "host", "client_version", "consumer", "experiment_arm", "fallback", "latency_ms",
)  # fmt: skip
_ITEM_FEATURE_SOURCES = {"item_days_since_launch": "launch_at", "item_release_age_years": "release_year"}
SLICES = ("market", "device", "surface")
_UNWATCHED = (*AFFINITIES, *EMBEDDING)
"""Of members: twenty numbers that mean something together only; the candidates' taste_match and genre_affinity show them."""


def write_part(folder: Path, table: str, day: date, rows: Rows, root: str = LOGS) -> None:
    """One day's partition of a table; nothing is written when there are no rows."""
    if not len(rows):
        return
    part = folder / root / table / f"day={day.isoformat()}"
    part.mkdir(parents=True, exist_ok=True)
    written = pa.table({name: _array(rows, name) for name in rows})
    write_atomically(part / "part-0.parquet", lambda path: pq.write_table(written, path, compression="zstd"))


def _array(rows: Rows, name: str) -> pa.Array:
    """NaN is NULL in every column but those that are NaN by nature."""
    values, mask = rows[name], rows.nulls.get(name)
    if values.dtype.kind == "f" and name not in NAN_BY_NATURE:
        missing = np.isnan(values)
        mask = missing if mask is None else mask | missing
    if values.dtype.kind == "M":
        return pa.array(values, pa.timestamp("us"), mask=mask).cast(pa.timestamp("us", "UTC"))
    if values.dtype == object:
        return _words(values, mask)
    return pa.array(_narrow(name, values), mask=mask)


def _words(values: Column, mask: Column | None) -> pa.Array:
    array = pa.array(values, pa.string(), mask=mask)
    encoded = array.dictionary_encode()
    return encoded if len(encoded.dictionary) * 4 < len(array) else array


def _narrow(name: str, values: Column) -> Column:
    if name in {"position", "raw_rank", "final_rank"}:
        return values.astype(np.int16)
    return values.astype(np.int32) if name in {"override_generation", "seed"} else values


def write_workspace(folder: Path, name: str) -> None:
    """``recsysops.yaml`` over the logs."""
    text = yaml.safe_dump(settings(name), sort_keys=False, width=110)
    write_atomically(folder / "recsysops.yaml", lambda path: _write(path, text))


def settings(name: str) -> dict[str, Any]:
    """The workspace's settings: every table of the contract, lineage, defaults and owners."""
    features = [one for one in MODEL_FEATURES if one not in REQUEST_COLUMNS]
    columns: dict[str, dict[str, Any]] = {one: {"lineage": _lineage(one)} for one in features if _lineage(one)}
    columns["lang_match"]["mask"] = LANG_MATCH_MASK
    return {
        "version": 1,
        "name": name,
        "clock": "archive",
        "tables": {
            "candidates": _table("candidates", {role: role for role in _CANDIDATE_ROLES} | {"price": "item_price"})
            | {"features": features, "slices": list(SLICES), "columns": columns},
            "outcomes": _table(
                "outcomes",
                {
                    one: one
                    for one in ("request_id", "ts", "item_id", "member_id", "kind", "value", "origin", "ingested_at")
                },
            ),
            "items": _table(
                "items", {one: one for one in ("item_id", "launch_at", "expected_audience", "tier", "owner", "as_of")}
            ),
            "availability": _table("availability", {one: one for one in ("item_id", "market", "from", "to")}),
            "item_features": _table("item_features", {"key": "key", "as_of": "as_of", "available_at": "available_at"})
            | {"features": list(ITEM_COLUMNS), "owner": "feature-platform"},
            "member_features": _table(
                "member_features", {"key": "key", "as_of": "as_of", "available_at": "available_at"}
            )
            | {"features": [one for one in MEMBER_COLUMNS if one not in _UNWATCHED], "owner": "feature-platform"},
            "models": _table("models", {one: one for one in _MODEL_ROLES}),
            "changes": _table("changes", {one: one for one in ("ts", "kind", "scope", "rollout")}),
        },
    }


_MODEL_ROLES = (
    "model_id", "path", "sha256", "features", "trained_at", "training_start", "training_end", "training_rows", "code_version",
)  # fmt: skip


def _table(name: str, roles: Mapping[str, str]) -> dict[str, Any]:
    return {"source": {"path": f"{LOGS}/{name}"}, "roles": dict(roles)}


def _lineage(feature: str) -> str:
    """Where a feature's values come from."""
    if feature.startswith("item_"):
        return f"item_features.{_ITEM_FEATURE_SOURCES.get(feature, feature.removeprefix('item_'))}"
    derived = {
        "member_account_age_days": "member_features.joined_at", "member_seconds_since_play": "member_features.last_play_at",
        "lang_match": "item_features.language", "genre_affinity": "item_features.genre", "price_gap": "item_features.price",
        "taste_match": "item_features.emb_0",
    }  # fmt: skip
    if feature in derived:
        return derived[feature]
    return f"member_features.{feature.removeprefix('member_')}" if feature.startswith("member_") else ""


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
