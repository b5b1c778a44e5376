"""What the ``models`` table says of an artifact."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from recsysops.tables.table import Table


@dataclass(frozen=True)
class Registration:
    """One row of the ``models`` table; what it does not say is None (texts: empty)."""

    model_id: str
    path: str = ""
    """Of the model's text file, relative to the workspace."""
    sha256: str = ""
    """In lower-case hexadecimal digits."""
    features: tuple[str, ...] = ()
    """In the order the model reads them."""
    trained_at: datetime | None = None
    training_start: datetime | None = None
    training_end: datetime | None = None
    training_rows: int | None = None
    code_version: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """What else the table knows in numbers, by column: offline metrics."""

    @property
    def training_days(self) -> float | None:
        """Length of the training window in days, or None."""
        if self.training_start is None or self.training_end is None:
            return None
        return (self.training_end - self.training_start).total_seconds() / 86_400


def registrations(table: Table) -> Mapping[str, Registration]:
    """Every registered model by its id; of several rows of one model the one trained last counts.

    Raises:
        SchemaError, SourceError: as ``Table.batches``.
    """
    columns = {column.role: column.name for column in table.schema.columns if column.role is not None}
    others = [column.name for column in table.schema.columns if column.role is None and column.kind == "numeric"]
    found: list[Registration] = []
    for partition in table.partitions():
        for batch in table.batches(partition, [*columns.values(), *others]):
            metrics = [batch.column(name).to_pylist() for name in others]
            values = {role: batch.column(name).to_pylist() for role, name in columns.items()}
            rows = (dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True))
            found += [
                replace(_registration(row), metrics=_numbers(others, [metric[number] for metric in metrics]))
                for number, row in enumerate(rows)
                if row["model_id"] is not None
            ]
    found.sort(key=lambda one: one.trained_at.timestamp() if one.trained_at else float("-inf"))
    return {one.model_id: one for one in found}


def _registration(row: Mapping[str, Any]) -> Registration:
    n_rows = row.get("training_rows")
    return Registration(
        model_id=str(row["model_id"]),
        path=_text(row.get("path")),
        sha256=_text(row.get("sha256")).strip().lower(),
        features=_names(row.get("features")),
        trained_at=row.get("trained_at"),
        training_start=row.get("training_start"),
        training_end=row.get("training_end"),
        training_rows=None if n_rows is None or n_rows != n_rows else int(n_rows),
        code_version=_text(row.get("code_version")),
    )


def _numbers(names: Sequence[str], values: Sequence[object]) -> dict[str, float]:
    pairs = zip(names, values, strict=True)
    return {name: float(value) for name, value in pairs if isinstance(value, int | float) and math.isfinite(value)}


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _names(value: object) -> tuple[str, ...]:
    """A list, its JSON, or names joined by commas."""
    if isinstance(value, list | tuple):
        return tuple(map(str, value))
    text = _text(value).strip()
    if not text.startswith("["):
        return tuple(name.strip() for name in text.split(",") if name.strip())
    try:
        names = json.loads(text)
    except ValueError:
        return ()
    return tuple(map(str, names))
