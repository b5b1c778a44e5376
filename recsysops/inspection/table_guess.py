"""Which table of the contract a source is: by its own name, the roles its columns can play, and what a row repeats."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from recsysops.inspection.role_guess import assign, matches
from recsysops.inspection.synonyms import squash, tokens
from recsysops.inspection.values import Doubt, TableSample
from recsysops.tables.contract import TABLES

MIN_POINTS = 3.5
_CLOSE = 1.0
_NAMES: dict[str, str] = {
    "candidates": "candidates candidate impressions impression recommendations recs slates slate serving rankings requests logs",
    "outcomes": "outcomes outcome clicks plays purchases events interactions conversions feedback orders ratings views",
    "items": "items item catalog catalogue products movies titles articles videos songs",
    "availability": "availability rights windows licences",
    "item_features": "itemfeatures productfeatures moviefeatures videofeatures",
    "member_features": "memberfeatures userfeatures customerfeatures members users",
    "models": "models artifacts modelregistry",
    "changes": "changes deploys deployments releases",
}
_WEIGHTS: dict[str, dict[str, float]] = {
    "candidates": {
        "request_id": 1.5,
        "item_id": 0.5,
        "ts": 0.5,
        "position": 2,
        "score": 2,
        "raw_score": 1,
        "propensity": 2,
        "shown": 1,
    },
    "outcomes": {
        "item_id": 0.5,
        "ts": 1,
        "kind": 2,
        "value": 1.5,
        "request_id": 1,
        "member_id": 1,
        "origin": 0.5,
        "ingested_at": 1,
    },
    "items": {"item_id": 1, "launch_at": 2, "tier": 1, "owner": 1, "expected_audience": 1, "as_of": 0.5},
    "availability": {"item_id": 1, "market": 1, "from": 2, "to": 2},
    "item_features": {"key": 1, "as_of": 1, "available_at": 2},
    "member_features": {"key": 1, "as_of": 1, "available_at": 2},
    "models": {
        "model_id": 1,
        "path": 1,
        "sha256": 2,
        "trained_at": 1.5,
        "training_rows": 1,
        "features": 1,
        "code_version": 1,
    },
    "changes": {"ts": 1, "kind": 1.5, "scope": 2, "rollout": 1.5},
}
_FOREIGN: dict[str, tuple[str, ...]] = {
    "items": ("request_id", "member_id", "position", "score", "propensity"),
    "availability": ("request_id", "member_id", "position", "score"),
    "item_features": ("request_id", "member_id", "position", "score", "propensity"),
    "member_features": ("request_id", "item_id", "position", "score", "propensity"),
    "models": ("request_id", "member_id", "item_id"),
    "changes": ("request_id", "member_id", "item_id"),
    "outcomes": ("position", "score", "propensity"),
    "candidates": (),
}
"""Roles of ``candidates`` that rows of another table do not have."""


def guess_table(sample: TableSample) -> tuple[list[tuple[float, str]], Doubt | None]:
    """(points, table) for every table it may be, best first, and a doubt when two are close or none is likely."""
    as_candidates = {role for role, match in assign(matches(sample, "candidates")).items() if match.score >= 0.5}
    points = sorted(((_points(sample, table, as_candidates), table) for table in TABLES), reverse=True)
    likely = [(score, table) for score, table in points if score >= MIN_POINTS]
    where = f"source {sample.found.label}"
    if not likely:
        return [], Doubt(where, "", tuple(table for _, table in points[:2]), "its columns fit no table of the contract")
    close = tuple(table for score, table in likely[1:] if score > likely[0][0] - _CLOSE)
    if close:
        return likely, Doubt(where, likely[0][1], close, "its columns fit more than one table")
    return likely, None


def _points(sample: TableSample, table: str, as_candidates: set[str]) -> float:
    roles = assign(matches(sample, table))
    points = sum(_WEIGHTS[table].get(role, 0.25) * min(1.0, match.score + 0.1) for role, match in roles.items())
    points -= 2.5 * len(as_candidates.intersection(_FOREIGN[table]))
    points -= 2.0 * len([role for role in TABLES[table].required if role not in roles])
    points += _name_points(sample, table)
    extra = _EXTRA.get(table)
    return points + (extra(sample, {role: match.column for role, match in roles.items()}) if extra else 0.0)


def _name_points(sample: TableSample, table: str) -> float:
    """3 when the table's, file's or nearest folder's name says it, 1.5 when it is a word of the path."""
    known = _NAMES[table].split()
    parts = [part for part in sample.found.path.split("/") if part not in ("", "**")]
    names = [sample.found.table] if sample.found.table else [part.partition(".")[0] for part in parts[-2:]]
    if any(squash(name) in known or squash(name).rstrip("0123456789") in known for name in names[-1:]):
        return 3.0
    words = {word for name in names for word in tokens(name)}
    return 1.5 if words.intersection(known) else 0.0


def _unique_items(sample: TableSample, roles: dict[str, str]) -> float:
    """A catalogue has a row per item; a log repeats them."""
    column = sample.column(roles["item_id"]) if "item_id" in roles else None
    if column is None or not column.n_rows:
        return 0.0
    return 2.5 if column.n_distinct >= 0.99 * column.n_rows else -1.0


def _has_numbers(sample: TableSample, roles: dict[str, str]) -> float:
    """A feature table has dates of validity and numbers."""
    others: Sequence[str] = [column.name for column in sample.columns if column.kind == "numeric"]
    free = [name for name in others if name not in roles.values()]
    return (1.0 if len(free) >= 2 else 0.0) if {"key", "as_of"} <= set(roles) else -1.0


def _is_slate(sample: TableSample, roles: dict[str, str]) -> float:
    """Arrays per row are how slates are logged."""
    return 2.0 if any(column.is_list and column.name == roles.get("item_id") for column in sample.columns) else 0.0


_EXTRA: dict[str, Callable[[TableSample, dict[str, str]], float]] = {
    "items": _unique_items,
    "item_features": _has_numbers,
    "member_features": _has_numbers,
    "candidates": _is_slate,
}
