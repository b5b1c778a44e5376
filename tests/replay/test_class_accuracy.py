"""Differences planted in one row of fifty of the sample's real columns are told by their class."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from recsysops.replay.candidates import Candidates, read_requests
from recsysops.replay.day import trace_all
from recsysops.replay.differences import SAME
from recsysops.replay.tracing import Traced, copy_rates, feature_differences, trace
from recsysops.workspace import Workspace

SAMPLE = Path(__file__).parents[2] / "sample_logs" / "streaming"
DAY = date(2026, 10, 29)
SHARE = 0.02


def _older(traced: Traced, column: str, versions: int) -> Any:
    rows = traced.upstream.timeline.earlier(traced.expected, versions)
    values = traced.pairs[column][1].source
    return np.where(rows >= 0, values[np.maximum(rows, 0)], traced.source(column))


PLANTED: dict[str, Callable[[Traced, str], Any]] = {
    "missing": lambda traced, column: np.full(len(traced.chosen), np.nan),
    "defaulted": lambda traced, column: np.full(len(traced.chosen), -1.0),
    "stale": lambda traced, column: _older(traced, column, 3),
    "scaled": lambda traced, column: traced.source(column) * 1000,
    "precision": lambda traced, column: traced.source(column).astype(np.float16),
}


@pytest.fixture(scope="module")
def day() -> list[Traced]:
    """A clean day of the sample beside its sources."""
    workspace = Workspace(SAMPLE)
    candidates = read_requests(workspace.tables["candidates"], DAY, 120)
    return trace_all(workspace.tables, candidates, DAY)


@pytest.mark.parametrize("kind", PLANTED)
def test_planted_classes_are_recognised(day: list[Traced], kind: str) -> None:
    right = planted = false = 0
    for traced in day:
        copies = [rate.column for rate in copy_rates(traced) if rate.is_copy]
        for column in (name for name in copies if not traced.pairs[name][1].is_text):
            truth = traced.source(column)
            rng = np.random.default_rng(len(column))
            values = np.where(rng.random(len(truth)) < SHARE, PLANTED[kind](traced, column), truth)
            values = values.astype(np.float32)
            columns = dict(traced.candidates.columns) | {column: pa.array(values, from_pandas=True)}
            again = trace(Candidates(columns, traced.candidates.schema), traced.upstream, _lineage(traced))
            found = {one.column: one for one in feature_differences(again, copies)}
            classes = found[column].classes
            planted += int((classes != SAME).sum())
            right += found[column].counts.get(kind, 0)
            false += sum(int((one.classes != SAME).sum()) for name, one in found.items() if name != column)
    assert planted > 100
    assert false == 0
    assert right / planted > 0.97, (kind, right, planted)


def _lineage(traced: Traced) -> dict[str, str]:
    return {column: source for column, (source, _) in traced.pairs.items()}
