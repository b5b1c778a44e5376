"""Healthy days of a recommender's log, drawn anew each day, with honest movement between days.

Candidates come in requests of ``SLATE``; 20 features in five shapes, of the member (one value per request), of the item
and of both; two categories, two slice dimensions, a score and clicks. Between days volumes follow a weekly cycle of
±15 % with 3 % noise, feature means walk 0.01 standard deviations a day, missing rates wobble by ±10 % of themselves, and
items and categories gain or lose some popularity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

FIRST_DAY = date(2026, 3, 2)
SLATE = 4
SHAPES = ("normal", "lognormal", "count", "bounded", "zero_inflated")
N_FEATURES = 20
FEATURES = tuple(f"{SHAPES[index % 5]}_{index}" for index in range(N_FEATURES))
WEEK = np.array([1.0, 0.97, 0.95, 1.0, 1.1, 1.15, 0.85])
SETTINGS = {
    "clock": "archive",
    "tables": {
        "candidates": {
            "source": {"path": "candidates"},
            "roles": {
                "request_id": "request_id", "member_id": "member_id", "ts": "ts", "item_id": "item_id",
                "position": "position", "score": "score",
            },
            "features": [*FEATURES, "genre", "plan"],
            "slices": ["market", "device"],
        },
        "outcomes": {
            "source": {"path": "outcomes"},
            "roles": {"request_id": "request_id", "ts": "ts", "item_id": "item_id", "kind": "kind", "value": "value"},
        },
    },
}  # fmt: skip

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SimulatedLog:
    """One log; a day of it depends on nothing but the seed and its number."""

    seed: int
    rows_per_day: int = 20_000
    n_days: int = 56

    def day(self, number: int) -> date:
        """The date of a day."""
        return FIRST_DAY + timedelta(days=number)

    @cached_property
    def walks(self) -> Floats:
        """Mean of each feature on each day, in standard deviations; (n_days, n_features)."""
        steps = np.random.default_rng((self.seed, 1)).normal(0, 0.01, (self.n_days, N_FEATURES))
        return np.asarray(steps.cumsum(axis=0))

    def candidates(self, number: int) -> dict[str, pa.Array]:
        """Columns of one day's candidates, in the order of time."""
        rng = np.random.default_rng((self.seed, 2, number))
        volume = self.rows_per_day * WEEK[self.day(number).weekday()] * np.exp(rng.normal(0, 0.03))
        n = int(volume / SLATE)
        request = np.repeat(np.arange(n), SLATE)
        micros = np.sort(rng.integers(0, 86_400_000_000, n)) + _midnight(self.day(number))
        columns: dict[str, pa.Array] = {
            "request_id": pa.array([f"{number}-{one}" for one in range(n)]).take(request),
            "member_id": pa.array([f"m{one}" for one in rng.integers(0, 50_000, n)]).take(request),
            "ts": pa.array(micros[request], pa.timestamp("us", "UTC")),
            "item_id": pa.array([f"item-{one}" for one in range(300)]).take(self._items(rng, n).ravel()),
            "position": pa.array(np.tile(np.arange(1, SLATE + 1, dtype=np.int8), n)),
            "market": _drawn(rng, ("NO", "SE", "DK", "IS"), (0.6, 0.25, 0.13, 0.02), n, 0.03).take(request),
            "device": _drawn(rng, ("tv", "phone", "web"), (0.5, 0.35, 0.15), n, 0.03).take(request),
            "genre": _drawn(rng, [f"genre-{one}" for one in range(12)], 1 / np.arange(1.0, 13), len(request), 0.03),
            "plan": _drawn(rng, ("basic", "family", "premium"), (0.5, 0.3, 0.2), n, 0.03).take(request),
        }
        latent = self._latent(rng, number, request)
        for index, name in enumerate(FEATURES):
            columns[name] = _shaped(rng, SHAPES[index % 5], latent[:, index], missing=_missing(rng, index))
        logit = latent[:, :8].sum(axis=1) / np.sqrt(8) + 0.5 * rng.normal(size=len(request))
        columns["score"] = pa.array(1 / (1 + np.exp(-logit)))
        return columns

    def outcomes(self, number: int, candidates: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
        """Clicks on 3 % of the candidates, at once."""
        rng = np.random.default_rng((self.seed, 3, number))
        clicked = np.flatnonzero(rng.random(len(candidates["ts"])) < 0.03)
        return {
            **{name: candidates[name].take(clicked) for name in ("request_id", "ts", "item_id")},
            "kind": pa.array(["click"] * len(clicked)),
            "value": pa.array(np.ones(len(clicked))),
        }

    def write(self, folder: Path, number: int) -> None:
        """One day's partition of both tables."""
        candidates = self.candidates(number)
        self.write_candidates(folder, number, candidates)
        write_part(folder / "outcomes", self.day(number), pa.table(self.outcomes(number, candidates)))

    def write_candidates(self, folder: Path, number: int, candidates: Mapping[str, pa.Array]) -> None:
        """One day's candidates, perhaps changed by hand."""
        write_part(folder / "candidates", self.day(number), pa.table(dict(candidates)))

    def _latent(self, rng: np.random.Generator, number: int, request: npt.NDArray[np.int64]) -> Floats:
        """Standard normal values: a third of the features of the member, a third of the item, a third of both."""
        of_request = rng.normal(size=(request[-1] + 1, N_FEATURES))[request]
        of_row = rng.normal(size=(len(request), N_FEATURES))
        weight = np.array([1.0, 0.0, 0.55])[np.arange(N_FEATURES) % 3]
        return np.asarray(np.sqrt(weight) * of_request + np.sqrt(1 - weight) * of_row + self.walks[number])

    def _items(self, rng: np.random.Generator, n: int) -> npt.NDArray[np.int64]:
        """Distinct items per request: the first of an exponential race, popular ones faster."""
        share = 1 / np.arange(1.0, 301) ** 0.8 * np.exp(rng.normal(0, 0.05, 300))
        return np.argpartition(rng.exponential(size=(n, 300)) / share, SLATE, axis=1)[:, :SLATE]


def write_part(folder: Path, day: date, table: pa.Table) -> None:
    """A hive partition of one file."""
    part = folder / f"day={day}"
    part.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, part / "part-0.parquet")


def _midnight(day: date) -> int:
    return (day - date(1970, 1, 1)).days * 86_400_000_000


def _drawn(rng: np.random.Generator, values: object, weights: object, n: int, wobble: float) -> pa.Array:
    share = np.asarray(weights, np.float64) * np.exp(rng.normal(0, wobble, len(np.atleast_1d(weights))))
    return pa.array(list(values)).take(pa.array(rng.choice(len(share), n, p=share / share.sum())))  # type: ignore[call-overload]


def _missing(rng: np.random.Generator, index: int) -> float:
    """Every second feature has missing values: 2, 5 or 10 %, a tenth of that more or less on any day."""
    return (0.02, 0.05, 0.1)[index % 3] * rng.uniform(0.9, 1.1) if index % 2 else 0.0


def _shaped(rng: np.random.Generator, shape: str, z: Floats, missing: float) -> pa.Array:
    """A feature of that shape, increasing in z."""
    if shape == "lognormal":
        values = np.exp(z)
    elif shape == "count":
        values = rng.poisson(np.exp(1.0 + 0.5 * z)).astype(np.float64)
    elif shape == "bounded":
        values = 1 / (1 + np.exp(-z))
    elif shape == "zero_inflated":
        values = np.where(rng.random(len(z)) < 0.4, 0.0, np.exp(0.7 * z))
    else:
        values = z
    return pa.array(values, mask=rng.random(len(z)) < missing if missing else None)
