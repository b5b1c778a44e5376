"""What the service carries from one day to the next, kept in files without pickling."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

import numpy as np

from recsysops.drills.rows import Column, Rows
from recsysops.drills.world.size import WorldSize
from recsysops.tables.atomic import write_atomically

_NULL_TEXT = "\x01"
"""Stands for None in a column of texts."""


@dataclass(frozen=True)
class Lineup:
    """Which models answer: the current one, and a newer one on its way in since ``since``."""

    current: str
    canary: str = ""
    since: int = -1
    """Day number of the newer model's first traffic."""


@dataclass(frozen=True)
class State:
    """The service between two days."""

    number: int
    """The next day's number."""
    lineup: Lineup
    events: Rows
    """Plays of the last 28 days as they arrived."""
    impressions: Column
    """(7, n_items) impressions of the last seven days, weighted by the attention their positions are believed to get."""
    items: Rows
    """Last night's item features."""
    members: Rows
    """Last night's member features."""
    pending: Rows
    """Outcomes that will arrive on the next days."""
    known_rules: tuple[str, ...] = field(default=())


def save(state: State, size: WorldSize, seed: int, folder: Path) -> None:
    """Keep a state in ``folder``: arrays in one file, the rest as JSON, each written whole."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {"impressions": state.impressions}
    for name in ("events", "items", "members", "pending"):
        rows: Rows = getattr(state, name)
        arrays |= {f"{name}/{column}": _plain(rows[column]) for column in rows}
    facts = {
        "number": state.number,
        "lineup": asdict(state.lineup),
        "known_rules": list(state.known_rules),
        "seed": seed,
        "size": {**asdict(size), "first_day": size.first_day.isoformat()},
    }
    write_atomically(folder / "arrays.npz", lambda path: _savez(path, arrays))
    write_atomically(folder / "state.json", lambda path: _write(path, json.dumps(facts, indent=1)))


def load(folder: Path) -> tuple[State, WorldSize, int]:
    """What ``save`` kept: state, size and seed."""
    facts = json.loads((folder / "state.json").read_text())
    described = {**facts["size"], "first_day": date.fromisoformat(facts["size"]["first_day"])}
    described["logged_items"] = tuple(described["logged_items"])
    with np.load(folder / "arrays.npz", allow_pickle=False) as arrays:
        tables = {
            name: Rows(
                {key.split("/", 1)[1]: _restored(arrays[key]) for key in arrays.files if key.startswith(f"{name}/")}
            )
            for name in ("events", "items", "members", "pending")
        }
        state = State(
            facts["number"], Lineup(**facts["lineup"]), impressions=arrays["impressions"],
            known_rules=tuple(facts["known_rules"]), **tables,
        )  # fmt: skip
    return state, WorldSize(**described), facts["seed"]


def _plain(values: Column) -> Column:
    if values.dtype != object:
        return values
    return np.array([_NULL_TEXT if one is None else str(one) for one in values], np.str_)


def _restored(values: Column) -> Column:
    if values.dtype.kind != "U":
        return values
    texts = values.astype(object)
    texts[values == _NULL_TEXT] = None
    return np.asarray(texts)


def _savez(path: Path, arrays: dict[str, Column]) -> None:
    with path.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
