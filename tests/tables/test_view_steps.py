"""``item_steps`` and ``member_steps`` against pandas, value by value."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from recsysops.tables.schema import Column, Schema, TableSchema
from recsysops.tables.views.registered import with_views
from recsysops.tables.views.steps import AGE
from recsysops.testing.derived_tables import derived_table

NOW = datetime(2026, 3, 3, 4, tzinfo=UTC)
SCHEMA = with_views(
    Schema(
        {
            "member_features": TableSchema(
                "member_features",
                (
                    Column("who", "categorical", "key"),
                    Column("at", "timestamp", "as_of"),
                    Column("x", "numeric", is_feature=True),
                    Column("word", "categorical", is_feature=True),
                    Column("seen", "timestamp", is_feature=True),
                    Column("odd", "other", is_feature=True),
                ),
            )
        }
    )
)


def steps(*rows: tuple[str, datetime, Any, Any, Any]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=["who", "at", "x", "word", "seen"])
    frame["seen"] = pd.to_datetime(frame["seen"], utc=True)
    frame["x"] = frame["x"].astype("Float64")
    derived = derived_table("member_steps", {"member_features": frame}, SCHEMA)
    assert derived is not None
    return derived.set_index("key")


def day_after(before: Any, now: Any, name: str = "x") -> Any:
    values = {one: [None, None] for one in ("x", "word", "seen")} | {name: [before, now]}
    rows = [
        ("a", NOW - timedelta(days=1 - day), *(values[one][day] for one in ("x", "word", "seen"))) for day in (0, 1)
    ]
    return steps(*rows).iloc[1][name]


@pytest.mark.parametrize(
    ("before", "now", "step"),
    [
        (5.0, 5.0, "same"), (5.0, 6.0, "changed"), (5.0, None, "gone"), (None, 5.0, "appeared"), (None, None, None),
        (5.0, 0.0, "zeroed"), (0.0, 0.0, "same"), (0.0, 5.0, "changed"), (5.0, 5.000001, "nudged"), (-5.0, -300.0, "times 60"),
        (5.0, 330.0, "times 60"), (300.0, 5.0, "over 60"), (2.0, 2000.0, "times 1000"), (5.0, -300.0, "changed"),
    ],
)  # fmt: skip
def test_numbers(before: float | None, now: float | None, step: str | None) -> None:
    assert day_after(before, now) == step


@pytest.mark.parametrize(("before", "now", "step"), [("a", "a", "same"), ("a", "b", "changed"), ("a", None, "gone")])
def test_words(before: str, now: str | None, step: str) -> None:
    assert day_after(before, now, "word") == step


@pytest.mark.parametrize(("seconds", "step"), [(0, "same"), (100, "nudged"), (-100, "nudged"), (200, "changed")])
def test_times(seconds: int, step: str) -> None:
    assert day_after(NOW, NOW + timedelta(seconds=seconds), "seen") == step


@pytest.mark.parametrize(
    ("before", "age"),
    [(timedelta(0), "0"), (timedelta(minutes=59), "0"), (timedelta(hours=5), "5"), (timedelta(hours=24), "older"),
     (timedelta(minutes=-1), "later")],
)  # fmt: skip
def test_ages(before: timedelta, age: str) -> None:
    assert steps(("a", NOW, None, None, NOW - before))[f"{AGE}seen"].tolist() == [age]


def test_only_the_latest_row_of_the_day_before_counts() -> None:
    yesterday = NOW - timedelta(days=1)
    found = steps(
        ("a", yesterday - timedelta(hours=3), 1.0, None, None), ("a", yesterday, 2.0, None, None),
        ("a", NOW - timedelta(hours=1), 3.0, None, None), ("a", NOW, 2.0, None, None),
        ("b", NOW - timedelta(days=2), 7.0, None, None), ("b", NOW, 7.0, None, None),
    )  # fmt: skip
    assert found["x"][found.index == "a"].tolist() == [None, "same"]
    assert found["x"][found.index == "b"].tolist() == [None, None]
    assert "odd" not in found
