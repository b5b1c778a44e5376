"""`input.slice_fraction`: losses against the other values of the day, and what a roll-out explains of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import cast

import numpy as np
import numpy.typing as npt
import pytest

from recsysops import registry
from recsysops.profiles.history import CellContrast, Change, Context, History
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.tables.schema import Column, Schema, TableSchema
from recsysops.triage.detector import Detector
from recsysops.triage.findings import Finding

DAYS = tuple(date(2026, 3, 2) + timedelta(days=number) for number in range(15))
CLIENTS = ("tv-1", "tv-2", "app-1", "app-2", "web")
SHARES = np.array([0.5, 0.0, 0.2, 0.15, 0.15])
SCHEMA = Schema(
    {
        "candidates": TableSchema("candidates", (Column("client", "categorical", "client_version"),)),
        "requests": TableSchema("requests", (Column("client_version", "categorical"),), slices=("client_version",)),
    }
)
RELEASE = Change(datetime(2026, 3, 10, tzinfo=UTC), "release", "client=tv-2")


@dataclass(frozen=True)
class OneContrast:
    """A history that knows requests by client, and nothing else."""

    context: Context
    contrast: CellContrast

    def cells(self, measure: object) -> CellContrast:
        del measure
        return self.contrast


def told(current: npt.ArrayLike, *changes: Change, volume: int = 1_000, seed: int = 0) -> list[Finding]:
    reference = np.random.default_rng(seed).poisson(volume * SHARES, (14, len(SHARES)))
    counts = np.vstack([reference, np.asarray(current, np.int64)])
    cells = np.concatenate([counts.sum(axis=1, keepdims=True), counts], axis=1)[:, :, None]
    slices = (EVERYTHING, *(Slice("client_version", name) for name in CLIENTS))
    no_buckets: Callable[..., npt.NDArray[np.int64]] = lambda *_: np.zeros((32, 1), np.int64)  # noqa: E731
    contrast = CellContrast(slices, ("rows",), DAYS[:-1], DAYS[-1:], cells[:-1], cells[-1:], no_buckets)
    now = datetime(2026, 3, 17, tzinfo=UTC)
    context = Context(now, "days", DAYS[:-1], DAYS[-1:], SCHEMA, changes)
    detector = cast("Detector", registry.plugin("detectors", "input.slice_fraction").load()())
    said = detector.judge(cast("History", OneContrast(context, contrast)))
    return [one for one in said if isinstance(one, Finding)]


def test_a_large_client_is_held_against_the_others() -> None:
    """Three tenths of half the traffic: its share only falls from 50 to 41 %, its requests by 30 %."""
    (found,) = told([3_500, 0, 2_000, 1_500, 1_500], volume=10_000)
    assert str(found.slice) == "client=tv-1"
    assert found.effect == pytest.approx(0.3 / 0.25, rel=0.03)
    assert found.reference_value == pytest.approx(0.5, abs=0.01)
    assert found.severity == "warning"


def test_a_roll_out_explains_what_turns_up_in_the_new_version_only() -> None:
    moved, lost = [300, 200, 200, 150, 150], [500, 0, 60, 150, 150]
    assert {one.severity for one in told(moved)} == {"warning"}
    assert {one.severity for one in told(moved, RELEASE)} == {"info"}
    (found,) = told(lost, RELEASE)
    assert (str(found.slice), found.severity) == ("client=app-1", "warning")


def test_healthy_shares_are_left_alone_however_large() -> None:
    rng = np.random.default_rng(1)
    days = rng.poisson(300 * SHARES, (300, len(SHARES)))
    assert sum(bool(told(day, volume=300, seed=number)) for number, day in enumerate(days)) <= 1
