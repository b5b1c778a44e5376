"""A long tail brings values that were never seen; that alone is no fault."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np

from recsysops.detectors.category_change import CategoryChange
from recsysops.profiles.history import FREQUENCY_SPECIALS, CellContrast, Context, Counts
from recsysops.profiles.measures import N_BUCKETS, Cells
from recsysops.profiles.slices import EVERYTHING
from recsysops.tables.schema import Column, Schema, TableSchema
from recsysops.testing.histories import ArrayHistory
from recsysops.triage.findings import Finding

NULL, DEFAULTED, NEW, OTHER = range(len(FREQUENCY_SPECIALS))
DAYS = tuple(date(2026, 3, day) for day in range(2, 10))
SCHEMA = Schema(
    {
        "candidates": TableSchema(
            "candidates",
            (Column("ts", "timestamp", "ts"), Column("city", "categorical", is_feature=True)),
        )
    }
)


def found(*days: dict[int, int]) -> list[str]:
    """Statistics found on the last day; each day is (cell, rows), spread evenly over the buckets."""
    counts = np.zeros((len(days), N_BUCKETS, len(FREQUENCY_SPECIALS) + 3), np.int64)
    for index, day in enumerate(days):
        for cell, n_rows in day.items():
            counts[index, :, cell] = np.diff(np.linspace(0, n_rows, N_BUCKETS + 1).astype(int))
    whole: Counts = counts.sum(axis=1, keepdims=True)
    contrast = CellContrast(
        slices=(EVERYTHING,),
        cells=(*FREQUENCY_SPECIALS, "Oslo", "Bergen", "Bodø"),
        reference_days=DAYS[: len(days) - 1],
        current_days=DAYS[len(days) - 1 : len(days)],
        reference=whole[:-1],
        current=whole[-1:],
        load_buckets=lambda window, _: np.concatenate(counts[:-1] if window == "reference" else counts[-1:]),
    )
    context = Context(
        now=datetime(2026, 3, 5, tzinfo=UTC),
        mode="days",
        reference_days=contrast.reference_days,
        current_days=contrast.current_days,
        schema=SCHEMA,
    )
    history = ArrayHistory(context, {Cells("candidates", "city", "frequencies"): contrast})
    return [one.statistic for one in CategoryChange().judge(history) if isinstance(one, Finding)]


COMMON = {4: 8000, 5: 4000, 6: 2000}


def test_the_day_after_the_categories_were_learnt_may_bring_new_rare_values() -> None:
    assert found({**COMMON, OTHER: 6000}, {**COMMON, OTHER: 4200, NEW: 1800}) == []


def test_more_new_values_than_a_tail_can_bring_are_found() -> None:
    assert "new_rate" in found({**COMMON, OTHER: 600}, {**COMMON, OTHER: 500, NEW: 1800})


def test_without_a_tail_few_new_values_are_found() -> None:
    assert "new_rate" in found({4: 10_000, 5: 6000, 6: 4000}, {4: 9800, 5: 5880, 6: 3920, NEW: 400})


def test_once_a_reference_day_had_new_values_it_tells() -> None:
    day = {**COMMON, OTHER: 4200, NEW: 1800}
    assert found({**COMMON, OTHER: 6000}, day, day) == []
    assert "new_rate" in found(*[day] * 6, {**COMMON, OTHER: 200, NEW: 5800})
