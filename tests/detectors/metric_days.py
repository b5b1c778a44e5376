"""Made-up daily counts of a service, for tests of detectors that look at many days."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from recsysops.profiles.history import DaySeries
from recsysops.profiles.measures import Cells
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.tables.schema import Column, Schema, TableSchema
from recsysops.testing.histories import ArrayHistory, context_of
from recsysops.triage.metric_series import requests_measure, rows_measure

FIRST = date(2026, 1, 5)
"""A Monday."""
WEEK = np.array([1.0, 0.95, 0.97, 1.0, 1.1, 1.35, 1.3])
Floats = npt.NDArray[np.float64]
SCHEMA = Schema(
    {
        "candidates": TableSchema(
            "candidates",
            (
                Column("request_id", "categorical", "request_id"),
                Column("ts", "timestamp", "ts"),
                Column("item_id", "categorical", "item_id"),
                Column("score", "numeric", "score"),
                Column("fallback", "boolean", "fallback"),
                Column("market", "categorical"),
            ),
            slices=("market",),
        ),
        "outcomes": TableSchema(
            "outcomes",
            (
                Column("ts", "timestamp", "ts"),
                Column("item_id", "categorical", "item_id"),
                Column("origin", "categorical", "origin"),
            ),
        ),
    }
)
CANDIDATES = SCHEMA.tables["candidates"]
REQUESTS = requests_measure(CANDIDATES)
SCORE = Cells("candidates", "score", "moments")
FALLBACK = Cells("candidates", "fallback", "frequencies")
ORIGIN = Cells("outcomes", "origin", "frequencies")
NAMED = ("null", "defaulted", "new", "other")


class Days:
    """A service of about ``level`` requests a day with a weekly pattern, healthy until told otherwise."""

    def __init__(self, n_days: int = 90, seed: int = 0, level: float = 20_000.0, sd: float = 0.02) -> None:
        self.rng = np.random.default_rng(seed)
        self.n_days = n_days
        healthy = level * WEEK[np.arange(n_days) % 7] * np.exp(self.rng.normal(0, sd, n_days))
        self.requests: Floats = np.array(self.rng.poisson(healthy), np.float64)
        self.outcome_rate = np.full(n_days, 0.3) * np.exp(self.rng.normal(0, 0.01, n_days))
        self.fallback = np.full(n_days, 0.01)
        self.score = 0.4 + self.rng.normal(0, 0.002, n_days)
        self.slate = 10.0
        self.incidents: Collection[int] = ()

    @property
    def days(self) -> tuple[date, ...]:
        return tuple(FIRST + timedelta(days=number) for number in range(self.n_days))

    def history(self) -> ArrayHistory:
        """What a detector is given on the last day."""
        rows = self.requests * self.slate
        outcomes = np.array(self.rng.poisson(self.requests * self.outcome_rate), np.float64)
        search = np.array(self.rng.binomial(outcomes.astype(np.int64), 0.25), np.float64)
        failed = np.array(self.rng.binomial(rows.astype(np.int64), self.fallback), np.float64)
        context = context_of(SCHEMA, self.days[-29:-1], self.days[-1:])
        assert REQUESTS is not None
        nothing = np.zeros_like(rows)
        return ArrayHistory(
            replace(context, incident_days=frozenset(self.days[index] for index in self.incidents)),
            day_series={
                rows_measure("candidates"): self._series(("rows",), [rows]),
                rows_measure("outcomes"): self._series(("rows",), [outcomes]),
                REQUESTS: self._series(
                    ("requests", "flagged_requests", "rows", "flagged_rows"), [self.requests, nothing, rows, nothing]
                ),
                SCORE: self._series(("count", "sum"), [rows, rows * self.score]),
                FALLBACK: self._series((*NAMED, "false", "true"), [*[nothing] * 4, rows - failed, failed]),
                ORIGIN: self._series((*NAMED, "search", "slate"), [*[nothing] * 4, search, outcomes - search]),
            },
        )

    def _series(self, cells: Sequence[str], values: Sequence[Floats]) -> DaySeries:
        """Everything, a market of nine tenths and one of a tenth (rounded)."""
        whole = np.stack(values, axis=1)
        part = np.round(0.9 * whole)
        stacked = np.stack([whole, whole - part, part], axis=1)
        return DaySeries((EVERYTHING, Slice("market", "DK"), Slice("market", "NO")), tuple(cells), self.days, stacked)
